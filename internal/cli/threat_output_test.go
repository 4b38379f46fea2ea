package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// hostile is what a terminal would act on: escape sequences, C1 controls, a
// carriage return, text directions, and bytes that are no UTF-8. forged is a
// line that is not ours.
const (
	hostile = "\x1b[31m\x1b]0;owned\x07\u009b2J\r\b\x7f\u202eevil\u2066\u200f\u2028x"
	forged  = "FORGED"
)

// A hostileSite is a workspace whose every text is hostile: of issues, of
// operations, of settings, of the daemon's log and of its own path.
type hostileSite struct {
	t    *testing.T
	dir  string
	env  map[string]string
	next int
}

func newHostileSite(t *testing.T) *hostileSite {
	t.Helper()
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &hostileSite{t: t, dir: filepath.Join(top, "w\x1b[31m\u202e\nFORGED")}
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	s.env = map[string]string{
		// No further: bd mcp becomes bd-mcp where that is in PATH, and that would be this process.
		"PATH": filepath.Dir(git), "HOME": top, "XDG_RUNTIME_DIR": filepath.Join(top, "run"), "XDG_STATE_HOME": filepath.Join(top, "state"),
		"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CEILING_DIRECTORIES": top, "EDITOR": "true", "NO_COLOR": "1",
		"BD_ACTOR": "ada" + hostile,
	}
	for _, dir := range []string{s.dir, filepath.Join(top, "run")} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	init := exec.Command(git, "init", "-q")
	init.Dir = s.dir
	if out, err := init.CombinedOutput(); err != nil {
		t.Fatalf("git init: %v\n%s", err, out)
	}
	if code, _, stderr := s.run(false, "init", "--prefix", "bd"); code != 0 {
		t.Fatalf("bd init: exit code %d\n%s", code, stderr)
	}
	s.fill()
	return s
}

// run runs bd in this process.
func (s *hostileSite) run(terminal bool, args ...string) (code int, stdout, stderr string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var environ []string
	for key, value := range s.env {
		environ = append(environ, key+"="+value)
	}
	var out, errs bytes.Buffer
	p := Process{
		Args: args, Dir: s.dir, Environ: environ, Getenv: func(key string) string { return s.env[key] },
		Set:   func(key string) bool { _, set := s.env[key]; return set },
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, StdoutTerminal: terminal, Executable: filepath.Join(s.dir, "no-bd"),
		Login: func() string { return "ada" }, Home: s.env["HOME"], Now: time.Now, Rand: rand.Reader, Location: time.UTC,
	}
	if terminal {
		p.Width = 80
	}
	code = Run(ctx, p)
	if ctx.Err() != nil {
		s.t.Errorf("bd %q did not end", args)
	}
	return code, out.String(), errs.String()
}

// operation is a line of another program.
func (s *hostileSite) operation(do, issue string, members map[string]any) string {
	s.next++
	o := map[string]any{
		"op": fmt.Sprintf("01KAQ0T6V3R8M0X2E9F1C4%04d", s.next), "v": 1, "do": do, "at": "2026-01-01T00:00:00.000Z",
		"by": "by" + hostile, "session": "session" + hostile,
	}
	if issue != "" {
		o["issue"] = issue
	}
	for name, value := range members {
		o[name] = value
	}
	line, err := json.Marshal(o)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(line) + "\n"
}

