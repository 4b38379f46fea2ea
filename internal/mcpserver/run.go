package mcpserver

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"beads/internal/cli"
)

// A line is a command line under construction. Values stand behind = and
// operands behind --, so that none is ever taken for a flag.
type line []string

func command(words ...string) line { return words }

// with adds a flag unless its value is empty.
func (l line) with(flag, value string) line {
	if value == "" {
		return l
	}
	return append(l, "--"+flag+"="+value)
}

// set adds a flag that was given, also as "".
func (l line) set(flag string, value *string) line {
	if value == nil {
		return l
	}
	return append(l, "--"+flag+"="+*value)
}

// number adds a flag that was given.
func (l line) number(flag string, value *int) line {
	if value == nil {
		return l
	}
	return append(l, fmt.Sprintf("--%s=%d", flag, *value))
}

// each adds a flag once for every value.
func (l line) each(flag string, values []string) line {
	for _, value := range values {
		l = append(l, "--"+flag+"="+value)
	}
	return l
}

func (l line) on(flag string, given bool) line {
	if !given {
		return l
	}
	return append(l, "--"+flag)
}

func (l line) operands(values ...string) line { return append(append(l, "--"), values...) }

// runner runs command lines.
type runner struct {
	process cli.Process
	options Options
	serving context.Context // ends all calls when the server does
	log     *slog.Logger
}

// run runs one command line in the workspace of root, "" being the server's own
// directory, and returns the JSON that it printed. Texts are cut at limit bytes
// (0: not). Notices are told to ctx. A failure of the command is a *problem.
func (r *runner) run(ctx context.Context, root string, args line, limit int) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(r.serving, cancel)()
	p := r.process
	db := r.options.DB
	if root != "" {
		if err := checkRoot(root); err != nil {
			return nil, err
		}
		p, db = elsewhere(p, root), ""
	}
	global := command("--json").with("db", db).with("actor", r.options.Actor).on("readonly", r.options.ReadOnly).
		with("lock-timeout", r.options.LockTimeout.String())
	var stdout, stderr bytes.Buffer
	p.Args = slices.Concat(global, args)
	p.Stdin, p.Stdout, p.Stderr = nil, &stdout, &stderr
	code := cli.Run(ctx, p)
	notices, failure := r.messages(&stderr)
	if code != 0 {
		if failure == nil {
			failure = newProblem("failed", fmt.Sprintf("bd %s ended with %d", args[0], code), "")
		}
		return nil, failure
	}
	tell(ctx, notices)
	return visible(stdout.Bytes(), limit)
}

// messages takes apart what a command said beside its result: notices in lines
// that begin with "bd: ", and one error in JSON. Notices are logged too.
func (r *runner) messages(stderr io.Reader) (notices []string, failure *problem) {
	text, _ := io.ReadAll(stderr) // a buffer, which cannot fail
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		var told struct{ Error, Code, Hint string }
		switch {
		case strings.HasPrefix(line, "{") && json.Unmarshal([]byte(line), &told) == nil:
			failure = newProblem(told.Code, told.Error, told.Hint)
		case line != "":
			r.log.Warn(line)
			notices = append(notices, strings.TrimPrefix(line, "bd: "))
		}
	}
	return notices, failure
}

// checkRoot tells a wrong workspace_root before commands look upward from it.
func checkRoot(root string) error {
	if !filepath.IsAbs(root) {
		return newProblem("invalid", fmt.Sprintf("workspace_root %q is not an absolute path", root), "")
	}
	if info, err := os.Stat(root); err != nil || !info.IsDir() {
		return newProblem("invalid", fmt.Sprintf("workspace_root %q is not a directory", root), "")
	}
	return nil
}

// elsewhere is p in another directory: a workspace that the environment chose
// is not meant then.
func elsewhere(p cli.Process, dir string) cli.Process {
	p.Dir = dir
	for _, name := range []string{"BEADS_DIR", "BEADS_DB"} {
		p = with(p, name, "")
	}
	return p
}

// with is p with another value of an environment variable; "" takes it out.
func with(p cli.Process, name, value string) cli.Process {
	getenv, set := p.Getenv, p.Set
	p.Getenv = func(key string) string {
		if key == name {
			return value
		}
		return getenv(key)
	}
	if set != nil {
		p.Set = func(key string) bool { return key == name && value != "" || key != name && set(key) }
	}
	p.Environ = slices.DeleteFunc(slices.Clone(p.Environ), func(entry string) bool {
		return strings.HasPrefix(entry, name+"=")
	})
	if value != "" {
		p.Environ = append(p.Environ, name+"="+value)
	}
	return p
}
