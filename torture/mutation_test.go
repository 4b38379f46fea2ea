package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// A mutation is a command that changes something, or that repairs what was
// damaged.
type mutation struct {
	// name begins with the command's own.
	name string
	// prepare brings about what the command needs, without trouble, and returns
	// it. The token is its own.
	prepare preparation
	// holds demands what must hold afterwards, of a command that writes elsewhere
	// than to the logs; it may be nil.
	holds  func(s *site, token string, ended traced)
	silent bool // it writes no operation and no interaction of its own
	git    bool // it runs git, many calls of which are not ours
	// damages: copies are destroyed before it. Two such in a row could destroy all.
	damages bool
}

// mutations are one of each kind of writing command, and the repairs.
func mutations() []mutation {
	return []mutation{
		{name: "create", prepare: fixed("create", "TOKEN", "-p", "1", "-d", "TOKEN")},
		{name: "q", prepare: fixed("q", "TOKEN")},
		{name: "update", prepare: fixed("update", "ID", "--title", "TOKEN")},
		{name: "update of three", prepare: func(s *site, token string) command {
			return s.command(append(append([]string{"update"}, s.issues...), "--append-notes", token)...)
		}},
		{name: "update --claim", prepare: onNew("update ID --claim")},
		{name: "ready --claim", prepare: func(s *site, token string) command {
			s.must("q", "for "+token, "-p", "0")
			return s.command("ready", "--claim")
		}},
		{name: "unclaim", prepare: onNew("unclaim ID", "update ID --claim")},
		{name: "edit", prepare: func(s *site, token string) command {
			c := s.command("edit", s.issues[0], "--notes")
			c.env = append(append([]string{}, c.env...), "EDITOR=echo "+token+" >>")
			return c
		}},
		{name: "defer", prepare: onNew("defer ID --until 2031-01-01")},
		{name: "undefer", prepare: onNew("undefer ID", "defer ID --until 2031-01-01")},
		{name: "close", prepare: onNew("close ID")},
		{name: "reopen", prepare: onNew("reopen ID", "close ID")},
		{name: "delete", prepare: onNew("delete ID --force")},
		{name: "restore", prepare: onNew("restore ID", "delete ID --force")},
		{name: "supersede", prepare: onNew("supersede ID --with OTHER")},
		{name: "duplicate", prepare: onNew("duplicate ID --of OTHER")},
		{name: "label add", prepare: fixed("label", "add", "ID", "TOKEN")},
		{name: "label remove", prepare: onNew("label remove ID mark", "label add ID mark")},
		{name: "comment", prepare: fixed("comment", "ID", "TOKEN")},
		{name: "comments add", prepare: fixed("comments", "add", "ID", "TOKEN")},
		{name: "comments edit", prepare: fixed("comments", "edit", "ID", "1", "TOKEN").after("comments", "add", "ID", "a comment")},
		{name: "comments delete", prepare: fixed("comments", "delete", "ID", "1").after("comments", "add", "ID", "TOKEN")},
		{name: "dep", prepare: onNew("dep ID --blocks OTHER")},
		{name: "dep add", prepare: fixed("dep", "add", "ID", "OTHER", "-t", "TOKEN")},
		{name: "dep remove", prepare: fixed("dep", "remove", "ID", "OTHER", "-t", "TOKEN").after("dep", "add", "ID", "OTHER", "-t", "TOKEN")},
		{name: "epic close-eligible", prepare: func(s *site, _ string) command {
			epic := s.once("epic", func() string {
				id := s.must("q", "epic", "-t", "epic")
				s.must("close", s.must("q", "part", "--parent", id))
				return id
			})
			s.run(s.command("reopen", epic)) // fails if it is open
			return s.command("epic", "close-eligible")
		}},
		{name: "rename-prefix", prepare: fixed("rename-prefix", "TOKEN")},
		{name: "import", prepare: func(s *site, token string) command {
			return s.command("import", s.snapshot([]string{"up-" + token}))
		}, holds: imported, silent: true},
		{name: "interactions add", prepare: fixed("interactions", "add", "--kind", "tool_call", "--tool-name", "TOKEN")},
		{name: "interactions label", prepare: func(s *site, token string) command {
			id := s.once("interaction", func() string {
				return s.must("interactions", "add", "--kind", "tool_call", "--tool-name", "make")
			})
			return s.command("interactions", "label", id, "good", "-r", token)
		}},
		{name: "config set, shared", prepare: fixed("config", "set", "status.custom", "TOKEN")},
		{name: "config unset, shared", prepare: fixed("config", "unset", "status.custom").after("config", "set", "status.custom", "TOKEN")},
		{name: "config set, of this machine", prepare: fixed("config", "set", "actor", "TOKEN"), holds: configured(true), silent: true},
		{name: "config unset, of this machine", prepare: fixed("config", "unset", "actor").after("config", "set", "actor", "TOKEN"), holds: configured(false), silent: true},
		{name: "list after the database was removed", prepare: repairs((*site).removeDB, "list"), damages: true, silent: true},
		{name: "list after the log was emptied", prepare: repairs(func(s *site) { must(s, os.Truncate(s.log(), 0)) }, "list"), damages: true, silent: true},
		{name: "list after the guard copy was removed", prepare: repairs(func(s *site) { s.remove(s.guard()) }, "list"), damages: true, silent: true},
		{name: "list after .beads was removed", prepare: repairs(func(s *site) { must(s, os.RemoveAll(filepath.Dir(s.log()))) }, "list"), damages: true, silent: true},
		{name: "doctor --fix", prepare: repairs(func(s *site) {
			must(s, os.Truncate(s.log(), int64(len(s.read(s.log()))/2)))
		}, "doctor", "--fix"), damages: true, silent: true},
		{name: "recover", prepare: repairs(func(s *site) { s.remove(s.log()); s.removeDB() }, "recover"), damages: true, silent: true, git: true},
		{name: "sync", prepare: fixed("sync").after("q", "for TOKEN"), silent: true, git: true},
		{name: "sync --publish", prepare: fixed("sync", "--publish", "origin").after("q", "for TOKEN"), silent: true, git: true},
		{name: "init", prepare: repairs(func(s *site) { must(s, os.RemoveAll(filepath.Dir(s.log()))) }, "init", "--publish"), damages: true, silent: true, git: true},
		{name: "reset", prepare: elsewhere("reset", "--force"), holds: forgotten, silent: true, git: true},
		{name: "export -o", prepare: fixed("export", "-o", "FILE").on("its old text\n"), holds: written("its old text\n", exported), silent: true},
		{name: "onboard", prepare: fixed("onboard", "--file", "FILE").on("# Ours\n"), holds: written("# Ours\n", onboarded), silent: true},
		{name: "merge", prepare: fixed("merge", "FILE", os.DevNull, "FILE", "FILE.right").on("left\n"), holds: written("left\n", merged), silent: true},
	}
}