func (s *hostileSite) fill() {
	line := "\r\n" + forged + hostile // in a field of one line
	text := "many\nlines" + hostile
	type set = map[string]any
	var log strings.Builder
	for _, id := range []string{"bd-one", "bd-two", "bd-three", "bd-four", "bd-epic"} {
		log.WriteString(s.operation("create", id, set{"set": set{
			"title": "title" + line, "description": text, "design": text, "acceptance_criteria": text, "notes": text,
			"owner": "owner" + line, "external_ref": "ref" + line, "source_repo": "repo" + line, "spec_id": "spec" + line,
			"issue_type": map[bool]string{true: "epic", false: "kind" + line}[id == "bd-epic"], "priority": 1,
			"metadata": set{"key" + line: "value" + line}, "unknown" + line: "unknown" + line, "due_at": "2026-01-02T00:00:00Z",
		}, "add": set{"labels": []string{"label" + line, "plain"}}}))
	}
	deps := func(id, to, kind string) string {
		return s.operation("dep", id, set{"add": set{"deps": []set{{"to": to, "type": kind, "metadata": set{"m" + line: line}}}}})
	}
	log.WriteString(deps("bd-two", "bd-one", "blocks"))
	log.WriteString(deps("bd-one", "bd-two", "kind"+line))
	log.WriteString(deps("bd-three", "bd-epic", "parent-child"))
	log.WriteString(deps("bd-three", "bd-no"+line, "related"))
	log.WriteString(s.operation("claim", "bd-one", set{"set": set{"assignee": "assignee" + line, "status": "status" + line}}))
	log.WriteString(s.operation("close", "bd-four", set{"set": set{"status": "closed", "close_reason": "reason" + line}}))
	log.WriteString(s.operation("comment", "bd-one", set{"comment": set{"text": text}}))
	log.WriteString(s.operation("verb"+line, "bd-one", set{"set": set{"priority": "high" + line, "design": text}}))
	log.WriteString(s.operation("create", "bd-id"+line, set{"set": set{"title": "hostile id"}}))
	log.WriteString(s.operation("config", "", set{"set": set{"status.custom": []string{"custom" + line}, "types.custom": "type" + line, "key" + line: "value" + line}}))
	log.WriteString(strings.Replace(s.operation("newer"+line, "bd-one", nil), `"v":1`, `"v":99`, 1))
	log.WriteString("no operation" + hostile + "\xff\xfe\n{\"op\":\"" + hostile + "\"}\n")
	s.append(".beads/issues.jsonl", log.String())
	s.append(".beads/config.yaml", "\"key\\e[31m\": \"value\\e[31m\"\nactor: \"a\\e[31m\"\n")
	entry, err := json.Marshal(map[string]any{"timestamp": "2026-01-01T00:00:00Z", "level": "error", "message": "Sync failed: " + line, "pid": 1, "error": line, "metadata": set{"k" + line: line}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.append(".beads/daemon.log", string(entry)+"\n2026-01-01T00:00:00.000Z ERROR raw "+hostile+" pid=1 error="+hostile+"\n"+hostile+"\xff\n")
	s.append(".beads/daemon.json", `{"pid":0,"status":"error","last_error":"\u001b[31m\u202e\nFORGED","start_time":"2026-01-01T00:00:00Z"}`)
	s.append(".beads/routes.jsonl", `{"prefix":"x\u001b[31m-","path":"../y\u001b[31m\u202e"}`+"\n")
	s.append(".git/config", "[remote \"origin\"]\n\turl = https://user:secret@127.0.0.1:1/\x1b[31m\u202e\n[user]\n\tname = \"u\x1b[31m\u202e\"\n\temail = e\n")
}

func (s *hostileSite) append(name, text string) {
	s.t.Helper()
	f, err := os.OpenFile(filepath.Join(s.dir, filepath.FromSlash(name)), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	f.Close()
}

// check demands that a terminal would act on nothing of what bd printed, and
// that no line is one that somebody else has written.
//
// bd export into a pipe writes the bytes of the snapshot format, as -o does: JSON
// that escapes what is below U+0020 and nothing else.
func (s *hostileSite) check(args []string, json, terminal bool, stdout, stderr string) {
	s.t.Helper()
	if args[0] == "export" && !terminal {
		if i := strings.IndexFunc(stdout, func(r rune) bool { return r < ' ' && r != '\n' }); i >= 0 {
			s.t.Errorf("bd %q: %U on standard output", args, stdout[i])
		}
		stdout = ""
	}
	for name, text := range map[string]string{"standard output": stdout, "standard error": stderr} {
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, forged) {
				s.t.Errorf("bd %q: a forged line on %s: %q", args, name, line)
			}
			for i, r := range line {
				invalid := r == utf8.RuneError && !strings.HasPrefix(line[i:], "\ufffd")
				if invalid || hidden(r, true) && !(r == '\t' && !json) {
					s.t.Errorf("bd %q: %U on %s: %.120q", args, r, name, line)
					break
				}
			}
		}
	}
	if json && stdout != "" && !strings.Contains(stdout, "\nUsage:\n") { // help is for people
		if err := validJSON(stdout); err != nil {
			s.t.Errorf("bd %q: %v: %.200q", args, err, stdout)
		}
	}
}

func validJSON(text string) error {
	for decoder := json.NewDecoder(strings.NewReader(text)); ; {
		var value any
		if err := decoder.Decode(&value); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// leaves are all commands that do something, by their words.
func leaves() (all [][]string) {
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, c := range cmd.Commands() {
			if c.Runnable() {
				all = append(all, strings.Fields(c.CommandPath())[1:])
			}
			walk(c)
		}
	}
	walk(newRoot(&app{}))
	return all
}

// Every command there is, with no argument, with issues, and with arguments that
// are hostile themselves, as text, as JSON and for a terminal: whatever is in
// the workspace, nothing comes out that a terminal acts on. A new command is
// tried by itself. Those that read come first, since others change what is read.
func TestHostileOutput(t *testing.T) {
	s := newHostileSite(t)
	skipped := []string{ // these start processes of their own, or ask the machine's service manager
		"daemon start", "daemon restart", "daemon install", "daemon uninstall",
	}
	writes := []string{"close", "create", "defer", "delete", "edit", "q", "reopen", "restore", "unclaim", "undefer", "update", "reset", "init",
		"duplicate", "supersede", "rename-prefix", "import", "onboard"}
	all := leaves()
	slices.SortStableFunc(all, func(a, b []string) int {
		order := func(path []string) int {
			if slices.Contains(writes, path[0]) || slices.Contains([]string{"add", "remove", "edit", "delete", "set", "unset"}, path[len(path)-1]) {
				return 1
			}
			return 0
		}
		return order(a) - order(b)
	})
	shapes := [][]string{{}, {"bd-one"}, {"bd-three", "bd-epic"}, {hostile + "\n" + forged}, {"bd-one", "--no" + hostile + "\n" + forged}}
	extra := [][]string{
		{"list", "--long", "--all"}, {"list", "--tree"}, {"list", "--format", "compact"}, {"list", "--format", "csv"}, {"list", "--format", "ids"},
		{"show", "--short", "bd-one"}, {"show", "bd-one", "bd-two", "bd-three", "bd-epic", "bd-four"}, {"history", "bd-four"}, {"history", "bd-id\r\n" + forged + hostile},
		{"graph", "--format", "dot"}, {"graph", "--format", "mermaid"}, {"graph", "--format", "svg"}, {"dep", "tree", "bd-two"}, {"dep", "list", "bd-three"},
		{"count", "--by-status"}, {"count", "--by", "assignee"}, {"count", "--by", "label"}, {"search", "evil"}, {"query", "title~evil"},
		{"recover", "--quarantine"}, {"config", "list"}, {"config", "get", "actor"}, {"daemon", "logs", "--tail", "50"}, {"doctor", "-v"}, {"sync", "--publish", "origin"}, {"sync", "--status"},
		{"list", "--assignee", hostile}, {"list", "--sort", hostile}, {"--db", hostile, "list"}, {"--actor", hostile, "update", "bd-two", "--claim"}, {"create", "x", "-t", hostile},
	}
	if testing.Short() {
		shapes = shapes[:2]
	}
	ran := 0
	one := func(terminal, json bool, args []string) {
		if json {
			args = append(slices.Clone(args), "--json")
		}
		_, stdout, stderr := s.run(terminal, args...)
		s.check(args, json, terminal, stdout, stderr)
		ran++
	}
	for n, args := range extra {
		for _, mode := range [][2]bool{{false, false}, {false, true}, {true, false}, {true, true}} {
			if n < len(extra)-3 {
				one(mode[0], mode[1], args)
			}
		}
	}
	for _, path := range all {
		if slices.Contains(skipped, strings.Join(path, " ")) {
			continue
		}
		for n, shape := range shapes {
			args := append(slices.Clone(path), shape...)
			one(false, false, args)
			one(n == 1, true, args)
			if n < 2 {
				one(true, false, args)
			}
		}
	}
	for _, args := range extra[len(extra)-3:] {
		one(false, false, args)
		one(false, true, args)
	}
	if _, stdout, _ := s.run(false, "show", "bd-one"); !strings.Contains(stdout, `\x1b`) && !strings.Contains(stdout, `\e`) {
		t.Errorf("the test is blunt: bd show has no escape to show\n%s", stdout)
	}
	if t.Logf("%d command lines", ran); len(all) < 70 {
		t.Errorf("only %d commands were found", len(all))
	}
}
