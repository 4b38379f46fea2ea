package git

import (
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Bounds of one call.
const (
	localDeadline  = 10 * time.Minute
	remoteDeadline = 5 * time.Minute
	askDeadline    = 30 * time.Second // of a question that a few bytes answer
	graceOfTerm    = 5 * time.Second
	maxOutput      = 64 << 20 // bytes of standard output that are collected
)

// Runner runs git in one repository. Its fields do not change once it is in use.
type Runner struct {
	GitDir string   // the common directory, absolute
	Dir    string   // working directory: the main worktree, which relative URLs count from; "": GitDir
	Env    []string // the caller's environment
	Home   string   // of the user, for ~ in the configuration

	Program string        // "": git, from the caller's path
	Local   time.Duration // deadline of a call that stays here; 0: 10 min
	Remote  time.Duration // the same of one that goes elsewhere, or of silence where a pack comes; 0: 5 min, and 30 s to ask where a ref is
	Grace   time.Duration // between SIGTERM and SIGKILL; 0: 5 s
}

// call is one run of git.
type call struct {
	config []string              // more of the configuration, key=value
	args   []string              // the command and what follows
	input  func(io.Writer) error // writes standard input; nil: there is none
	output func(io.Reader) error // reads standard output; nil: it is returned

	durable  bool // fsync what is written
	writes   bool // temporary files are looked for when it fails
	remote   bool
	asks     bool // remote, and little to answer
	receives bool // remote, and objects come, however long that takes
}

// Getenv looks a variable up in the runner's environment.
func (r *Runner) Getenv(key string) string {
	for i := len(r.Env) - 1; i >= 0; i-- {
		if name, value, _ := strings.Cut(r.Env[i], "="); name == key {
			return value
		}
	}
	return ""
}

// Config is Git's configuration as it is now, read from its files.
func (r *Runner) Config() Config {
	return LoadConfig(r.GitDir, r.GitDir, r.Home, r.Getenv)
}

// run runs git to its end. When ctx or the deadline ends first, the whole
// process group is told to end and, after the grace, killed; run returns when it
// is gone. Of several failures the one of git itself is reported, since an input
// that could not be written, or an output that ended early, follows from it.
func (r *Runner) run(ctx context.Context, c call) ([]byte, error) {
	deadline, fallback := r.Local, localDeadline
	if c.remote {
		deadline, fallback = r.Remote, remoteDeadline
	}
	if c.asks {
		fallback = askDeadline
	}
	if deadline <= 0 {
		deadline = fallback
	}
	ctx, cancel := r.withDeadline(ctx, c, deadline)
	defer cancel()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	p := &process{call: c, grace: r.Grace, started: time.Now()}
	if p.grace <= 0 {
		p.grace = graceOfTerm
	}
	options := r.globalOptions(c.durable)
	for _, setting := range c.config {
		options = append(options, "-c", setting)
	}
	p.cmd = exec.Command(r.program(), append(options, c.args...)...)
	p.cmd.Env = environment(r.Env, c.remote && r.Config().Get("core.sshcommand") != "")
	p.cmd.Dir = r.workingDir()
	p.cmd.SysProcAttr = ownGroup()
	out, err := p.run(ctx)
	if err == nil {
		return out, nil
	}
	if c.writes {
		r.removeResidue(p)
	}
	return nil, r.explain(ctx, p, err)
}

// workingDir is where git is run, and what relative URLs count from.
func (r *Runner) workingDir() string {
	if info, err := os.Stat(r.Dir); r.Dir == "" || err != nil || !info.IsDir() {
		return r.GitDir
	}
	return r.Dir
}

func (r *Runner) program() string {
	if r.Program != "" {
		return r.Program
	}
	return "git"
}
