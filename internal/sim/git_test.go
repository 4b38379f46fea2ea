package sim

import (
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"beads/internal/git"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/replica"
	"beads/internal/workspace"
)

// trackingRef is where a site keeps the ref of its remote.
const trackingRef = "refs/beads/remotes/origin/ops"

// A remote is a bare Git repository that all sites share. Each reaches it
// through a link of its own, which can be cut.
type remote struct {
	*world
	bare string
	env  []string
}

func newRemote(w *world) network {
	r := &remote{world: w, bare: filepath.Join(w.top, "bare.git")}
	r.env = slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "GIT_") })
	r.env = append(r.env, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_ALLOW_PROTOCOL=file")
	if out, ok := r.git(w.top, "init", "-q", "--bare", r.bare); !ok {
		w.Fatal(out)
	}
	for _, s := range w.sites {
		r.attach(s)
	}
	return r
}

// attach gives a site its link and its archive.
func (r *remote) attach(s *site) {
	r.join(s)
	s.archive = func() func(func([]byte) error) error { return replica.Archive(s.Context(), r.runner(s)) }
	s.close() // it was opened without
}

// link is how the site reaches the remote.
func (r *remote) link(s *site) string { return s.dir + ".remote" }

func (r *remote) join(s *site) {
	r.remove(r.link(s))
	r.must(os.Symlink(r.bare, r.link(s)))
}

func (r *remote) runner(s *site) *git.Runner { return replica.NewRunner(s.place(), r.env, "") }

// git runs git as a person would.
func (r *remote) git(dir string, args ...string) (out string, ok bool) {
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = dir, r.env
	text, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(text)), err == nil
}

// replica opens the site's replica for one step.
func (r *remote) replica(s *site) (*replica.Replica, error) {
	opened, err := s.workspace()
	if err != nil {
		return nil, err
	}
	return replica.New(opened, r.runner(s), replica.Options{
		Now: s.clock, Rand: s.random, Command: "sim", Wait: func(context.Context, time.Duration) error { return nil },
	}), nil
}

// sync does one step of replication. Trouble that was made on purpose is no
// failure.
func (r *remote) sync(s *site, what string, do func(*replica.Replica) (replica.Report, error)) (report replica.Report) {
	s.Helper()
	opened, err := r.replica(s)
	if err == nil {
		report, err = do(opened)
	}
	result := "quiet"
	switch {
	case err == nil && !report.Quiet():
		result = "moved"
	case err == nil, s.faulty:
	default:
		result = r.expected(s, err)
	}
	if s.faulty {
		result = "whatever"
	}
	s.note("%s %s: %s, %d published, %d fetched, %d pushed", s.name, what, result, report.Published, report.Fetched, report.Pushed)
	return report
}

// expected names the trouble of an error.
func (r *remote) expected(s *site, err error) string {
	s.Helper()
	for name, trouble := range map[string]error{
		"unreachable": git.ErrUnreachable, "deleted": replica.ErrDeleted, "not pinned": replica.ErrNotPinned,
		"behind": git.ErrNonFastForward,
	} {
		if errors.Is(err, trouble) {
			return name
		}
	}
	s.Fatalf("%s: sync: %v", s.name, err)
	return ""
}

func (r *remote) step() {
	s := r.someone()
	with := func(o replica.SyncOptions) func(*replica.Replica) (replica.Report, error) {
		return func(at *replica.Replica) (replica.Report, error) { return at.Sync(s.Context(), o) }
	}
	switch n := r.rand.IntN(100); {
	case n < 8:
		r.race()
	case n < 45:
		r.share(s)
	case n < 52:
		r.sync(s, "publishes", func(at *replica.Replica) (replica.Report, error) { return at.Publish(s.Context()) })
	case n < 58:
		r.sync(s, "fetches", func(at *replica.Replica) (replica.Report, error) { return at.Fetch(s.Context()) })
	case n < 63:
		r.sync(s, "pushes", func(at *replica.Replica) (replica.Report, error) { return at.Push(s.Context()) })
	case n < 67:
		r.sync(s, "joins", with(replica.SyncOptions{Join: true, NoPush: r.chance(50)}))
	case n < 74:
		s.underFault(func() { r.share(s) })
	case n < 80:
		r.trouble("%s: the remote is out of reach", s.name)
		r.remove(r.link(s))
	case n < 86:
		r.note("%s: the remote is within reach", s.name)
		r.join(s)
	default:
		r.harm(s)
	}
}

// share is a whole step, which shares with the remote from then on.
func (r *remote) share(s *site) replica.Report {
	s.Helper()
	return r.sync(s, "shares", func(at *replica.Replica) (replica.Report, error) {
		return at.Sync(s.Context(), replica.SyncOptions{Publish: true})
	})
}

// race lets two sites claim an issue that nobody else touches, without knowing of
// each other's claim.
func (r *remote) race() {
	a, b := r.two()
	id, err := op.NewIssueID("bd", a.random)
	r.must(err)
	a.by, b.by = "alice", "bob"
	a.commit(&op.Operation{Do: op.DoCreate, Issue: id, Set: fields("title", a.text())})
	r.share(a)
	r.share(b)
	a.claim(id)
	b.claim(id)
}

