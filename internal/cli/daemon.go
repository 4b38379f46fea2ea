package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"beads/internal/config"
	"beads/internal/control"
	"beads/internal/daemon"
	"beads/internal/fleet"
	"beads/internal/replica"
	"beads/internal/workspace"
)

// Exit codes of bd daemon status, beside 0 for a running daemon.
const (
	exitStopped = 3
	exitFailing = 4
)

// daemonJSON is what start, restart and stop print with --json.
type daemonJSON struct {
	PID    int    `json:"pid"`
	Status string `json:"status"`
}

// daemonStart is how a daemon is to be started.
type daemonStart struct {
	config     string // --config; "" is daemon.yaml in the workspace
	foreground bool
	background bool // whatever daemon.yaml says
	report     bool // we are the process in the background: report to who started us
	replaced   bool // as report, but an older program has become us, and nobody waits
}

func newDaemon(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "daemon",
		Short: "Keep the database current in the background",
		Long: `Run one process for this workspace that sees what editors, git and other tools do to the
log and brings the database up to date. Commands work the same without it.`,
		Example: "  bd daemon start\n  bd daemon status",
	}
	cmd.AddCommand(newDaemonStart(a), newDaemonStop(a), newDaemonRestart(a), newDaemonStatus(a), newDaemonHealth(a), newDaemonLogs(a),
		newDaemonMetrics(a), newDaemonInstall(a), newDaemonUninstall(a), newDaemonsList(a), newDaemonsKillall(a))
	return needSubcommand(cmd)
}

func newDaemonStart(a *app) *cobra.Command {
	var o daemonStart
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Start the daemon",
		Long: `Start the daemon in the background and return when it is ready, or say why it is not.
With --foreground it stays here and logs to the terminal, as systemd, launchd and
containers want it.`,
		Example: "  bd daemon start\n  bd daemon start --foreground --config ci/daemon.yaml",
		Args:    arguments(0, 0, "no arguments"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.daemonStart(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.foreground, "foreground", false, "stay in the foreground and log to the terminal")
	flags.StringVar(&o.config, "config", "", "read settings from `PATH` (default .beads/daemon.yaml)")
	flags.BoolVar(&o.report, "report-ready", false, "for the process in the background")
	flags.BoolVar(&o.replaced, replacedFlag, false, "for the process in the background, after an upgrade")
	flags.Bool("auto-commit", false, "accepted without effect")
	flags.Bool("auto-push", false, "accepted without effect")
	flags.Bool("auto-pull", false, "accepted without effect")
	flags.Duration("interval", 0, "accepted without effect")
	for _, name := range []string{"report-ready", replacedFlag, "auto-commit", "auto-push", "auto-pull", "interval"} {
		flags.Lookup(name).Hidden = true
	}
	return cmd
}

func newDaemonStop(a *app) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:     "stop",
		Short:   "Stop the daemon",
		Long:    "Ask the daemon to stop, and return when it has let go of everything.",
		Example: "  bd daemon stop\n  bd daemon stop --force",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			place, err := a.place()
			if err != nil {
				return err
			}
			pid, err := fleet.Stop(cmd.Context(), place, a.socketsOf(place), force)
			if err != nil {
				return daemonFailure(err)
			}
			if a.json {
				return a.printJSON(daemonJSON{pid, control.Stopped})
			}
			a.say("Stopped daemon with PID %d", pid)
			return nil
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "kill it if it does not stop in time")
	return cmd
}

