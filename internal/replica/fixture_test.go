package replica_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"beads/internal/issue"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/replica"
	"beads/internal/workspace"
)

// site is a clone with a workspace, used as separate processes would: nothing
// is kept open between two calls.
type site struct {
	t     testing.TB
	dir   string
	actor string
	now   time.Time
	env   []string // more variables of git's
	opts  func(*replica.Options)

	program  string        // instead of git
	deadline time.Duration // of calls that go to the remote
	local    time.Duration // of those that stay here

	notices []string
}

// scratch is a directory with resolved symbolic links.
func scratch(t testing.TB) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// executable writes a program, and lets nothing be started meanwhile: it would
// inherit our open file for a moment, and a file that is open for writing cannot be
// run (golang.org/issue/22315).
func executable(t testing.TB, path, text string) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	must(t, os.WriteFile(path, []byte(text), 0o755))
}

func environment() []string {
	kept := slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "GIT_") })
	return append(kept, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_ALLOW_PROTOCOL=file")
}

// run runs git as the user would.
func run(t testing.TB, dir string, args ...string) string {
	t.Helper()
	out, err := try(dir, args...)
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(out)
}

func try(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", append([]string{"-c", "user.name=u", "-c", "user.email=u@invalid", "-c", "init.defaultBranch=main"}, args...)...)
	cmd.Dir, cmd.Env = dir, environment()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// newRemote makes a bare repository with one commit on main.
func newRemote(t testing.TB, top string, args ...string) string {
	t.Helper()
	bare := filepath.Join(top, "remote.git")
	seed := filepath.Join(top, "seed")
	run(t, top, append([]string{"init", "-q", "--bare"}, append(args, bare)...)...)
	run(t, top, append([]string{"init", "-q"}, append(args, seed)...)...)
	if err := os.WriteFile(filepath.Join(seed, "a.txt"), []byte("a\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, seed, "add", "a.txt")
	run(t, seed, "commit", "-qm", "one")
	run(t, seed, "push", "-q", bare, "HEAD:refs/heads/main")
	return bare
}

// newSite clones the remote and makes a workspace in the clone.
func newSite(t testing.TB, top, bare, name string, args ...string) *site {
	t.Helper()
	s := newClone(t, top, bare, name, args...)
	s.init()
	return s
}

// newClone clones the remote.
func newClone(t testing.TB, top, bare, name string, args ...string) *site {
	t.Helper()
	dir := filepath.Join(top, name)
	run(t, top, append([]string{"clone", "-q"}, append(args, bare, dir)...)...)
	run(t, dir, "config", "user.name", name)
	run(t, dir, "config", "user.email", name+"@invalid")
	return &site{t: t, dir: dir, actor: name, now: time.Date(2026, 11, 23, 3, 2, 0, 0, time.UTC)}
}

func (s *site) init() {
	s.t.Helper()
	w, _, err := workspace.Init(s.t.Context(), s.place(), "bd", s.options(""))
	if err != nil {
		s.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		s.t.Fatal(err)
	}
}

// sites makes n clones of one remote.
func sites(t testing.TB, n int) (bare string, all []*site) {
	t.Helper()
	top := scratch(t)
	bare = newRemote(t, top)
	for i := range n {
		all = append(all, newSite(t, top, bare, string(rune('a'+i))))
	}
	return bare, all
}

func (s *site) place() workspace.Place {
	s.t.Helper()
	p, err := workspace.Find(s.dir, "", func(string) string { return "" })
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// tick moves the site's clock, a millisecond each time it is read.
func (s *site) tick() time.Time {
	s.now = s.now.Add(time.Millisecond)
	return s.now
}

func (s *site) options(session string) workspace.Options {
	o := workspace.Options{
		Now: s.tick, Rand: rand.Reader, Actor: func() string { return s.actor }, Session: session, Command: "test",
		Notice: func(text string) { s.notices = append(s.notices, text) },
	}
	if p := s.place(); p.CommonDir != "" {
		o.Archive = replica.Archive(s.t.Context(), replica.NewRunner(p, append(environment(), s.env...), ""))
	}
	return o
}

// open opens the workspace as a new process would.
func (s *site) open(session string) *workspace.Workspace {
	s.t.Helper()
	w, err := workspace.Open(s.t.Context(), s.place(), s.options(session))
	if err != nil {
		s.t.Fatal(err)
	}
	return w
}

// begin makes a workspace that joins the others before it chooses a prefix.
func (s *site) begin() (report replica.Report, err error) {
	s.t.Helper()
	w, _, err := workspace.Init(s.t.Context(), s.place(), "", s.options(""))
	if err != nil {
		s.t.Fatal(err)
	}
	s.within(w, func(r *replica.Replica) { report, err = r.Sync(s.t.Context(), replica.SyncOptions{Join: true}) })
	return report, err
}

// with opens workspace and replica for the time of fn.
func (s *site) with(fn func(*workspace.Workspace, *replica.Replica)) {
	s.t.Helper()
	w := s.open("")
	s.within(w, func(r *replica.Replica) { fn(w, r) })
}

// within opens the replica of a workspace, which is closed after fn.
func (s *site) within(w *workspace.Workspace, fn func(*replica.Replica)) {
	s.t.Helper()
	defer func() {
		if err := w.Close(); err != nil {
			s.t.Error(err)
		}
	}()
	o := replica.Options{
		Now: s.tick, Command: "test", Notice: func(text string) { s.notices = append(s.notices, text) },
		Wait: func(context.Context, time.Duration) error { return nil },
	}
	if s.opts != nil {
		s.opts(&o)
	}
	runner := replica.NewRunner(s.place(), append(environment(), s.env...), "")
	if runner != nil {
		runner.Program, runner.Remote, runner.Local, runner.Grace = s.program, s.deadline, s.local, 100*time.Millisecond
	}
	fn(replica.New(w, runner, o))
}

// try does one step.
func (s *site) try(o replica.SyncOptions) (report replica.Report, err error) {
	s.t.Helper()
	s.with(func(_ *workspace.Workspace, r *replica.Replica) { report, err = r.Sync(s.t.Context(), o) })
	return report, err
}

// sync does one step that must not fail.
func (s *site) sync() replica.Report {
	s.t.Helper()
	report, err := s.try(replica.SyncOptions{})
	if err != nil {
		s.t.Fatalf("%s: sync: %v", s.actor, err)
	}
	return report
}

// share publishes to origin for the first time.
func (s *site) share() replica.Report {
	s.t.Helper()
	report, err := s.try(replica.SyncOptions{Publish: true})
	if err != nil {
		s.t.Fatalf("%s: publish: %v", s.actor, err)
	}
	return report
}

// commit makes one operation of each draft's, in a session.
func (s *site) commit(session string, drafts ...*op.Operation) []*op.Operation {
	s.t.Helper()
	w := s.open(session)
	defer w.Close()
	made, err := w.Commit(s.t.Context(), func(*workspace.Tx) ([]workspace.Draft, error) {
		var all []workspace.Draft
		for _, o := range drafts {
			all = append(all, workspace.Draft{Op: o})
		}
		return all, nil
	})
	if err != nil {
		s.t.Fatalf("%s: %v", s.actor, err)
	}
	return made
}

func fields(pairs ...string) map[string]json.RawMessage {
	set := map[string]json.RawMessage{}
	for i := 0; i < len(pairs); i += 2 {
		set[pairs[i]] = op.Str(pairs[i+1])
	}
	return set
}

// create makes issues with these titles and returns their ids.
func (s *site) create(titles ...string) []string {
	s.t.Helper()
	var ids []string
	for _, title := range titles {
		id, err := op.NewIssueID("bd", rand.Reader)
		if err != nil {
			s.t.Fatal(err)
		}
		s.commit("", &op.Operation{Do: op.DoCreate, Issue: id, Set: fields("title", title)})
		ids = append(ids, id)
	}
	return ids
}

func (s *site) set(id string, pairs ...string) {
	s.t.Helper()
	s.commit("", &op.Operation{Do: op.DoUpdate, Issue: id, Set: fields(pairs...)})
}

func (s *site) claim(session, id string) *op.Operation {
	s.t.Helper()
	return s.commit(session, &op.Operation{
		Do: op.DoClaim, Issue: id, If: &op.Condition{Unassigned: true, Lease: 14400},
		Set: fields("assignee", s.actor, "status", "in_progress"),
	})[0]
}

// export is every visible issue as JSON, in the order of ids.
func (s *site) export() string {
	s.t.Helper()
	w := s.open("")
	defer w.Close()
	var b strings.Builder
	err := w.View(s.t.Context(), func(q *projection.Query) error {
		return q.Each(func(i issue.Issue) error {
			data, err := json.Marshal(&i)
			b.Write(data)
			b.WriteByte('\n')
			return err
		})
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return b.String()
}

// titles is what a new process sees, sorted.
func (s *site) titles() []string {
	s.t.Helper()
	w := s.open("")
	defer w.Close()
	var titles []string
	err := w.View(s.t.Context(), func(q *projection.Query) error {
		return q.Each(func(i issue.Issue) error {
			titles = append(titles, i.Title)
			return nil
		})
	})
	if err != nil {
		s.t.Fatal(err)
	}
	slices.Sort(titles)
	return titles
}

func (s *site) wantTitles(titles ...string) {
	s.t.Helper()
	slices.Sort(titles)
	if got := s.titles(); !slices.Equal(got, titles) {
		s.t.Errorf("%s has %q, want %q", s.actor, got, titles)
	}
}

// ref is where a ref of the site's repository is, "" if it has none.
func ref(dir, name string) string {
	out, err := try(dir, "rev-parse", "--verify", "--quiet", name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(out)
}

// equal fails unless all sites have the same issues and the same ref.
func equal(t testing.TB, all ...*site) {
	t.Helper()
	for _, s := range all[1:] {
		if a, b := all[0].export(), s.export(); a != b {
			t.Errorf("%s and %s differ:\n%s\n%s", all[0].actor, s.actor, a, b)
		}
	}
}

// settle syncs all sites until nothing moves.
func settle(t testing.TB, all ...*site) {
	t.Helper()
	for round := 0; ; round++ {
		quiet := true
		for _, s := range all {
			quiet = s.sync().Quiet() && quiet
		}
		if quiet {
			return
		}
		if round > 6 {
			t.Fatalf("still moving after %d rounds", round)
		}
	}
}

// plant puts a commit with these files on a ref of a repository, on top of what
// is there, as some other program would. An empty content removes the file.
func plant(t testing.TB, repo, name string, files map[string]string) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "commit %s\ncommitter x <x@invalid> 1 +0000\ndata 1\nx\n", name)
	if tip := ref(repo, name); tip != "" {
		fmt.Fprintf(&b, "from %s\n", tip)
	}
	for path, content := range files {
		if content == "" {
			fmt.Fprintf(&b, "D %s\n", path)
			continue
		}
		fmt.Fprintf(&b, "M 100644 inline %s\ndata %d\n%s\n", path, len(content), content)
	}
	cmd := exec.Command("git", "fast-import", "--quiet")
	cmd.Dir, cmd.Env, cmd.Stdin = repo, environment(), strings.NewReader(b.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("plant: %v\n%s", err, out)
	}
	return ref(repo, name)
}
