package acceptance

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

var (
	linearOps    = flag.Int("linear", 5, "how many commands each of the 50 writers of TestLinearizable runs")
	linearIssues = flag.Int("linear-issues", 0, "on how many issues; 0: one for 15 commands")
)

// A request is a command on one issue, as the model understands it.
type request struct {
	issue, verb, who string
	title            string // of an update
}

// An answer is what the command said. Nothing is known of a killed one: it may
// or may not have happened.
type answer struct {
	killed bool
	said   string // done, noop, closed, or "held by NAME"; of a show: what it showed
}

// slot is an issue as the commands of this test can change it.
type slot struct{ holder, status, title string }

func (s slot) String() string { return s.holder + "|" + s.status + "|" + s.title }

// next is what a command makes of an issue, and says.
func (s slot) next(r request) (slot, string) {
	switch r.verb {
	case "claim":
		switch {
		case s.status == "closed":
			return s, "closed"
		case s.holder != "" && s.holder != r.who:
			return s, "held by " + s.holder
		}
		return slot{r.who, "in_progress", s.title}, "done"
	case "unclaim":
		switch {
		case s.holder == "":
			return s, "noop"
		case s.holder != r.who:
			return s, "held by " + s.holder
		}
		if s.holder = ""; s.status == "in_progress" {
			s.status = "open"
		}
		return s, "done"
	case "close":
		if s.status == "closed" {
			return s, "noop"
		}
		s.status = "closed"
		return s, "done"
	case "reopen":
		if s.status != "closed" {
			return s, "noop"
		}
		s.status = "open"
		return s, "done"
	case "update":
		s.title = r.title
		return s, "done"
	}
	return s, s.String() // show
}

func model() porcupine.Model {
	return porcupine.Model{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			by := map[string][]porcupine.Operation{}
			for _, o := range history {
				issue := o.Input.(request).issue
				by[issue] = append(by[issue], o)
			}
			var parts [][]porcupine.Operation
			for _, part := range by {
				parts = append(parts, part)
			}
			return parts
		},
		Init: func() any { return slot{status: "open", title: "contended"} },
		Step: func(state, input, output any) (bool, any) {
			after, said := state.(slot).next(input.(request))
			out := output.(answer)
			return out.killed || out.said == said, after
		},
		DescribeOperation: func(input, output any) string {
			return fmt.Sprintf("%+v -> %+v", input, output)
		},
	}
}

