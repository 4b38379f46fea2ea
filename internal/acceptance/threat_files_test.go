package acceptance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// everyday are commands that read, write, exchange and look after a workspace.
func everyday() [][]string {
	if !*wholeRun {
		return [][]string{{"count"}, {"q", "new"}, {"daemon", "start"}, {"daemon", "stop"}, {"sync"}}
	}
	return [][]string{
		{"count"}, {"q", "new"}, {"config", "set", "output.color", "never"}, {"daemon", "status"}, {"daemon", "start"}, {"daemon", "logs"},
		{"daemon", "stop"}, {"sync"}, {"doctor"}, {"doctor", "--fix"}, {"init"}, {"recover"}, {"prime"}, {"info"}, {"daemons", "list"},
	}
}

// bounded runs bd, which must end by itself, and returns what it said.
func (c *clone) bounded(args ...string) result {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), waitLimit)
	defer cancel()
	var stdout, stderr bytes.Buffer
	model := c.command(nil, args...)
	cmd := exec.CommandContext(ctx, model.Path, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = model.Dir, model.Env, &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if ctx.Err() != nil || err != nil && !errors.As(err, &exit) {
		c.t.Fatalf("bd %q did not end: %v\n%s%s", args, err, stdout.String(), stderr.String())
	}
	if strings.Contains(stderr.String(), "goroutine ") {
		c.t.Errorf("bd %q: a panic:\n%s", args, stderr.String())
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// Each of our files in turn is a link to something precious, a pipe that nobody
// writes to, or a directory: what it leads to is not touched, no command hangs,
// whoever refuses names it, and once it is gone everything is there.
func TestLinksAndPipes(t *testing.T) {
	t.Parallel()
	names := []string{
		".beads/issues.jsonl", ".beads/config.yaml", ".beads/daemon.yaml", ".beads/routes.jsonl", ".beads/interactions.jsonl",
		".beads/beads.db", ".beads/beads.db-wal", ".beads/beads.db-shm", ".beads/beads.db-journal",
		".beads/db.lock", ".beads/.lock", ".beads/sync.lock", ".beads/daemon.log", ".beads/daemon.json", ".beads/.gitignore",
		".git/beads/issues.jsonl", ".git/beads/local.json", ".git/beads/config.yaml", ".git/beads/routes.jsonl",
	}
	kinds := map[string]func(path, precious string) error{
		"link":      func(path, precious string) error { return os.Symlink(precious, path) },
		"directory": func(path, _ string) error { return os.MkdirAll(filepath.Join(path, "sub"), 0o700) },
		"pipe":      func(path, _ string) error { return exec.Command("mkfifo", path).Run() },
	}
	for n, name := range names {
		for k, kind := range []string{"link", "pipe", "directory"} {
			if !*wholeRun && k != 0 && n%4 != k {
				continue
			}
			t.Run(kind+" "+name, func(t *testing.T) {
				t.Parallel()
				c, exported := solo(t)
				precious := filepath.Join(c.place.dir, "precious")
				write(t, precious, "precious\n")
				path := c.at(filepath.FromSlash(name))
				must(t, os.RemoveAll(path))
				if err := kinds[kind](path, precious); err != nil {
					t.Skipf("cannot be made here: %v", err)
				}
				for _, args := range everyday() {
					r := c.bounded(args...)
					refused := strings.Contains(r.stderr, "bd: error: ") && args[0] != "daemon" && args[0] != "doctor"
					if refused && !strings.Contains(r.stderr, filepath.Base(name)) && !strings.Contains(r.stderr, "beads.db") {
						t.Errorf("bd %q does not name it: %s", args, r.stderr)
					}
				}
				if text, err := os.ReadFile(precious); err != nil || string(text) != "precious\n" {
					t.Errorf("what the link leads to is now %q, %v", text, err)
				}
				must(t, os.RemoveAll(path))
				if got := c.must("export"); !strings.Contains(got, strings.Split(exported, "\n")[0]) {
					t.Errorf("afterwards exported\n%s\nwant\n%s", got, exported)
				}
				if r := c.try("doctor"); r.code != 0 && name != ".beads/.gitignore" {
					t.Errorf("doctor: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
				}
			})
		}
	}
}

// marks makes a program that leaves a mark, and says whether it was run.
func marks(t *testing.T, p *place) (program string, ran func() bool) {
	t.Helper()
	mark := filepath.Join(p.dir, "mark")
	program = filepath.Join(p.dir, "evil")
	write(t, program, "#!/bin/sh\ntouch '"+mark+"'\nexit 1\n")
	must(t, os.Chmod(program, 0o755))
	return program, func() bool { _, err := os.Lstat(mark); return err == nil }
}

// A cloned .beads that is a Git directory, or has one in it, with programs in
// its configuration: none is run, and the repository around it is what counts.
func TestBeadsIsAGitDirectory(t *testing.T) {
	t.Parallel()
	for _, where := range []string{".", ".git", "sub/.git"} {
		for _, before := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, before init: %t", where, before), func(t *testing.T) {
				t.Parallel()
				p := newPlace(t)
				program, ran := marks(t, p)
				c := &clone{place: p, name: "a", dir: filepath.Join(p.dir, "a"), env: []string{"BD_ACTOR=a"}}
				p.git(p.dir, "clone", "-q", p.bare, c.dir)
				if !before {
					c.must("init", "-q")
				}
				evil := c.at(".beads", filepath.FromSlash(where))
				p.git(p.dir, "init", "-q", "--bare", filepath.Join(p.dir, "evil.git"))
				for key, value := range map[string]string{"core.fsmonitor": program, "core.sshCommand": program, "core.hooksPath": p.dir, "core.bare": "false",
					"core.worktree": p.dir, "remote.origin.url": "ssh://localhost/x", "remote.origin.uploadpack": program, "gpg.program": program, "filter.x.clean": program} {
					p.git(p.dir, "-C", "evil.git", "config", key, value)
				}
				must(t, os.MkdirAll(evil, 0o700))
				must(t, os.CopyFS(evil, os.DirFS(filepath.Join(p.dir, "evil.git"))))
				c.must("init", "-q")
				for _, args := range everyday() {
					c.bounded(args...)
				}
				if ran() {
					t.Error("a program of the hostile Git directory was run")
				}
				if got := c.must("where"); got != c.at(".beads") {
					t.Errorf("the workspace is in %s", got)
				}
				if c.must("count") == "0" {
					t.Error("what was created is not there")
				}
				// A repository inside the repository is shown, whatever it says of itself.
				if got := p.git(c.dir, "status", "--porcelain"); got != "" && where != ".git" {
					t.Errorf("git status shows %s", got)
				}
			})
		}
	}
}

