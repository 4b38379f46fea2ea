package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"beads/internal/config"
	"beads/internal/interrupt"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/terminal"
	"beads/internal/workspace"
)

// Process is everything a run takes from its surroundings, so that tests need
// no process of their own and nothing here reads a global.
type Process struct {
	Args           []string // without the program's name
	Dir            string   // working directory
	Environ        []string // passed on to child processes
	Getenv         func(string) string
	Stdin          io.Reader // nil: there is none, and a text given as - is that text
	Stdout, Stderr io.Writer
	StdoutTerminal bool
	StderrTerminal bool
	Width          int                    // columns of the terminal; 0 if unknown
	Height         int                    // its lines; 0 if unknown
	Set            func(name string) bool // whether a variable is set, also to nothing
	Executable     string
	Login          func() string // login name, the last resort for the actor
	Home           string
	Now            func() time.Time
	Rand           io.Reader
	Location       *time.Location
}

// app is one run: the process, the global flags, and what was opened on demand.
type app struct {
	Process
	input *input          // standard input, for commands that read it themselves
	out   *bufio.Writer   // standard output; flushed once, at the end
	pager *terminal.Pager // between out and a terminal, for what is long

	json        bool
	quiet       bool
	verbose     bool
	noColor     bool
	noPager     bool
	readonly    bool
	db          string
	actor       string
	lockTimeout time.Duration

	stdinRead bool // standard input was read whole
	wrote     bool // operations were committed

	command string // "create", "dep add": who holds the lock, for those who wait
	ws      *workspace.Workspace

	routed  *elsewhere // why ws is not the workspace that we stand in; nil if it is
	routing *routing   // of the one that we stand in, read when an id is not in it

	configMu   sync.Mutex     // guards what follows
	config     []*config.File // read once, when a setting is asked for, and by a daemon's reload
	configRead bool

	bar   progressBar
	below string // a notice that stands below the output

	actorAt, actorKnown string // who acts in the workspace of that directory

	noTopic error // of help that was asked about what is no command
}

// Run runs one command line and returns its exit code. It closes what it opened.
func Run(ctx context.Context, p Process) int {
	a := &app{Process: p, input: &input{ctx: ctx, in: p.Stdin}, out: bufio.NewWriterSize(p.Stdout, 32<<10)}
	root := newRoot(a)
	if slices.Contains(p.Args, "help") {
		checkTopics(root)
	}
	root.SetArgs(p.Args)
	root.SetIn(p.Stdin)
	root.SetOut(a.out)
	root.SetErr(p.Stderr)
	if completing(p.Args) {
		addCompletions(a, root)
	}
	err := cmp.Or(root.ExecuteContext(ctx), a.noTopic)
	a.endProgress()
	a.afterword(ctx)
	if a.ws != nil {
		err = errors.Join(err, a.ws.Close())
	}
	flushErr := a.out.Flush()
	if a.pager != nil {
		flushErr = errors.Join(flushErr, a.pager.Close())
	}
	if err == nil && flushErr != nil && !closedPipe(flushErr) {
		err = a.outputLost(flushErr)
	}
	if a.below != "" && flushErr == nil {
		a.notice(a.below)
	}
	if err == nil {
		a.autoStart(ctx)
	}
	return a.report(err)
}

// outputLost is the error for output that could not be written. Who tries again
// should know whether the work is done already.
func (a *app) outputLost(err error) error {
	f := asFailure(fmt.Errorf("the output is lost: %w", err))
	if a.wrote {
		_ = f.withHint("what the command was to change is changed; only its output is missing")
	}
	return f
}

// place finds the workspace without opening anything.
func (a *app) place() (workspace.Place, error) {
	return workspace.Find(a.Dir, a.db, a.Getenv)
}

// existing finds the workspace for commands that need one and open nothing.
func (a *app) existing() (workspace.Place, error) {
	place, err := a.place()
	if err == nil && !place.Exists {
		err = place.Missing()
	}
	return place, err
}

// open opens the workspace once per run.
func (a *app) open(ctx context.Context) (*workspace.Workspace, error) {
	if a.ws != nil {
		return a.ws, nil
	}
	place, err := a.place()
	if err != nil {
		return nil, err
	}
	a.ws, err = workspace.Open(ctx, place, a.options(place))
	return a.ws, err
}

// options are what the workspace needs of this process.
func (a *app) options(place workspace.Place) workspace.Options {
	return workspace.Options{
		Now: a.Now, Rand: a.Rand,
		Actor:       func() string { return a.actorName(place) },
		Session:     a.Getenv("BD_SESSION"),
		Command:     "bd " + a.command,
		LockTimeout: a.lockTimeout,
		ReadOnly:    a.readonly,
		Notice:      a.notice,
		Progress:    a.progress(),
		Archive:     a.archive(place),
	}
}

// view runs fn on one consistent snapshot that is as fresh as can be had at once.
func (a *app) view(cmd *cobra.Command, fn func(*projection.Query) error) error {
	return a.inWorkspace(cmd.Context(), func(w *workspace.Workspace) error { return w.View(cmd.Context(), fn) })
}

// commit is the way every command writes: decide sees the current state under
// the write lock and returns what is to be done.
func (a *app) commit(cmd *cobra.Command, decide func(*workspace.Tx) ([]workspace.Draft, error)) ([]*op.Operation, error) {
	var made []*op.Operation
	err := a.inWorkspace(cmd.Context(), func(w *workspace.Workspace) (err error) {
		if err = a.checkActor(w.Place()); err == nil {
			made, err = w.Commit(cmd.Context(), decide)
		}
		return err
	})
	a.wrote = a.wrote || len(made) > 0
	return made, err
}

// notice tells the person something that is not the result, in one line.
func (a *app) notice(line string) {
	if !a.quiet {
		a.endProgress()
		fmt.Fprintf(a.Stderr, "bd: %s\n", visible(line))
	}
}

// page puts a pager between standard output and a terminal, as Git does: for
// commands that only show something, and started only when it does not fit.
func (a *app) page(cmd *cobra.Command) {
	top := cmd
	for top.HasParent() && top.Parent().HasParent() {
		top = top.Parent()
	}
	if follow := cmd.Flags().Lookup("follow"); follow != nil && follow.Changed {
		return
	}
	if !a.StdoutTerminal || a.Height == 0 || a.noPager || a.dumb() || top.GroupID != groupRead {
		return
	}
	command := terminal.PagerCommand(a.Getenv, a.Set)
	if command == "" {
		return
	}
	interrupt.Catch(cmd.Context())
	a.pager = &terminal.Pager{Command: command, Rows: a.Height, Streams: terminal.Streams{
		Stdin: a.Stdin, Stdout: a.Stdout, Stderr: a.Stderr, Dir: a.Dir, Environ: a.Environ,
	}}
	a.out.Reset(a.pager)
}
