package cli_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"beads/internal/cli"
	"beads/internal/interrupt"
	"beads/internal/mcpserver"
)

// TestMain lets the test binary be bd, or bd-mcp, when a script calls it so.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"bd":     func() { os.Exit(run(cli.Run)) },
		"bd-mcp": func() { os.Exit(run(mcpserver.Main)) },
	})
}

// run is cmd/bd, or cmd/bd-mcp, for scripts. BD_TEST_TERMINAL=COLUMNS makes it believe that
// its output goes to a terminal of that width.
func run(program func(context.Context, cli.Process) int) int {
	dir, err := os.Getwd()
	if err != nil {
		dir = "."
	}
	executable, err := os.Executable()
	if err != nil {
		executable = os.Args[0]
	}
	width, _ := strconv.Atoi(os.Getenv("BD_TEST_TERMINAL"))
	recording := startRecording(os.Getenv(recordVariable), os.Args[1:])
	return recording.end(program(interrupt.Context(), cli.Process{
		Args:           os.Args[1:],
		Dir:            dir,
		Environ:        os.Environ(),
		Getenv:         os.Getenv,
		Stdin:          os.Stdin,
		Stdout:         recording.copied("stdout", os.Stdout),
		Stderr:         recording.copied("stderr", os.Stderr),
		StdoutTerminal: width > 0,
		StderrTerminal: width > 0,
		Width:          width,
		Executable:     executable,
		Login: func() string {
			if u, err := user.Current(); err == nil {
				return u.Username
			}
			return ""
		},
		Home:     os.Getenv("HOME"),
		Now:      time.Now,
		Rand:     rand.Reader,
		Location: time.Local,
	}))
}

// TestScripts runs testdata/script/*.txtar. Beside testscript's own commands
// there are:
//
//	json FILE PATH [VALUE]    PATH is in FILE's JSON, and is VALUE
//	lines FILE N              FILE has N lines
//	capture NAME FILE [PATH]  sets the variable to the file's text, or to PATH in its JSON
//	exits CODE COMMAND…       the command ends with exactly that exit code
//	repeat CHAR N FILE        writes a file of N times CHAR
//	eventually COMMAND…       runs the command until it succeeds (with "!": fails)
//	signal NAME PID           sends KILL, STOP, CONT, TERM, INT, HUP or USR1 and sees it through
//	together N M COMMAND…     runs the command N times at once; M succeed
//
// What every bd prints with --json is held against docs/schema when its script
// has ended.
//
// PATH is a.0.b, or a.len (or a.'#') for a length; in VALUE \n is a line end.
// FILE may be stdout or stderr, and "! json" and "! lines" demand the opposite.
// Every script starts in $WORK/work (so its files are called work/NAME) and has
// a home of its own outside that. Git's user is Test User, the time zone is UTC,
// and the actor comes from Git.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireUniqueNames:  true,
		Setup:               readContract(t).setupScript,
		Cmds:                scriptCommands(),
		ContinueOnError:     false,
		RequireExplicitExec: false,
	})
}

func (contract *contract) setupScript(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, ".home")
	if err := os.MkdirAll(filepath.Join(home, "run"), 0o700); err != nil {
		return err
	}
	gitConfig := filepath.Join(home, "gitconfig")
	text := "[user]\n\tname = Test User\n\temail = test@example.com\n[init]\n\tdefaultBranch = main\n"
	if err := os.WriteFile(gitConfig, []byte(text), 0o600); err != nil {
		return err
	}
	for key, value := range map[string]string{
		"GORACE":                  "atexit_sleep_ms=0", // else each command ends a second late under the race detector
		"HOME":                    home,
		"XDG_CONFIG_HOME":         filepath.Join(home, "config"),
		"XDG_DATA_HOME":           filepath.Join(home, "data"),
		"XDG_STATE_HOME":          filepath.Join(home, "state"),
		"XDG_CACHE_HOME":          filepath.Join(home, "cache"),
		"XDG_RUNTIME_DIR":         filepath.Join(home, "run"),
		"GIT_CONFIG_NOSYSTEM":     "1",
		"GIT_CONFIG_GLOBAL":       gitConfig,
		"GIT_CEILING_DIRECTORIES": filepath.Dir(env.WorkDir),
		"TZ":                      "UTC",
		"LC_ALL":                  "C.UTF-8",
	} {
		env.Setenv(key, value)
	}
	env.Setenv(recordVariable, filepath.Join(home, "records"))
	if err := os.Mkdir(env.Getenv(recordVariable), 0o700); err != nil {
		return err
	}
	env.Defer(func() { contract.checkScript(env) })
	env.Defer(func() { stopDaemons(env) })
	if os.Getenv("GORACE") == "" { // the race detector's default is a second at the end of every bd
		env.Setenv("GORACE", "atexit_sleep_ms=10")
	}
	work := filepath.Join(env.WorkDir, "work")
	env.Cd = work
	return os.MkdirAll(work, 0o755)
}

func scriptCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"json":    scriptJSON,
		"lines":   scriptLines,
		"capture": scriptCapture,
		"exits":   scriptExits,
		"repeat":  scriptRepeat,

		"eventually": scriptEventually,
		"signal":     scriptSignal,
		"together":   scriptTogether,
	}
}

func scriptJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 && len(args) != 3 {
		ts.Fatalf("usage: json FILE PATH [VALUE]")
	}
	value, err := lookUp(ts.ReadFile(args[0]), args[1])
	value = strings.ReplaceAll(value, "\n", `\n`) // as scripts can write it
	switch {
	case neg && len(args) == 2:
		if err == nil {
			ts.Fatalf("%s is there: %s", args[1], value)
		}
	case err != nil:
		ts.Fatalf("%v", err)
	case len(args) == 3 && (value == args[2]) == neg:
		ts.Fatalf("%s is %q, want (not: %t) %q", args[1], value, neg, args[2])
	}
}

// lookUp returns the value at path as text: strings bare, everything else as
// JSON.
func lookUp(text, path string) (string, error) {
	var value any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return "", fmt.Errorf("not JSON: %w: %q", err, text)
	}
	if decoder.More() {
		return "", fmt.Errorf("more than one JSON value: %q", text)
	}
	for step := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			member, ok := v[step]
			if step == "len" || step == "#" {
				member, ok = json.Number(strconv.Itoa(len(v))), true
			}
			if !ok {
				return "", fmt.Errorf("no %q in %s: %s", step, path, text)
			}
			value = member
		case []any:
			if step == "len" || step == "#" {
				value = json.Number(strconv.Itoa(len(v)))
				continue
			}
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(v) {
				return "", fmt.Errorf("no element %q in %s: %s", step, path, text)
			}
			value = v[i]
		default:
			if step == "" && path == "" {
				continue
			}
			return "", fmt.Errorf("%q in %s is of a plain value: %s", step, path, text)
		}
	}
	if s, ok := value.(string); ok {
		return s, nil
	}
	encoded, err := json.Marshal(value)
	return string(encoded), err
}

func scriptLines(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: lines FILE N")
	}
	text := ts.ReadFile(args[0])
	n := strings.Count(text, "\n")
	if text != "" && !strings.HasSuffix(text, "\n") {
		n++
	}
	if want, err := strconv.Atoi(args[1]); err != nil || (n == want) == neg {
		ts.Fatalf("%s has %d lines, want (not: %t) %s", args[0], n, neg, args[1])
	}
}

func scriptCapture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 && len(args) != 3 {
		ts.Fatalf("usage: capture NAME FILE [PATH]")
	}
	value := strings.TrimSpace(ts.ReadFile(args[1]))
	if len(args) == 3 {
		var err error
		if value, err = lookUp(value, args[2]); err != nil {
			ts.Fatalf("%v", err)
		}
	}
	ts.Setenv(args[0], value)
}

func scriptExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s: %s", code, args[0], slices.Concat(args[1:]))
	}
}

func scriptRepeat(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: repeat CHAR N FILE")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(strings.Repeat(args[0], n)), 0o600))
}