// What comes with a repository is data: settings that name commands, URLs,
// options or outside paths do nothing, and neither do ids, branches and remotes
// that look like options.
func TestRepositoryRunsNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	program, ran := marks(t, p)
	c := p.newClone("a", "--publish")
	outside := filepath.Join(p.dir, "outside")
	ext := "ext::" + program
	for _, settings := range []string{
		"git:\n  remote: \"" + ext + "\"\n", "git:\n  remote: \"--upload-pack=" + program + "\"\n", "git:\n  remote: -q\n", "git:\n  ref: \"--exec=" + program + "\"\n",
		"git:\n  ref: refs/heads/../../../x\n", "git:\n  ref: refs/heads/main\n", "editor: " + program + "\n", "output:\n  pager: " + program + "\n",
		"core:\n  sshCommand: " + program + "\n", "alias:\n  list: \"!" + program + "\"\n", "export: ../../outside\n", "actor: \"-x\"\n",
	} {
		write(t, c.at(".beads", "config.yaml"), settings)
		for _, args := range everyday() {
			c.bounded(args...)
		}
		if got := p.git(p.bare, "for-each-ref", "--format=%(refname)"); got != "refs/beads/ops\nrefs/heads/main" {
			t.Errorf("%q: the remote has %s", settings, got)
		}
	}
	must(t, os.Remove(c.at(".beads", "config.yaml")))
	for _, settings := range []string{"daemon:\n  export: ../../outside\n", "daemon:\n  export: " + outside + "\n", "daemon:\n  watch_patterns: [\"../../*\"]\n", "daemon:\n  hook: " + program + "\n"} {
		write(t, c.at(".beads", "daemon.yaml"), settings)
		if r := c.bounded("daemon", "start"); r.code == 0 {
			t.Errorf("%q was taken", settings)
			c.bounded("daemon", "stop")
		}
	}
	must(t, os.Remove(c.at(".beads", "daemon.yaml")))
	p.git(c.dir, "config", "remote.evil.url", ext+" sh")
	p.git(c.dir, "config", "remote.option.url", "--upload-pack="+program)
	p.git(c.dir, "config", "protocol.ext.allow", "always")
	for _, args := range [][]string{
		{"sync", "--publish", "evil"}, {"sync", "--publish", "option"}, {"sync", "--publish", ext}, {"sync", "--publish=--upload-pack=" + program},
		{"sync", "--publish", "--", "--upload-pack=" + program}, {"config", "set", "git.remote", "--", "--exec=" + program},
		{"config", "set", "git.ref", "--", "--upload-pack=" + program},
		{"show", "--", "--exec=" + program}, {"update", "--", "-x", "-p", "1"}, {"create", "x", "--id=--force"}, {"create", "x", "--id=../../x"}, {"dep", "add", "--", "-a", "-b"},
		{"import", "--", "--exec=" + program}, {"--db", "--exec=" + program, "list"},
	} {
		if r := c.bounded(args...); r.code == 0 {
			t.Errorf("bd %q was taken: %s%s", args, r.stdout, r.stderr)
		}
	}
	// A branch and a directory whose names are options.
	p.git(c.dir, "commit", "-q", "--allow-empty", "-m", "x")
	p.git(c.dir, "update-ref", "refs/heads/--upload-pack=evil", "HEAD")
	p.git(c.dir, "symbolic-ref", "HEAD", "refs/heads/--upload-pack=evil")
	odd := &clone{place: p, name: "odd", dir: filepath.Join(p.dir, "--git-dir=x"), env: []string{"BD_ACTOR=odd"}}
	p.git(p.dir, "clone", "-q", p.bare, "./--git-dir=x")
	odd.must("init", "-q")
	for _, c := range []*clone{c, odd} {
		c.must("q", "all the same")
		c.must("sync")
	}
	if ran() {
		t.Error("a program that the repository names was run")
	}
	if _, err := os.Lstat(outside); err == nil {
		t.Error("something was written outside")
	}
}

