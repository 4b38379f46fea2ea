package replica_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"beads/internal/replica"
	"beads/internal/workspace"
)

var failingGit = flag.Int("failing.git", 1, "how many calls of git fail for each step and each kind of failure; 0: each")

// badGit is a git that fails at its n-th call, or from there on. It counts in a
// file beside it, and what it does instead is in another.
const badGit = `#!/bin/sh
here=${0%/*}
read -r at kind good < "$here/fault"
n=$(($(cat "$here/count") + 1))
echo $n > "$here/count"
if [ $n -eq $at ] || { [ $good = true ] && [ $n -gt $at ]; }; then
	echo $n >> "$here/struck"
	case $kind in
	fails) cat > /dev/null; echo 'fatal: write error: No space left on device' >&2; exit 128 ;;
	denied) echo 'fatal: Unable to create .git/refs: Permission denied' >&2; exit 128 ;;
	killed) kill -9 $$ ;;
	silent) cat > /dev/null; exit 0 ;;
	garbage) cat > /dev/null; head -c 3000 /dev/urandom; exit 0 ;;
	torn) "$REAL_GIT" "$@" | head -c 30; exit 0 ;;
	late) "$REAL_GIT" "$@"; exit 1 ;;
	hangs) exec sleep 1000 ;;
	esac
fi
exec "$REAL_GIT" "$@"
`

// faultyGit makes calls of git fail.
type faultyGit struct{ dir string }

func newFaultyGit(t *testing.T) *faultyGit {
	t.Helper()
	g := &faultyGit{scratch(t)}
	executable(t, g.program(), badGit)
	return g
}

func (g *faultyGit) program() string { return filepath.Join(g.dir, "git") }

// arm lets the n-th call from now on fail; 0: none.
func (g *faultyGit) arm(t *testing.T, n int, kind string, forGood bool) {
	t.Helper()
	must(t, os.WriteFile(filepath.Join(g.dir, "fault"), fmt.Appendf(nil, "%d %s %v\n", n, kind, forGood), 0o644))
	must(t, os.WriteFile(filepath.Join(g.dir, "count"), []byte("0\n"), 0o644))
	must(t, os.RemoveAll(filepath.Join(g.dir, "struck")))
}

func (g *faultyGit) calls(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(g.dir, "count"))
	must(t, err)
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	must(t, err)
	return n
}

func (g *faultyGit) struck() bool {
	_, err := os.Stat(filepath.Join(g.dir, "struck"))
	return err == nil
}

// Each call of git that a step makes fails in each way: it says so, dies, does
// nothing and says nothing, answers garbage or half, does it and fails, or hangs.
// Whatever a step then reports, when the fault is gone the next steps bring
// everything everywhere.
func TestEveryFailingGit(t *testing.T) {
	t.Parallel()
	real, err := exec.LookPath("git")
	must(t, err)
	var total, acknowledged int
	for nth, step := range []struct {
		name string
		do   func(*replica.Replica, *testing.T) (replica.Report, error)
	}{
		{"sync", func(r *replica.Replica, t *testing.T) (replica.Report, error) {
			return r.Sync(t.Context(), replica.SyncOptions{})
		}},
		{"publish to a remote", func(r *replica.Replica, t *testing.T) (replica.Report, error) {
			return r.Sync(t.Context(), replica.SyncOptions{Publish: true})
		}},
		{"join", func(r *replica.Replica, t *testing.T) (replica.Report, error) {
			return r.Sync(t.Context(), replica.SyncOptions{Join: true})
		}},
		{"look", func(r *replica.Replica, t *testing.T) (replica.Report, error) {
			return r.Sync(t.Context(), replica.SyncOptions{Look: true})
		}},
		{"publish", func(r *replica.Replica, t *testing.T) (replica.Report, error) { return r.Publish(t.Context()) }},
		{"fetch", func(r *replica.Replica, t *testing.T) (replica.Report, error) { return r.Fetch(t.Context()) }},
		{"push", func(r *replica.Replica, t *testing.T) (replica.Report, error) { return r.Push(t.Context()) }},
		{"recover", func(r *replica.Replica, t *testing.T) (replica.Report, error) { return r.Recover(t.Context()) }},
	} {
		t.Run(step.name, func(t *testing.T) {
			_, all := sites(t, 2)
			a, b := all[0], all[1]
			a.create("one")
			a.share()
			b.share()
			settle(t, a, b)
			bad := newFaultyGit(t)
			a.env = append(a.env, "REAL_GIT="+real)
			want := a.titles()
			// attempt lets the step do something under a fault.
			attempt := func(n int, kind string, forGood bool) {
				here, there := fmt.Sprintf("here, %s at %d", kind, n), fmt.Sprintf("there, %s at %d", kind, n)
				a.create(here)
				b.create(there)
				want = append(want, here, there)
				b.sync()
				bad.arm(t, n, kind, forGood)
				a.with(func(_ *workspace.Workspace, r *replica.Replica) {
					report, err := step.do(r, t)
					if err != nil && strings.Count(err.Error(), "git push: ") > 1 {
						t.Errorf("said twice: %v", err)
					}
					if err == nil && bad.struck() && forGood && kind == "fails" && report.Pushed > 0 {
						t.Errorf("%s at %d: %d operations pushed by a git that does nothing", kind, n, report.Pushed)
					}
				})
			}
			a.program, a.deadline = bad.program(), 20*time.Second
			attempt(0, "none", false)
			calls := bad.calls(t)
			for k, kind := range []string{"fails", "denied", "killed", "silent", "garbage", "torn", "late", "hangs"} {
				for _, forGood := range []bool{false, true} {
					stride := 1
					if *failingGit > 0 { // and each step meets two of the kinds
						stride = max(1, calls / *failingGit)
						if (k+nth)%4 != 0 {
							continue
						}
					}
					for n := 1 + (total*7)%stride; n <= calls; n += stride {
						a.program, a.deadline = bad.program(), 20*time.Second
						if a.local = 20 * time.Second; kind == "hangs" {
							a.deadline, a.local = 200*time.Millisecond, 200*time.Millisecond
						}
						attempt(n, kind, forGood)
						if bad.struck() {
							total++
						}
						a.program, a.deadline, a.local = "", 0, 0
						settle(t, a, b)
						if t.Failed() {
							t.Fatalf("after git %s at call %d of %d, for good %v", kind, n, calls, forGood)
						}
					}
				}
			}
			equal(t, a, b)
			a.wantTitles(want...)
			b.wantTitles(want...)
			run(t, a.dir, "fsck", "--strict")
			acknowledged += len(want)
		})
	}
	t.Logf("counts: done=%d faults=%d acknowledged=%d lost=0", total, total, acknowledged)
}
