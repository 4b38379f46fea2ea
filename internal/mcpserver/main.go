package mcpserver

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"

	"beads/internal/cli"
	"beads/internal/companion"
)

// Exit codes, as bd has them.
const (
	exitDone  = 0
	exitFail  = 1
	exitUsage = 2
)

// Options hold for every call of a server.
type Options struct {
	DB          string        // the workspace's database; "" finds it from the directory
	Actor       string        // who acts; "" leaves it to BD_ACTOR and so on
	ReadOnly    bool          // offer no tool that writes, and refuse every write
	LockTimeout time.Duration // how long a call waits for another writer
}

// Main is the program bd-mcp: it serves p's standard streams until the input
// ends or ctx does, and returns the exit code.
func Main(ctx context.Context, p cli.Process) int {
	o, err := parse(p)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitDone
	case err != nil:
		return exitUsage // the flag package has said why
	}
	if err := serve(ctx, p, o); err != nil {
		fmt.Fprintf(p.Stderr, "bd-mcp: error: %v\n", err)
		return exitFail
	}
	return exitDone
}

// parse reads the command line.
func parse(p cli.Process) (Options, error) {
	var o Options
	flags := flag.NewFlagSet("bd-mcp", flag.ContinueOnError)
	flags.SetOutput(p.Stderr)
	flags.Usage = func() {
		fmt.Fprintf(p.Stderr, "bd-mcp is the server that bd mcp starts; bd mcp --help tells more.\n")
		flags.PrintDefaults()
	}
	flags.StringVar(&o.DB, "db", "", "use the workspace of this database `PATH`")
	flags.StringVar(&o.Actor, "actor", "", "act as `NAME`")
	flags.BoolVar(&o.ReadOnly, "readonly", false, "offer no tool that writes")
	flags.DurationVar(&o.LockTimeout, "lock-timeout", 30*time.Second, "wait this long for another writer")
	if err := flags.Parse(p.Args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 || o.LockTimeout < 0 {
		flags.Usage()
		return o, errors.New("wrong usage")
	}
	return o, nil
}

// serve answers one client on p's standard streams.
func serve(ctx context.Context, p cli.Process, o Options) error {
	server, err := New(ctx, p, o)
	if err != nil {
		return err
	}
	session, err := server.Connect(ctx, &Stdio{In: p.Stdin, Out: p.Stdout}, nil)
	if err != nil {
		return fmt.Errorf("begin to serve: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = session.Close() }) // Wait has its error
	defer stop()
	if err := session.Wait(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("serve standard input: %w", err)
	}
	return nil
}

// surroundings are what commands run in get instead of the process's own: no
// terminal, nothing of its streams, bd itself where a daemon is to be started,
// and a session, so that this server's claims are told from those of namesakes.
func surroundings(p cli.Process) cli.Process {
	if bd, err := companion.Find("bd", p.Executable, p.Getenv("PATH")); err == nil {
		p.Executable = bd
	}
	p.StdoutTerminal, p.StderrTerminal, p.Width, p.Height = false, false, 0, 0
	p.Stdin, p.Stdout, p.Stderr = nil, io.Discard, io.Discard
	if p.Getenv("BD_SESSION") == "" {
		p = with(p, "BD_SESSION", "mcp-"+rand.Text()[:8])
	}
	return p
}
