package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A preparation brings about what a command needs and returns it.
type preparation func(s *site, token string) command

// fixed is a command of these words, of which ID and OTHER are issues that stay,
// TOKEN the command's own, and FILE a file that is nobody else's.
func fixed(args ...string) preparation {
	return func(s *site, token string) command { return s.command(s.named(args, token)...) }
}

func (s *site) named(args []string, token string) []string {
	names := strings.NewReplacer("OTHER", s.issues[1], "ID", s.issues[0], "TOKEN", token, "FILE", s.file())
	named := make([]string, len(args))
	for n, arg := range args {
		named[n] = names.Replace(arg)
	}
	return named
}

// after runs another command of the same kind before.
func (p preparation) after(args ...string) preparation {
	return func(s *site, token string) command {
		s.must(s.named(args, token)...)
		return p(s, token)
	}
}

// on writes the command's file before, and another one beside it.
func (p preparation) on(content string) preparation {
	return func(s *site, token string) command {
		must(s, os.WriteFile(s.file(), []byte(content), 0o600))
		must(s, os.WriteFile(s.file()+".right", []byte("right\n"), 0o600))
		return p(s, token)
	}
}

// onNew is a command on an issue that was made for it, after some others.
func onNew(line string, before ...string) preparation {
	return func(s *site, token string) command {
		names := strings.NewReplacer("OTHER", s.issues[1], "ID", s.fresh(before))
		return s.command(strings.Fields(names.Replace(line))...)
	}
}

// fresh is an issue on which the commands before were run and no other. They are
// made many at a time.
func (s *site) fresh(before []string) string {
	const many = 40
	key := strings.Join(before, "; ")
	if len(s.made[key]) == 0 {
		var ids []string
		token := s.token()
		for n := range many {
			ids = append(ids, fmt.Sprintf("new-%s%d", token, n))
		}
		s.must("import", s.snapshot(ids))
		for _, line := range before {
			s.must(strings.Fields(strings.Replace(line, "ID", strings.Join(ids, " "), 1))...)
		}
		s.made[key] = ids
	}
	id := s.made[key][0]
	s.made[key] = s.made[key][1:]
	return id
}

// once is what make returned the first time on this site.
func (s *site) once(key string, make func() string) string {
	if len(s.made[key]) == 0 {
		s.made[key] = []string{make()}
	}
	return s.made[key][0]
}

// snapshot writes a snapshot of upstream's with issues of these ids.
func (s *site) snapshot(ids []string) string {
	var records strings.Builder
	for _, id := range ids {
		fmt.Fprintf(&records, `{"id":"%s","title":"%s","status":"open","priority":2,"issue_type":"task","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}`+"\n", id, id)
	}
	path := filepath.Join(s.top, "snapshot.jsonl")
	must(s, os.WriteFile(path, []byte(records.String()), 0o600))
	return path
}

// repairs is a command that heals what damage left.
func repairs(damage func(s *site), args ...string) preparation {
	return func(s *site, _ string) command {
		damage(s)
		return s.command(args...)
	}
}

func (s *site) removeDB() {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		s.remove(s.db() + suffix)
	}
}

func (s *site) remove(path string) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.Fatal(err)
	}
}

// elsewhere is a command in a repository of its own, whose workspace has one issue.
func elsewhere(args ...string) preparation {
	return func(s *site, token string) command {
		dir := s.elsewhere()
		if _, err := os.Stat(dir); err != nil {
			s.git(s.top, "init", "-q", dir)
		}
		for _, args := range [][]string{{"init", "-q"}, {"q", "for " + token}} {
			if r := s.run(s.there(args...)); r.code != 0 {
				s.Fatalf("bd %q: exit code %d\n%s", args, r.code, r.stderr)
			}
		}
		return s.there(args...)
	}
}

func (s *site) elsewhere() string { return filepath.Join(s.top, "elsewhere") }

func (s *site) there(args ...string) command {
	c := s.command(args...)
	c.dir = s.elsewhere()
	return c
}

// file is what a command may write that writes elsewhere than to the workspace.
func (s *site) file() string { return filepath.Join(s.top, "file") }

// forgotten: after reset there is nothing; one that did not end leaves a workspace
// with all of it or, as was asked for, with nothing, and can be run again.
func forgotten(s *site, _ string, ended traced) {
	left := s.run(s.there("count"))
	if issues := strings.TrimSpace(left.stdout); left.code == 0 && (ended.acknowledged() || issues != "1" && issues != "0") {
		s.Errorf("after reset, acknowledged %v, there are %s issues", ended.acknowledged(), issues)
	}
	if left.code == 0 {
		if r := s.run(s.there("reset", "--force")); r.code != 0 {
			s.Errorf("a second reset: exit code %d\n%s", r.code, r.stderr)
		}
	}
	for _, dir := range []string{".beads", filepath.Join(".git", "beads")} {
		if log := s.read(filepath.Join(s.elsewhere(), dir, "issues.jsonl")); ended.acknowledged() && log != "" {
			s.Errorf("after reset there is still a log in %s", dir)
		}
	}
}

// configured: an acknowledged setting is there, or is gone.
func configured(set bool) func(*site, string, traced) {
	return func(s *site, token string, ended traced) {
		file := s.read(filepath.Join(filepath.Dir(s.log()), "config.yaml"))
		if ended.acknowledged() && strings.Contains(file, token) != set {
			s.Errorf("config.yaml has the setting %s: %v\n%s", token, !set, file)
		}
	}
}

// imported: acknowledged records are in the log and in the guard copy.
func imported(s *site, token string, ended traced) {
	for _, path := range []string{s.log(), s.guard()} {
		if ended.acknowledged() && !strings.Contains(s.read(path), "up-"+token) {
			s.Errorf("%s lacks an imported issue", path)
		}
	}
}

// written demands of a command's file that it is what it was, or what the command
// makes of it.
func written(before string, whole func(s *site, content string) bool) func(*site, string, traced) {
	return func(s *site, _ string, ended traced) {
		content := s.read(s.file())
		if !whole(s, content) && (content != before || ended.acknowledged()) {
			s.Errorf("a file is neither what it was nor what it was to be: %q", content)
		}
	}
}

// exported: every line is whole, and those of all issues are there.
func exported(s *site, content string) bool {
	for _, id := range s.issues {
		if !strings.Contains(content, `"id":"`+id+`"`) {
			return false
		}
	}
	return strings.HasPrefix(content, "{") && strings.HasSuffix(content, "}\n")
}

func onboarded(_ *site, content string) bool {
	return strings.HasPrefix(content, "# Ours\n\n<!-- ") && strings.HasSuffix(content, " -->\n") && strings.Count(content, "<!-- ") == 2
}

func merged(_ *site, content string) bool { return content == "left\nright\n" }
