package acceptance

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

var (
	rounds     = flag.Uint64("rounds", 1, "how many seeds TestConvergence tries")
	firstSeed  = flag.Uint64("seed", 1, "the first of them")
	operations = flag.Int("operations", 20, "how many operations each clone of TestConvergence gets acknowledged")
)

// Three clones work at once, on issues of their own and of the others, while
// their daemons are stopped, killed and started again. When it is quiet all
// three export the same bytes, and every operation that a command acknowledged
// is there. A failing seed is run again with -seed=N.
func TestConvergence(t *testing.T) {
	for seed := *firstSeed; seed < *firstSeed+*rounds; seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { converge(t, seed) })
	}
}

func converge(t *testing.T, seed uint64) {
	p := newPlace(t)
	first := p.newClone("a", "--publish")
	var common []string
	for n := range 4 {
		common = append(common, first.must("q", fmt.Sprintf("common %d", n)))
	}
	first.sync()
	all := []*clone{first, p.newClone("b"), p.newClone("c")}
	var busy sync.WaitGroup
	workers := make([]*worker, len(all))
	for n, c := range all {
		w := &worker{clone: c, r: rand.New(rand.NewPCG(seed, uint64(n))), known: slices.Clone(common)}
		workers[n] = w
		step := make(chan struct{}, 1)
		busy.Go(func() { defer close(step); w.work(step) })
		busy.Go(func() { disturb(c, rand.New(rand.NewPCG(seed, 100+uint64(n))), step, &w.restarts) })
	}
	busy.Wait()
	if t.Failed() {
		return
	}
	p.settle(all...)
	for _, c := range all {
		c.stop()
	}
	p.settle(all...)
	exported := p.equal(all...)
	fresh := p.newClone("d")
	p.equal(first, fresh)
	check(t, exported, workers, append(all, fresh))
	for _, c := range all {
		if r := c.try("doctor"); r.code != 0 {
			t.Errorf("doctor in %s: exit code %d\n%s%s", c.name, r.code, r.stdout, r.stderr)
		}
	}
}

// disturb stops, kills and starts the daemon of a clone, each time after some
// commands, while the next one runs.
func disturb(c *clone, r *rand.Rand, step <-chan struct{}, restarts *[3]int) {
	patience := 0
	for range step {
		if patience--; patience > 0 {
			continue
		}
		patience = 1 + r.IntN(8)
		switch {
		case c.daemon == nil:
			c.startDaemon()
			restarts[0]++
		case r.IntN(2) == 0:
			c.stop()
			restarts[1]++
		default:
			c.kill()
			restarts[2]++
		}
	}
}

// acknowledged is what a command that exited with 0 has promised.
type acknowledged struct {
	session string // of this command alone, so it finds the operation in the log
	issue   string
	title   string // of a created one
	note    string
	comment string
	label   string // added
	gone    string // label, or type of a dependency, that was removed
	dep     string // type of a dependency, of this command alone
	to      string // its target
	deleted bool
}

// worker runs the commands of one clone, one after another.
type worker struct {
	*clone
	r         *rand.Rand
	known     []string // issues
	acked     []acknowledged
	unwritten []string // sessions of what was refused, or was so already
	restarts  [3]int   // daemons started, stopped, killed
}

func (w *worker) work(step chan<- struct{}) {
	for n := 0; len(w.acked) < *operations && !w.t.Failed(); n++ {
		w.one(fmt.Sprintf("%s%d", w.name, n))
		step <- struct{}{}
	}
}

// one runs one random command. Every text in it is the session's name, so that
// it can be found again.
func (w *worker) one(session string) {
	id := w.known[w.r.IntN(len(w.known))]
	a := acknowledged{session: session, issue: id}
	var args []string
	switch n := w.r.IntN(100); {
	case n < 25:
		a.issue, a.title = "", session
		args = []string{"create", session, "--silent", "-p", fmt.Sprint(w.r.IntN(5))}
	case n < 35:
		field := []string{"--title", "--design", "--acceptance", "--description", "--owner"}[w.r.IntN(5)]
		args = []string{"update", id, field, session}
	case n < 47:
		a.note = session
		args = []string{"update", id, "--append-notes", session}
	case n < 57:
		a.label = session
		args = []string{"label", "add", id, session}
	case n < 69:
		a.comment = session
		args = []string{"comments", "add", id, session}
	case n < 77:
		a.dep, a.to = session, w.known[w.r.IntN(len(w.known))]
		if a.to == id {
			a.to = w.known[(slices.Index(w.known, id)+1)%len(w.known)]
		}
		args = []string{"dep", "add", id, a.to, "-t", session}
	case n < 82:
		args = w.removal(&a)
	case n < 88:
		args = []string{"update", id, "--claim"}
	case n < 93:
		args = []string{"close", id, "-r", session}
	case n < 97:
		args = []string{"reopen", id}
	default:
		a.deleted = true
		args = []string{"delete", id, "--force"}
	}
	if args != nil {
		w.do(a, args)
	}
}