// harm loses refs and files of replication.
func (r *remote) harm(s *site) {
	ref := func(dir, name string) string {
		out, _ := r.git(dir, "rev-parse", "--verify", "--quiet", name)
		return out
	}
	switch r.rand.IntN(8) {
	case 0, 1:
		if old := ref(r.bare, replica.LocalRef+"~"+pick(r.world, []string{"1", "2", "3"})); old != "" {
			r.trouble("the remote's ref is rewound")
			r.git(r.bare, "update-ref", replica.LocalRef, old)
		}
	case 2:
		r.trouble("the remote's ref is deleted")
		r.git(r.bare, "update-ref", "-d", replica.LocalRef)
	case 3:
		r.trouble("%s: the tracking ref is deleted", s.name)
		r.git(s.dir, "update-ref", "-d", trackingRef)
	case 4:
		r.trouble("%s: its own ref is deleted", s.name)
		r.git(s.dir, "update-ref", "-d", replica.LocalRef)
	case 5:
		if old := ref(s.dir, replica.LocalRef+"~1"); old != "" {
			r.trouble("%s: its own ref is rewound", s.name)
			r.git(s.dir, "update-ref", replica.LocalRef, old)
		}
	case 6:
		r.wipe(s)
	case 7:
		r.cloneAgain(s)
	}
}

// wipe takes everything of the site but its Git ref, after that has got
// everything.
func (r *remote) wipe(s *site) {
	s.heal()
	r.sync(s, "publishes", func(at *replica.Replica) (replica.Report, error) { return at.Publish(s.Context()) })
	r.trouble("%s: log, guard copy and database are removed", s.name)
	s.close()
	p := s.place()
	r.must(os.RemoveAll(p.Dir))
	r.must(os.RemoveAll(p.Guard))
	s.claims = nil // what is known of them was in there
	s.init()
}

// cloneAgain takes the whole repository, after all that is there was shared, and
// begins anew as bd init does.
func (r *remote) cloneAgain(s *site) {
	s.heal()
	r.join(s)
	if report := r.share(s); report.Unshared != 0 || report.Remote == "" {
		return
	}
	r.trouble("%s: the repository is removed and cloned again", s.name)
	s.close()
	r.must(os.RemoveAll(s.dir))
	s.claims = nil // what is known of them was in there
	s.makeRepository()
	opened, _, err := workspace.Init(s.Context(), s.place(), "", s.options())
	r.must(err)
	s.opened = opened
	report := r.sync(s, "begins", func(at *replica.Replica) (replica.Report, error) {
		return at.Sync(s.Context(), replica.SyncOptions{Join: true})
	})
	if tip, _ := r.git(s.dir, "for-each-ref"); tip != "" || report.Fetched == 0 {
		r.Errorf("%s did not begin with the tip alone: %+v, %s", s.name, report, tip)
	}
	r.must(opened.ChoosePrefix(s.Context(), "bd"))
	for _, l := range s.lines() {
		r.reached(s, l.id, []byte(l.text))
	}
}

// quiet joins all sites and syncs them until nothing moves.
func (r *remote) quiet() {
	for _, s := range r.sites {
		r.join(s)
		s.restart()
	}
	for round := 0; ; round++ {
		still := true
		for _, s := range r.sites {
			report := r.share(s)
			still = still && report.Quiet() && report.Unshared == 0
		}
		if still {
			break
		}
		if round > 6 {
			r.Fatal("no rest is reached")
		}
	}
	refs := map[string]bool{}
	for _, dir := range append([]string{r.bare}, dirs(r.sites)...) {
		out, _ := r.git(dir, "rev-parse", "--verify", "--quiet", replica.LocalRef)
		refs[out] = true
	}
	if len(refs) != 1 {
		r.Errorf("refs differ when it is quiet: %q", slices.Sorted(maps.Keys(refs)))
	}
	if out, ok := r.git(r.bare, "fsck", "--strict", "--no-progress"); !ok {
		r.Errorf("git fsck: %s", out)
	}
	// Whoever begins from the ref alone has everything.
	last := newSite(r.world, len(r.sites))
	r.attach(last)
	r.sites = append(r.sites, last)
	r.share(last)
	for _, s := range r.sites {
		r.share(s)
		r.checkTold(s)
	}
}

// checkTold demands that who lost a claim was told. It looks at issues on which
// nobody did anything but claim: whatever else ends a claim, its maker may have
// done, and need not be told.
func (r *remote) checkTold(s *site) {
	s.Helper()
	local, err := s.place().Local()
	s.must(err)
	s.view(func(q *projection.Query) error {
		latest := map[string]workspace.Claim{}
		for _, c := range s.claims {
			latest[c.Issue] = c
		}
		for _, id := range slices.Sorted(maps.Keys(latest)) {
			c := latest[id]
			history, err := q.History(id)
			if err != nil {
				return err
			}
			lost := false
			for _, e := range history {
				_, status := e.Op.Set["status"]
				_, assignee := e.Op.Set["assignee"]
				if e.Op.Do != op.DoClaim && (status || assignee || e.Op.Do == op.DoDelete || e.Op.Legacy != nil) {
					lost = false
					break
				}
				lost = lost || e.Op.ID.String() == c.Op && e.Effect == projection.EffectVoid
			}
			state, err := q.State(id)
			if err != nil {
				return err
			}
			same := c.Session != "" && state.HolderSession == c.Session && state.Issue.Assignee == c.By
			told := slices.ContainsFunc(local.Lost, func(l workspace.LostClaim) bool { return l.Op == c.Op })
			if lost && !same && !told {
				s.Errorf("%s was not told that it lost claim %s of %s", s.name, c.Op, id)
			}
		}
		return nil
	})
}

func dirs(sites []*site) (all []string) {
	for _, s := range sites {
		all = append(all, s.dir)
	}
	return all
}