// untroubled are the commands that are in no mutation, by why they are not.
func untroubled() map[string][]string {
	return map[string][]string{
		"it only reads; what reading repairs, the lists above repair": {
			"activity", "blocked", "children", "comments", "comments list", "config get", "config list", "count", "dep cycles", "dep list", "dep tree",
			"epic status", "graph", "history", "info", "interactions list", "interactions search", "interactions show", "label list",
			"label list-all", "prime", "query", "search", "show", "stale", "status", "types", "version", "where",
		},
		"it writes no file":        {"completion", "help", "hooks install", "hooks list", "hooks uninstall"},
		"it lists its subcommands": {"config", "daemon", "daemons", "epic", "hooks", "interactions", "label"},
		"TestKillDaemon, TestSimultaneousStarts and the tests of the daemon trouble it": {
			"daemon health", "daemon killall", "daemon list", "daemon logs", "daemon metrics", "daemon restart", "daemon start",
			"daemon status", "daemon stop", "daemons health", "daemons killall", "daemons list",
		},
		"it writes a unit for systemd and nothing of the workspace": {"daemon install", "daemon uninstall"},
		"its tools are commands of this list":                       {"mcp"},
	}
}

// troubled runs a mutation under the tracer; what it acknowledged is noted, also
// what it prepared.
func (s *site) troubled(m mutation, decide func(call) verdict) traced {
	s.Helper()
	token := s.token()
	r := s.trace(m.prepare(s, token).as(token), decide)
	if r.acknowledged() && r.unsynced && !m.silent {
		s.Errorf("%s: acknowledged, though an fsync had failed", m.name)
	}
	if r.acknowledged() && !m.silent {
		s.acknowledge(token)
	}
	if !r.killed && r.code != 0 && strings.TrimSpace(r.stderr) == "" && strings.TrimSpace(r.stdout) == "" {
		s.Errorf("%s: exit code %d, and not a word", m.name, r.code)
	}
	if strings.Contains(r.stderr, "goroutine ") {
		s.Errorf("%s: it panicked:\n%s", m.name, r.stderr)
	}
	if m.holds != nil {
		m.holds(s, token, r)
	}
	return r
}

func untroubling(call) verdict { return verdict{} }

// measure runs a mutation without trouble, which must succeed, and shows its calls.
func (s *site) measure(m mutation, show func(call) verdict) traced {
	s.Helper()
	s.must("count") // nothing is left to be repaired
	r := s.troubled(m, show)
	if r.code != 0 || r.killed {
		s.Fatalf("%s without trouble: exit code %d\n%s%s", m.name, r.code, r.stdout, r.stderr)
	}
	if !m.silent && s.heldOf(s.acked[len(s.acked)-1:]) > 0 {
		s.Fatalf("%s without trouble: what it wrote is not there", m.name)
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