func newDaemonRestart(a *app) *cobra.Command {
	var o daemonStart
	cmd := &cobra.Command{
		Use:   "restart",
		Short: "Stop the daemon if it runs, and start it",
		Long: `Stop the daemon of this workspace, if there is one, and start a new one. Settings that are
wrong are reported first, and the old daemon goes on.`,
		Example: "  bd daemon restart --config .beads/daemon.yaml",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			place, err := a.place()
			if err != nil {
				return err
			}
			// A broken configuration must not cost the daemon that runs.
			if _, err := a.daemonConfig(place, o); err != nil {
				return err
			}
			if err := a.stopDaemon(cmd.Context(), place); err != nil {
				return err
			}
			return a.daemonStart(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.config, "config", "", "read settings from `PATH` (default .beads/daemon.yaml)")
	return cmd
}

// daemonStart is bd daemon start.
func (a *app) daemonStart(ctx context.Context, o daemonStart) error {
	place, err := a.place()
	if err != nil {
		return err
	}
	pid, err := a.startDaemon(ctx, place, o)
	if err != nil || pid == 0 {
		return err
	}
	if a.json {
		return a.printJSON(daemonJSON{pid, control.Running})
	}
	a.say("Started daemon with PID %d", pid)
	return nil
}

// startDaemon starts the daemon of the workspace at place and returns its PID
// once it is ready. In the foreground it returns when the daemon has ended, with
// PID 0.
func (a *app) startDaemon(ctx context.Context, place workspace.Place, o daemonStart) (pid int, err error) {
	if a.readonly {
		return 0, workspace.ErrReadOnly
	}
	c, err := a.daemonConfig(place, o)
	if o.report || o.replaced {
		return 0, a.runInBackground(ctx, place, c, o, err)
	}
	if err != nil {
		return 0, err
	}
	if c.Config.Foreground && !o.background {
		return 0, daemonFailure(a.runDaemon(ctx, place, o, c, nil))
	}
	if client, err := control.Connect(ctx, a.socketsOf(place).Paths(place.Dir), os.Getuid()); err == nil {
		return 0, daemonFailure(&fleet.RunningError{PID: client.PID()})
	}
	// Brings a directory that was wiped back, where the log file will be.
	if _, err := a.open(ctx); err != nil {
		return 0, err
	}
	ready, err := fleet.Spawn(ctx, place, daemonDir(place), a.daemonCommand(place, o), a.Environ)
	if err != nil {
		return 0, err
	}
	if ready.Error != "" {
		f := failf(ready.Code, "%s", ready.Error)
		f.hint = ready.Hint
		return 0, f
	}
	return ready.PID, nil
}

// initDaemon is bd init --start-daemon. A daemon that runs is as good.
func (a *app) initDaemon(ctx context.Context) error {
	pid, err := a.startDaemon(ctx, a.ws.Place(), daemonStart{background: true})
	var running *fleet.RunningError
	switch {
	case errors.As(err, &running):
		a.notice(running.Error())
	case err != nil:
		return err
	default:
		a.say("Started daemon with PID %d", pid)
	}
	return nil
}

// stopDaemon stops the daemon of the workspace at place, if there is one.
func (a *app) stopDaemon(ctx context.Context, place workspace.Place) error {
	if _, err := fleet.Stop(ctx, place, a.socketsOf(place), false); err != nil && !errors.Is(err, fleet.ErrNotRunning) {
		return daemonFailure(err)
	}
	return nil
}

// daemonConfig reads the settings for a start.
func (a *app) daemonConfig(place workspace.Place, o daemonStart) (daemon.Settings, error) {
	if !place.Exists {
		return daemon.Settings{}, place.Missing()
	}
	s, err := a.daemonSettings(place, o)
	if err == nil && !s.Config.Enabled {
		err = daemon.DisabledError{By: s.Config.EnabledBy}
	}
	return s, daemonFailure(err)
}

// daemonDir is where the process in the background works: the place must be
// found from there, and it must not keep a linked worktree from being removed.
func daemonDir(place workspace.Place) string {
	if place.Root != "" {
		return place.Root
	}
	return place.CommonDir
}

// daemonCommand is the command line of the process in the background.
func (a *app) daemonCommand(place workspace.Place, o daemonStart) []string {
	args := []string{a.Executable, "daemon", "start", "--report-ready"}
	if o.config != "" {
		args = append(args, "--config", a.path(o.config))
	}
	if place.Explicit != "" {
		args = append(args, "--db", place.DB)
	}
	if a.actor != "" {
		args = append(args, "--actor", a.actor)
	}
	return args
}

// runInBackground is the other end of startDaemon. Its standard error is the log
// file, so a reason not to start goes to who waits instead.
func (a *app) runInBackground(ctx context.Context, place workspace.Place, c daemon.Settings, o daemonStart, err error) error {
	pipe := readyPipe(o)
	if err == nil {
		err = a.runDaemon(ctx, place, o, c, func() error {
			return fleet.Ready{PID: os.Getpid()}.Report(pipe)
		})
		err = daemonFailure(err)
	}
	if err == nil {
		return nil
	}
	f := asFailure(err)
	reason := fleet.Ready{Error: strings.ReplaceAll(f.Error(), "\n", "; "), Code: f.code, Hint: f.hint}
	var running *fleet.RunningError
	if reason.Report(pipe) != nil && !errors.As(err, &running) {
		return f // nobody listens, or any more: standard error is the log
	}
	return exitWith(f.exit)
}

// runDaemon is the daemon, until it ends. ready is called once it is ready and
// makes it log to its file; without it the log goes to standard error.
func (a *app) runDaemon(ctx context.Context, place workspace.Place, start daemonStart, c daemon.Settings, ready func() error) error {
	signals, release := daemon.Signals()
	defer release()
	o := daemon.Options{
		Place: place, Config: c.Config, Remote: c.Remote, Sockets: a.sockets(), Registry: a.registry(), Zone: a.Location, Now: a.Now, Elapsed: daemon.SystemElapsed(),
		PID: os.Getpid(), Hostname: hostname(), Version: version, Signals: signals,
		Program: daemon.Program{Path: a.stableExecutable(), Environ: a.Environ},
		Load:    func() (daemon.Settings, error) { return a.daemonSettings(place, start) },
		Files:   a.settingsFiles(start),
	}
	a.workspaceOptions(&o, place, c.Config)
	a.exchangeOptions(&o, place, c.Config)
	if ready == nil {
		o.Log = a.Stderr
	}
	d, err := daemon.Start(ctx, o)
	if err != nil {
		return err
	}
	if ready != nil {
		// Who started us may have been interrupted: no reason to end.
		_ = ready()
	}
	err = d.Run(ctx)
	if d.Replaced() && ctx.Err() == nil {
		return errors.Join(err, a.becomeNewProgram(o.Program.Path))
	}
	return err
}

// openForDaemon opens a workspace that stays open.
func (a *app) openForDaemon(ctx context.Context, place workspace.Place, c config.Daemon, notice func(string)) (*workspace.Workspace, error) {
	options := a.options(place)
	options.Command, options.Notice, options.Progress, options.StayGone = "bd daemon", notice, nil, true
	options.CacheSize = daemon.CacheSize(c.MaxMemory)
	return workspace.Open(ctx, place, options)
}

// exchangeOptions lets the daemon replicate, where there is a repository.
func (a *app) exchangeOptions(o *daemon.Options, place workspace.Place, c config.Daemon) {
	if place.CommonDir == "" {
		return
	}
	o.Rand = a.Rand
	o.Exchange = func(ctx context.Context, notice func(string)) (daemon.Exchanger, error) {
		w, err := a.openForDaemon(ctx, place, c, notice)
		if err != nil {
			return nil, err
		}
		runner := replica.NewRunner(place, a.Environ, a.Home)
		runner.Grace = time.Second // a stop does not wait longer for a git that hangs
		return daemonReplica{replica.New(w, runner, replica.Options{
			Ref: a.configValue(place, "git.ref"), Remote: a.configValue(place, "git.remote"),
			Interactions: a.configBool(place, "interactions.replicate"),
			Now:          a.Now, Rand: a.Rand, Command: "bd daemon", Notice: notice,
		}), w}, nil
	}
}

// daemonReplica is a replica with a workspace of its own.
type daemonReplica struct {
	*replica.Replica
	w *workspace.Workspace
}

// Sync keeps no memory for the time until the next one.
func (r daemonReplica) Sync(ctx context.Context, o replica.SyncOptions) (replica.Report, error) {
	report, err := r.Replica.Sync(ctx, o)
	return report, errors.Join(err, r.w.FreeMemory())
}

func (r daemonReplica) Close() error { return r.w.Close() }

// sockets is where control sockets may be.
func (a *app) sockets() control.Place {
	temp := a.Getenv("TMPDIR")
	if !filepath.IsAbs(temp) {
		temp = os.TempDir()
	}
	return control.Place{Runtime: a.Getenv("XDG_RUNTIME_DIR"), Temp: temp, UID: os.Getuid()}
}

// socketsOf is where the daemon of the workspace at place may listen.
func (a *app) socketsOf(place workspace.Place) control.Place { return a.fleet().SocketsOf(place.Dir) }

// daemonFailure gives the daemon's errors their codes and hints.
func daemonFailure(err error) error {
	var running *fleet.RunningError
	var stop *fleet.StopError
	var disabled daemon.DisabledError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &running):
		return failf("daemon_running", "%w", running).withHint("bd daemon status, or bd daemon restart")
	case errors.As(err, &disabled):
		return failf("daemon_disabled", "%w", disabled).withHint("set enabled: true there")
	case errors.As(err, &stop):
		f := failf("daemon_stop", "%w", stop)
		if stop.Patient {
			return f.withHint("bd daemon stop --force kills it")
		}
		return f
	case errors.Is(err, fleet.ErrNotRunning):
		return failf("daemon_not_running", "%w", err).withHint("bd daemon start")
	}
	return err
}