// Fifty writers in processes of their own claim, give back, close, reopen and
// rename the same few issues; some are killed. What they were told is what one
// after the other, in some order that agrees with the clock, would have been
// told: each command takes effect at one moment between its start and its end.
func TestLinearizable(t *testing.T) {
	p := newPlace(t)
	c := p.newClone("a")
	const writers = 50
	issues := *linearIssues
	if issues == 0 {
		issues = max(4, writers**linearOps/15)
	}
	var ids []string
	for range issues {
		ids = append(ids, c.must("q", "contended"))
	}
	start := time.Now()
	var mu sync.Mutex
	var history []porcupine.Operation
	var busy sync.WaitGroup
	for n := range writers {
		busy.Go(func() {
			r := rand.New(rand.NewPCG(*firstSeed, uint64(n)))
			who := fmt.Sprintf("w%02d", n)
			for k := range *linearOps {
				in := request{issue: ids[r.IntN(len(ids))], who: who, title: fmt.Sprintf("%s-%d", who, k)}
				in.verb = []string{"claim", "claim", "claim", "unclaim", "close", "reopen", "update", "show"}[r.IntN(8)]
				var fuse time.Duration // 0: it is left alone
				if r.IntN(8) == 0 {
					fuse = time.Duration(1+r.IntN(300)) * time.Millisecond
				}
				called := time.Since(start)
				out := c.ask(in, fuse)
				o := porcupine.Operation{ClientId: n, Input: in, Call: int64(called), Output: out, Return: int64(time.Since(start))}
				if out.killed {
					o.Return = math.MaxInt64 // what it has begun may take effect whenever somebody reads the log
				}
				mu.Lock()
				history = append(history, o)
				mu.Unlock()
			}
		})
	}
	busy.Wait()
	if t.Failed() {
		return
	}
	said := map[string]int{}
	for _, o := range history {
		word, _, _ := strings.Cut(o.Output.(answer).said, " ")
		if o.Input.(request).verb == "show" {
			word = "shown"
		}
		if o.Output.(answer).killed {
			word = "killed"
		}
		said[word]++
	}
	result, info := porcupine.CheckOperationsVerbose(model(), history, 10*time.Minute)
	t.Logf("%d commands on %d issues in %v: %v; %s", len(history), issues, time.Since(start).Round(time.Millisecond), said, result)
	if result != porcupine.Ok {
		for _, o := range history {
			t.Logf("%d..%d %+v -> %+v", o.Call, o.Return, o.Input, o.Output)
		}
		path := t.ArtifactDir() + "/history.html"
		if err := porcupine.VisualizePath(model(), info, path); err == nil {
			t.Logf("drawn in %s (go test -artifacts keeps it)", path)
		}
		t.Errorf("the commands did not happen one after another: %s", result)
	}
	if r := c.try("doctor"); r.code != 0 {
		t.Errorf("doctor: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// ask runs one command as a process, which is killed after fuse if it still
// runs.
func (c *clone) ask(in request, fuse time.Duration) answer {
	args := map[string][]string{
		"claim": {"update", in.issue, "--claim"}, "unclaim": {"unclaim", in.issue}, "close": {"close", in.issue}, "reopen": {"reopen", in.issue},
		"update": {"update", in.issue, "--title", in.title}, "show": {"show", in.issue, "--json"},
	}[in.verb]
	var stdout, stderr strings.Builder
	cmd := c.command([]string{"BD_ACTOR=" + in.who, "BD_SESSION=" + in.who}, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		c.t.Error(err)
		return answer{killed: true}
	}
	if fuse > 0 {
		defer time.AfterFunc(fuse, func() { _ = cmd.Process.Kill() }).Stop() // a child that was not waited for yet, or an error
	}
	_ = cmd.Wait() // its end is asked of its state
	switch code := cmd.ProcessState.ExitCode(); {
	case code < 0:
		return answer{killed: true}
	case code == 0 && in.verb == "show":
		return answer{said: c.shown(stdout.String())}
	case code == 0:
		for _, nothing := range []string{"Not claimed ", "Already closed ", "Not closed "} {
			if strings.HasPrefix(stdout.String(), nothing) {
				return answer{said: "noop"}
			}
		}
		return answer{said: "done"}
	case strings.Contains(stderr.String(), " is closed"):
		return answer{said: "closed"}
	}
	_, holder, ok := strings.Cut(stderr.String(), " is claimed by ")
	holder, _, _ = strings.Cut(holder, " ")
	if !ok {
		c.t.Errorf("bd %q: exit code %d: %s", args, cmd.ProcessState.ExitCode(), stderr.String())
	}
	return answer{said: "held by " + holder}
}

// shown is an issue as bd show --json has it.
func (c *clone) shown(text string) string {
	var list []struct{ Assignee, Status, Title string }
	if err := json.Unmarshal([]byte(text), &list); err != nil || len(list) != 1 {
		c.t.Errorf("bd show --json: %v: %s", err, text)
		return ""
	}
	return slot{list[0].Assignee, list[0].Status, list[0].Title}.String()
}

// A history that no order explains is found to be none, so that the test above
// can fail: two who were both told that they have the issue, and a show that
// brings back what was overwritten before it began.
func TestLinearizableSees(t *testing.T) {
	op := func(client int, call, end int64, verb, who, said string) porcupine.Operation {
		return porcupine.Operation{ClientId: client, Input: request{issue: "bd-1", verb: verb, who: who, title: who}, Call: call, Output: answer{said: said, killed: said == ""}, Return: end}
	}
	for name, c := range map[string]struct {
		history []porcupine.Operation
		want    bool
	}{
		"one after another":       {[]porcupine.Operation{op(1, 0, 1, "claim", "a", "done"), op(2, 2, 3, "claim", "b", "held by a")}, true},
		"two winners":             {[]porcupine.Operation{op(1, 0, 5, "claim", "a", "done"), op(2, 1, 4, "claim", "b", "done")}, false},
		"two, one gave it back":   {[]porcupine.Operation{op(1, 0, 5, "claim", "a", "done"), op(2, 1, 9, "claim", "b", "done"), op(1, 6, 7, "unclaim", "a", "done")}, true},
		"a lost claim":            {[]porcupine.Operation{op(1, 0, 1, "claim", "a", "done"), op(2, 2, 3, "show", "b", "|open|contended")}, false},
		"a stale show":            {[]porcupine.Operation{op(1, 0, 1, "update", "a", "done"), op(1, 2, 3, "update", "b", "done"), op(2, 4, 5, "show", "c", "|open|a")}, false},
		"killed, and it happened": {[]porcupine.Operation{op(1, 0, math.MaxInt64, "claim", "a", ""), op(2, 2, 3, "claim", "b", "held by a")}, true},
		"killed, and it did not":  {[]porcupine.Operation{op(1, 0, math.MaxInt64, "claim", "a", ""), op(2, 2, 3, "claim", "b", "done")}, true},
		"killed, then both": {[]porcupine.Operation{op(1, 0, math.MaxInt64, "claim", "a", ""), op(2, 2, 3, "claim", "b", "held by a"),
			op(3, 4, 5, "claim", "c", "done")}, false},
	} {
		if got := porcupine.CheckOperations(model(), c.history); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}
