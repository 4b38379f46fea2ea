package acceptance

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var wholeRun = flag.Bool("whole", false, "run every case of the faults and threats, not a slice")

// A solo is a clone that nobody else has, with issues and everything that they
// are kept in: log, guard copy, database and Git ref.
func solo(t testing.TB) (c *clone, exported string) {
	t.Helper()
	c = newPlace(t).newClone("a")
	ids := []string{c.must("q", "one"), c.must("q", "two"), c.must("q", "three")}
	c.must("close", ids[0], "-r", "done")
	c.must("comments", "add", ids[1], "a remark")
	c.must("dep", "add", ids[1], ids[2])
	c.must("sync")
	return c, c.must("export")
}

func (c *clone) at(path ...string) string {
	return filepath.Join(append([]string{c.dir}, path...)...)
}

// whole demands that a new process sees what there was, can add to it, and that
// every copy is in order afterwards.
func (c *clone) whole(exported string) {
	c.t.Helper()
	if r := c.try("export"); r.code != 0 || strings.TrimRight(r.stdout, "\n") != exported {
		c.t.Errorf("exit code %d, exported\n%s\nwant\n%s\n%s", r.code, r.stdout, exported, r.stderr)
	}
	id := c.must("q", "after")
	if r := c.try("show", id, "--json"); r.code != 0 {
		c.t.Errorf("what was added is not there: %s", r.stderr)
	}
	c.must("delete", id, "--force")
	got := slices.DeleteFunc(strings.Split(c.must("export"), "\n"), func(line string) bool { return strings.Contains(line, id) })
	if got := strings.Join(got, "\n"); got != exported {
		c.t.Errorf("in the end exported\n%s\nwant\n%s", got, exported)
	}
	if r := c.try("doctor"); r.code != 0 {
		c.t.Errorf("doctor: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// loss is how a copy is lost; each leaves the others alone.
type loss struct {
	name string
	file func(t testing.TB, path string)
	ref  func(c *clone)
}

func losses() []loss {
	return []loss{
		{"removed", func(t testing.TB, path string) { must(t, os.RemoveAll(path)) },
			func(c *clone) { c.git(c.dir, "update-ref", "-d", "refs/beads/ops") }},
		{"emptied", func(t testing.TB, path string) { must(t, os.Truncate(path, 0)) },
			func(c *clone) { write(c.t, c.at(".git", "refs", "beads", "ops"), "") }},
		{"overwritten", func(t testing.TB, path string) {
			must(t, os.WriteFile(path, []byte(strings.Repeat("rubbish\n", 600)), 0o600))
		},
			func(c *clone) { write(c.t, c.at(".git", "refs", "beads", "ops"), strings.Repeat("de", 20)+"\n") }},
	}
}

// Log, guard copy, database and Git ref: whichever one, two or three of them
// are lost, by removal, by emptying or by rubbish in their place, the rest is
// enough, and all four are there again.
func TestAnyCopiesLost(t *testing.T) {
	t.Parallel()
	copies := []string{"log", "guard", "database", "ref"}
	for set := 1; set < 1<<len(copies)-1; set++ {
		for n, how := range losses() {
			if !*wholeRun && set%3 != n {
				continue
			}
			var names []string
			for n, name := range copies {
				if set&(1<<n) != 0 {
					names = append(names, name)
				}
			}
			t.Run(strings.Join(names, " and ")+" "+how.name, func(t *testing.T) {
				t.Parallel()
				c, exported := solo(t)
				for _, name := range names {
					switch name {
					case "log":
						how.file(t, c.at(".beads", "issues.jsonl"))
					case "guard":
						how.file(t, c.at(".git", "beads", "issues.jsonl"))
					case "database":
						for _, suffix := range []string{"-wal", "-shm"} {
							must(t, os.RemoveAll(c.at(".beads", "beads.db"+suffix)))
						}
						how.file(t, c.at(".beads", "beads.db"))
					case "ref":
						how.ref(c)
					}
				}
				c.whole(exported)
				c.must("sync")
				for _, path := range []string{c.at(".beads", "issues.jsonl"), c.at(".git", "beads", "issues.jsonl")} {
					data, err := os.ReadFile(path)
					must(t, err)
					if n := strings.Count(string(data), `{"op":"`); n != 9 {
						t.Errorf("%s has %d operations, want 9", path, n)
					}
				}
				c.must("sync", "--publish")
				if got := c.newClone("b").must("export"); got != c.must("export") {
					t.Errorf("a fresh clone gets\n%s", got)
				}
				c.git(c.dir, "fsck", "--strict")
			})
		}
	}
}

// What people and scripts do to a working copy, each time with a daemon and
// without: the next command has everything.
func TestWorkingCopyWiped(t *testing.T) {
	t.Parallel()
	for name, wipe := range map[string]func(c *clone){
		"git clean -fdx": wipeUntracked,
		"rm -rf .beads": func(c *clone) {
			eventually(c.t, ".beads can be removed", func() bool { return os.RemoveAll(c.at(".beads")) == nil })
		},
		"git stash -a":      stashAll,
		"git reset --hard":  func(c *clone) { c.git(c.dir, "reset", "-q", "--hard") },
		"git checkout -f":   func(c *clone) { c.git(c.dir, "checkout", "-qf", "--orphan", "other") },
		"stash and back":    func(c *clone) { stashAll(c); c.must("q", "between"); c.must("count") },
		"rm .beads/* twice": func(c *clone) { wipeFiles(c); c.must("count"); wipeFiles(c) },
	} {
		for _, daemon := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, daemon: %t", name, daemon), func(t *testing.T) {
				t.Parallel()
				c, exported := solo(t)
				write(t, c.at("a.txt"), "dirty\n")
				if daemon {
					c.startDaemon()
					c.serving()
				}
				wipe(c)
				if name == "stash and back" {
					c.wait() // its lock was stashed away, so it leaves; until then it may write between rm and git
					exported = c.must("export")
					must(t, os.RemoveAll(c.at(".beads"))) // what is there now was made since
					write(t, c.at("a.txt"), "a\n")
					c.git(c.dir, "stash", "pop", "-q")
				}
				c.stop()
				c.whole(exported)
			})
		}
	}
}

// A daemon may put a file back into a directory while it is being removed: rm and
// git clean then say that it is not empty, and people try once more.
func wipeUntracked(c *clone) {
	eventually(c.t, "git clean ends well", func() bool {
		_, err := c.tryGit(c.dir, "clean", "-ffdxq")
		return err == nil
	})
}

// stashAll is git stash -a, which is a stash, a clean and a reset.
func stashAll(c *clone) {
	if _, err := c.tryGit(c.dir, "stash", "-q", "-a"); err != nil {
		c.git(c.dir, "rev-parse", "--verify", "stash@{0}")
		wipeUntracked(c)
		c.git(c.dir, "reset", "-q", "--hard")
	}
}

func wipeFiles(c *clone) {
	files, err := filepath.Glob(c.at(".beads", "*"))
	must(c.t, err)
	for _, file := range files {
		must(c.t, os.RemoveAll(file))
	}
}
