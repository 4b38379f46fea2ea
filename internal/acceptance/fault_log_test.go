package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// record is a line of upstream's snapshot.
func record(id, title, updated string) string {
	return fmt.Sprintf(`{"id":%q,"title":%q,"status":"open","priority":2,"issue_type":"task","created_at":"2026-01-01T00:00:00Z","updated_at":%q}`+"\n", id, title, updated)
}

// Upstream was run in our workspace: it has rewritten the log as a snapshot of
// what it knew, in one rename, and made its own tables in the database, or put
// its own in its place. Our operations come back, its records are taken in, its
// database is kept under another name, and all of it is said once.
func TestUpstreamRunHere(t *testing.T) {
	t.Parallel()
	for _, beside := range []bool{false, true} {
		for _, daemon := range []bool{false, true} {
			t.Run(fmt.Sprintf("its own database: %t, daemon: %t", !beside, daemon), func(t *testing.T) {
				t.Parallel()
				c, exported := solo(t)
				if daemon {
					c.startDaemon()
					c.serving()
				}
				db := c.at(".beads", "beads.db")
				theirs := db
				if !beside {
					theirs = c.at("theirs.db") // and renamed, for a daemon may make ours anew at any time
				}
				conn, err := sqlite.OpenConn(theirs, sqlite.OpenReadWrite|sqlite.OpenCreate)
				must(t, err)
				must(t, sqlitex.ExecuteScript(conn, "CREATE TABLE issues (id TEXT PRIMARY KEY, title TEXT); CREATE TABLE dirty_issues (issue_id TEXT); INSERT INTO issues VALUES ('up-1', 'theirs')", nil))
				must(t, conn.Close())
				if !beside {
					for _, suffix := range []string{"-wal", "-shm"} {
						must(t, os.RemoveAll(db+suffix))
					}
					must(t, os.Rename(theirs, db))
				}
				write(t, c.at("new"), record("up-1", "theirs", "2026-01-02T00:00:00Z"))
				must(t, os.Rename(c.at("new"), c.at(".beads", "issues.jsonl")))
				var said strings.Builder
				for range 4 {
					r := c.try("list", "--all")
					if r.code != 0 || !strings.Contains(r.stdout, "theirs") || !strings.Contains(r.stdout, "three") {
						t.Errorf("exit code %d\n%s%s", r.code, r.stdout, r.stderr)
					}
					said.WriteString(r.stderr)
				}
				if n := strings.Count(said.String(), "set aside"); n > 1 || n == 0 && !daemon {
					t.Errorf("it was said %d times that a database was set aside:\n%s", n, said.String())
				}
				kept, err := filepath.Glob(db + ".foreign-*")
				must(t, err)
				kept = slices.DeleteFunc(kept, func(path string) bool { return strings.HasSuffix(path, "-wal") || strings.HasSuffix(path, "-shm") })
				if len(kept) != 1 {
					t.Errorf("kept under another name: %q", kept)
				}
				c.stop()
				got := c.must("export")
				for line := range strings.SplitSeq(exported, "\n") {
					if !strings.Contains(got, line) {
						t.Errorf("%s is not in\n%s", line, got)
					}
				}
				c.whole(got)
			})
		}
	}
}

// A tracked issues.jsonl that git pull changes: what is new in it is taken in,
// it is never written, and git status stays clean, with a daemon too.
func TestTrackedSnapshotPulled(t *testing.T) {
	t.Parallel()
	for _, daemon := range []bool{false, true} {
		t.Run(fmt.Sprintf("daemon: %t", daemon), func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			mate := filepath.Join(p.dir, "seed")
			snapshot := filepath.Join(mate, ".beads", "issues.jsonl")
			must(t, os.MkdirAll(filepath.Dir(snapshot), 0o700))
			publish := func(text string) {
				write(t, snapshot, text)
				p.git(mate, "add", "-f", ".beads/issues.jsonl")
				p.git(mate, "commit", "-qm", "issues")
				p.git(mate, "push", "-q", p.bare, "HEAD:refs/heads/main")
			}
			publish(record("up-1", "theirs", "2026-01-02T00:00:00Z"))
			c := p.newClone("a")
			if daemon {
				c.startDaemon()
				c.serving()
			}
			c.must("q", "ours")
			for n := range 3 {
				publish(record("up-1", fmt.Sprintf("theirs %d", n), fmt.Sprintf("2026-01-03T00:00:0%dZ", n)) + record(fmt.Sprintf("up-n%d", n), "another", "2026-01-03T00:00:00Z"))
				p.git(c.dir, "pull", "-q", "--ff-only")
				list := c.must("list", "--all")
				if !strings.Contains(list, fmt.Sprintf("theirs %d", n)) || !strings.Contains(list, "ours") || strings.Count(list, "another") != n+1 {
					t.Errorf("after pull %d:\n%s", n, list)
				}
				c.must("update", "up-1", "--append-notes", "seen")
				want, err := os.ReadFile(snapshot)
				must(t, err)
				got, err := os.ReadFile(c.at(".beads", "issues.jsonl"))
				if err != nil || string(got) != string(want) {
					t.Errorf("the tracked file was written: %q, %v", got, err)
				}
				if got := p.git(c.dir, "status", "--porcelain", "--ignored"); got != "" {
					t.Errorf("git status shows %s", got)
				}
			}
			c.stop()
		})
	}
}

// A working copy that was copied with cp -r, with its Git directory or without:
// both go on, with daemons, and come to the same once they meet.
func TestWorkspaceCopied(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	c := p.newClone("a", "--publish")
	c.must("q", "before")
	c.startDaemon()
	c.serving()
	all := []*clone{c}
	for _, name := range []string{"whole", "again"} {
		copied := &clone{place: p, name: name, dir: filepath.Join(p.dir, name), env: []string{"BD_ACTOR=" + name}}
		if out, err := exec.Command("cp", "-r", c.dir, copied.dir).CombinedOutput(); err != nil && !strings.Contains(string(out), "sock") {
			t.Logf("cp -r: %v\n%s", err, out)
		}
		copied.startDaemon()
		copied.serving()
		all = append(all, copied)
	}
	files := p.newClone("files")
	must(t, os.RemoveAll(files.at(".beads")))
	if out, err := exec.Command("cp", "-r", c.at(".beads"), files.at(".beads")).CombinedOutput(); err != nil {
		t.Logf("cp -r: %v\n%s", err, out)
	}
	all = append(all, files)
	for _, c := range all {
		c.must("q", "of "+c.name)
		if out := c.must("list"); !strings.Contains(out, "before") {
			t.Errorf("%s: %s", c.name, out)
		}
	}
	for _, c := range all {
		c.stop()
	}
	p.settle(all...)
	if got := p.equal(all...); strings.Count(got, `"title"`) != len(all)+1 {
		t.Errorf("exported\n%s", got)
	}
}
