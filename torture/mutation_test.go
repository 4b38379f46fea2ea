package main

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// A mutation is a command that changes something, or that repairs what was
// damaged.
type mutation struct {
	name string
	// prepare brings about what the command needs, without trouble, and returns
	// its arguments. The token is its own.
	prepare func(s *site, token string) []string
	silent  bool // it writes no operation of its own
	git     bool // it runs git, many calls of which are not ours
}

func fixed(args ...string) func(*site, string) []string {
	return func(s *site, token string) []string {
		all := append([]string{}, args...)
		for n, arg := range all {
			switch arg {
			case "ID":
				all[n] = s.issues[0]
			case "OTHER":
				all[n] = s.issues[1]
			case "TOKEN":
				all[n] = token
			}
		}
		return all
	}
}

// onNew is a command on an issue that was made for it, after some others.
func onNew(command []string, before ...[]string) func(*site, string) []string {
	return func(s *site, token string) []string {
		id := s.must("q", "for "+token)
		with := func(args []string) []string { return append([]string{args[0], id}, args[1:]...) }
		for _, args := range before {
			s.must(with(args)...)
		}
		return with(command)
	}
}

// repairs is a command that heals what damage left.
func repairs(damage func(s *site), args ...string) func(*site, string) []string {
	return func(s *site, _ string) []string {
		damage(s)
		return args
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

// mutations are one of each kind of writing command, and the repairs.
func mutations() []mutation {
	label := []string{"label", "add"}
	return []mutation{
		{name: "create", prepare: fixed("create", "TOKEN", "-p", "1", "-d", "TOKEN")},
		{name: "update", prepare: fixed("update", "ID", "--title", "TOKEN")},
		{name: "update of three", prepare: func(s *site, token string) []string {
			return append(append([]string{"update"}, s.issues...), "--append-notes", token)
		}},
		{name: "label add", prepare: fixed(append(label, "ID", "TOKEN")...)},
		{name: "comments add", prepare: fixed("comments", "add", "ID", "TOKEN")},
		{name: "dep add", prepare: fixed("dep", "add", "ID", "OTHER", "-t", "TOKEN")},
		{name: "claim", prepare: onNew([]string{"update", "--claim"})},
		{name: "unclaim", prepare: onNew([]string{"unclaim"}, []string{"update", "--claim"})},
		{name: "defer", prepare: onNew([]string{"defer", "--until", "2031-01-01"})},
		{name: "close", prepare: onNew([]string{"close"})},
		{name: "reopen", prepare: onNew([]string{"reopen"}, []string{"close"})},
		{name: "delete", prepare: onNew([]string{"delete", "--force"})},
		{name: "restore", prepare: onNew([]string{"restore"}, []string{"delete", "--force"})},
		{name: "supersede", prepare: func(s *site, token string) []string {
			return []string{"supersede", s.must("q", "for "+token), "--with", s.issues[0]}
		}},
		{name: "import", prepare: func(s *site, token string) []string {
			path := filepath.Join(s.top, "snapshot.jsonl")
			record := `{"id":"up-` + token + `","title":"` + token + `","status":"open","priority":2,"issue_type":"task","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}`
			must(s, os.WriteFile(path, []byte(record+"\n"), 0o600))
			return []string{"import", path}
		}, silent: true},
		{name: "rename-prefix", prepare: fixed("rename-prefix", "TOKEN")},
		{name: "list after the database was removed", prepare: repairs((*site).removeDB, "list"), silent: true},
		{name: "list after the log was emptied", prepare: repairs(func(s *site) { must(s, os.Truncate(s.log(), 0)) }, "list"), silent: true},
		{name: "list after the guard copy was removed", prepare: repairs(func(s *site) { s.remove(s.guard()) }, "list"), silent: true},
		{name: "list after .beads was removed", prepare: repairs(func(s *site) { must(s, os.RemoveAll(filepath.Dir(s.log()))) }, "list"), silent: true},
		{name: "doctor --fix", prepare: repairs(func(s *site) {
			must(s, os.Truncate(s.log(), int64(len(s.read(s.log()))/2)))
		}, "doctor", "--fix"), silent: true},
		{name: "recover", prepare: repairs(func(s *site) { s.remove(s.log()); s.removeDB() }, "recover"), silent: true, git: true},
		{name: "sync", prepare: func(s *site, token string) []string {
			s.must("q", "for "+token)
			return []string{"sync"}
		}, silent: true, git: true},
		{name: "init", prepare: func(s *site, token string) []string {
			must(s, os.RemoveAll(filepath.Dir(s.log())))
			return []string{"init", "--publish"}
		}, silent: true, git: true},
	}
}

// troubled runs a mutation under the tracer; what it acknowledged is noted, also
// what it prepared.
func (s *site) troubled(m mutation, decide func(call) verdict) traced {
	s.Helper()
	token := s.token()
	r := s.trace(s.command(m.prepare(s, token)...).as(token), decide)
	if !r.killed && r.code == 0 && !m.silent {
		s.acknowledge(token)
	}
	if !r.killed && r.code != 0 && strings.TrimSpace(r.stderr) == "" && strings.TrimSpace(r.stdout) == "" {
		s.Errorf("%s: exit code %d, and not a word", m.name, r.code)
	}
	if strings.Contains(r.stderr, "goroutine ") {
		s.Errorf("%s: it panicked:\n%s", m.name, r.stderr)
	}
	return r
}

// measure runs a mutation without trouble, which must succeed, and says how many
// calls it makes: its own, or with those of its children.
func (s *site) measure(m mutation) traced {
	s.Helper()
	r := s.troubled(m, func(call) verdict { return verdict{} })
	if r.code != 0 || r.killed {
		s.Fatalf("%s without trouble: exit code %d\n%s%s", m.name, r.code, r.stdout, r.stderr)
	}
	return r
}

// sampled are the numbers from 1 to n: all if most is 0, else one from each of so
// many equal stretches.
func sampled(r *rand.Rand, n, most int) []int {
	if most == 0 || most > n {
		most = n
	}
	var all []int
	for i := range most {
		from, to := i*n/most, (i+1)*n/most
		all = append(all, 1+from+r.IntN(to-from))
	}
	return all
}