// removal takes back a label or a dependency that this clone has added; nil if
// there is none.
func (w *worker) removal(a *acknowledged) []string {
	for _, before := range w.acked {
		taken := slices.ContainsFunc(w.acked, func(a acknowledged) bool { return a.gone == before.session })
		switch {
		case taken:
		case before.label != "":
			a.issue, a.gone = before.issue, before.label
			return []string{"label", "remove", a.issue, a.gone}
		case before.dep != "":
			a.issue, a.gone = before.issue, before.dep
			return []string{"dep", "remove", a.issue, before.to, "-t", a.gone}
		}
	}
	return nil
}

func (w *worker) do(a acknowledged, args []string) {
	r := w.run([]string{"BD_SESSION=" + a.session}, args...)
	switch {
	case r.code != 0:
		known := func(reason string) bool { return strings.Contains(r.stderr, reason) }
		if !slices.ContainsFunc([]string{" is claimed by ", " is closed", " is deleted"}, known) {
			w.t.Errorf("%s: bd %q: exit code %d\n%s", w.name, args, r.code, r.stderr)
		}
		w.unwritten = append(w.unwritten, a.session)
		return
	case strings.HasPrefix(r.stdout, "Already "), strings.HasPrefix(r.stdout, "Not closed "):
		w.unwritten = append(w.unwritten, a.session)
		return
	case a.title != "":
		a.issue = strings.TrimSpace(r.stdout)
		w.known = append(w.known, a.issue)
	}
	w.acked = append(w.acked, a)
}

// exportedIssue is what the checks need of a line of bd export.
type exportedIssue struct {
	ID           string
	Status       string
	Notes        string
	Labels       []string
	Comments     []struct{ Text string }
	Dependencies []struct{ Type string }
}

func (i exportedIssue) has(a acknowledged) bool {
	comment := func(c struct{ Text string }) bool { return c.Text == a.comment }
	dep := func(d struct{ Type string }) bool { return d.Type == a.dep }
	return (a.note == "" || slices.Contains(strings.Split(i.Notes, "\n\n"), a.note)) &&
		(a.label == "" || slices.Contains(i.Labels, a.label)) &&
		(a.comment == "" || slices.ContainsFunc(i.Comments, comment)) &&
		(a.dep == "" || slices.ContainsFunc(i.Dependencies, dep))
}

// check demands that every acknowledged operation is in what was exported and
// in every log, and that no log has what was refused.
func check(t *testing.T, exported string, workers []*worker, all []*clone) {
	t.Helper()
	issues := map[string]exportedIssue{}
	for line := range strings.Lines(exported) {
		var i exportedIssue
		must(t, json.Unmarshal([]byte(line), &i))
		issues[i.ID] = i
	}
	deleted, gone := map[string]bool{}, map[string]bool{}
	total, unwritten, started, stopped, killed := 0, 0, 0, 0, 0
	for _, w := range workers {
		for _, a := range w.acked {
			deleted[a.issue] = deleted[a.issue] || a.deleted
			gone[a.gone] = true
		}
		total, unwritten = total+len(w.acked), unwritten+len(w.unwritten)
		started, stopped, killed = started+w.restarts[0], stopped+w.restarts[1], killed+w.restarts[2]
	}
	for _, w := range workers {
		for _, a := range w.acked {
			issue, there := issues[a.issue]
			switch {
			case deleted[a.issue]:
				if issue.Status != "tombstone" {
					t.Errorf("%s was deleted and has status %q", a.issue, issue.Status)
				}
			case !there:
				t.Errorf("%s is missing (%+v)", a.issue, a)
			case gone[a.session]:
				if issue.has(a) {
					t.Errorf("%s: what was removed is there (%+v)", a.issue, a)
				}
			case !issue.has(a):
				t.Errorf("%s lacks %+v: %+v", a.issue, a, issue)
			}
		}
	}
	lost := 0
	for _, c := range all {
		log, err := os.ReadFile(filepath.Join(c.dir, ".beads", "issues.jsonl"))
		must(t, err)
		for _, w := range workers {
			for _, a := range w.acked {
				if !strings.Contains(string(log), `"session":"`+a.session+`"`) {
					lost++
					t.Errorf("%s: the log lacks %+v", c.name, a)
				}
			}
			for _, session := range w.unwritten {
				if strings.Contains(string(log), `"session":"`+session+`"`) {
					t.Errorf("%s: the log has what was not to be written, %s", c.name, session)
				}
			}
		}
	}
	t.Logf("%d operations acknowledged, %d refused or without effect; daemons: %d started, %d stopped, %d killed", total, unwritten, started, stopped, killed)
	t.Logf("counts: done=1 faults=%d acknowledged=%d lost=%d", killed, total, lost) // see ./torture
}