// hostileSQL are databases that somebody else has prepared, each of them with
// our own tables, our stamp and the right identity.
func hostileSQL() map[string]string {
	endless := "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT "
	return map[string]string{
		"a trigger that deletes":     "CREATE TRIGGER t AFTER INSERT ON operation BEGIN DELETE FROM operation; DELETE FROM issue; END",
		"a trigger on the settings":  "CREATE TRIGGER t AFTER UPDATE ON meta BEGIN UPDATE issue SET title = 'owned'; END",
		"a view for a table":         "DROP TABLE label; CREATE VIEW label AS " + endless + "x AS issue, x AS label FROM n",
		"meta is a view":             "DROP TABLE meta; CREATE VIEW meta AS " + endless + "x AS key, x AS value FROM n",
		"tables of upstream":         "CREATE TABLE issues (id TEXT PRIMARY KEY, title TEXT); INSERT INTO issues VALUES ('up-1', 'theirs')",
		"a column more":              "ALTER TABLE issue ADD COLUMN evil TEXT DEFAULT 'evil'",
		"an index with a function":   "CREATE INDEX evil ON issue (hex(zeroblob(100)))",
		"a schema of rubbish":        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE x (' || hex(zeroblob(1000000)) WHERE name = 'issue'",
		"an endless check":           "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 2 WHERE type IN ('table', 'index')",
		"another journal":            "PRAGMA journal_mode = DELETE",
		"huge pages":                 "PRAGMA journal_mode = DELETE; PRAGMA page_size = 65536; VACUUM",
		"another text encoding's id": "PRAGMA application_id = 7",
		"a virtual table":            "CREATE VIRTUAL TABLE evil USING fts5(x)",
	}
}

// Whatever SQLite file is in the database's place, answers come from our
// operations alone, and nothing hangs.
func TestHostileDatabase(t *testing.T) {
	t.Parallel()
	for name, script := range hostileSQL() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, exported := solo(t)
			conn, err := sqlite.OpenConn(c.at(".beads", "beads.db"), sqlite.OpenReadWrite)
			must(t, err)
			err = sqlitex.ExecuteScript(conn, "PRAGMA user_version", nil)
			for statement := range strings.SplitSeq(script, "; ") {
				if err == nil && !strings.HasPrefix(script, "CREATE TRIGGER") {
					err = sqlitex.ExecuteTransient(conn, statement, nil)
				}
			}
			if strings.HasPrefix(script, "CREATE TRIGGER") {
				err = sqlitex.ExecuteTransient(conn, script, nil)
			}
			if closeErr := conn.Close(); err != nil || closeErr != nil {
				t.Skipf("SQLite itself refuses it: %v, %v", err, closeErr)
			}
			if r := c.bounded("export"); r.code != 0 || strings.TrimSpace(r.stdout) != exported {
				t.Errorf("exit code %d, exported\n%s\nwant\n%s\n%s", r.code, r.stdout, exported, r.stderr)
			}
			for _, args := range everyday() {
				c.bounded(args...)
			}
			after := c.must("export")
			for line := range strings.SplitSeq(exported, "\n") {
				if !strings.Contains(after, line) {
					t.Errorf("%s is not in\n%s", line, after)
				}
			}
			if r := c.try("doctor"); r.code != 0 {
				t.Errorf("doctor: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
			}
		})
	}
}

// Files and directories of ours are for their owner alone.
func TestFilesAreForTheirOwner(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no modes there")
	}
	c, _ := solo(t)
	c.startDaemon()
	c.serving()
	c.must("config", "set", "output.color", "never")
	c.must("sync", "--publish")
	for _, top := range []string{c.at(".beads"), c.at(".git", "beads"), filepath.Join(c.place.dir, "run", "beads")} {
		must(t, filepath.WalkDir(top, func(path string, entry os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := entry.Info()
			if err == nil && info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s has mode %04o", path, info.Mode().Perm())
			}
			return err
		}))
	}
	c.stop()
}
