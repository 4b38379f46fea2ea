package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"beads/internal/config"
	"beads/internal/control"
	"beads/internal/daemonlog"
	"beads/internal/fleet"
	"beads/internal/metrics"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/registry"
	"beads/internal/watch"
	"beads/internal/workspace"
)

// Workspace is what a daemon needs of a workspace.Workspace.
type Workspace interface {
	Place() workspace.Place
	Refresh(ctx context.Context, verify bool) (workspace.Report, error)
	RefreshBatch(ctx context.Context, verify bool, limit int) (workspace.Report, error)
	FreeMemory() error
	Repair(ctx context.Context) (workspace.Report, error)
	Check(ctx context.Context, last projection.Mark) (workspace.Condition, error)
	Maintain(ctx context.Context) (more bool, err error)
	Problems(ctx context.Context) ([]op.Problem, error)
	Checkpoint() error
	Peek(ctx context.Context, fn func(*projection.Query) error) error
	Close() error
}

// Options are what the process passes in.
type Options struct {
	Place   workspace.Place
	Config  config.Daemon
	Sockets control.Place
	// Registry is where the daemon can be found. The zero value: nowhere.
	Registry registry.Registry
	Open     func(ctx context.Context, notice func(string)) (Workspace, error)
	// Exchange opens the replication, with a workspace of its own. nil: there is
	// no Git.
	Exchange func(ctx context.Context, notice func(string)) (Exchanger, error)
	Remote   RemoteSettings
	// Load reads Config and Remote again. nil: they stay as they are.
	Load func() (Settings, error)
	// Files are settings files outside the workspace's directory, at whose times
	// the daemon looks now and then.
	Files []string
	// Export makes the file path, relative to the workspace's root, a snapshot of
	// all issues, and reports whether it was another before.
	Export   func(ctx context.Context, path string) (written bool, err error)
	Signals  <-chan os.Signal // what Signals returned; nil: none
	Rand     io.Reader
	Log      io.Writer // nil: daemon.log in the workspace
	Zone     *time.Location
	Now      func() time.Time
	Spent    func() time.Duration // processor time so far, for max_cpu_percent; nil: as measured
	Elapsed  func() Elapsed       // nil: sleep and jumps of the clock are not noticed
	PID      int
	Hostname string
	Version  string
	Program  Program
}

// Daemon is a started daemon: it holds the lock and everything below is open.
type Daemon struct {
	opts    Options
	log     *slog.Logger
	logging liveHandler                   // behind log
	logFile io.Closer                     // nil: the terminal
	current atomic.Pointer[config.Daemon] // schedule.config, for those outside the loop
	lock    *fleet.Lock
	watcher *watch.Watcher
	wake    chan func(context.Context) error // steps that others ask for
	halt    context.CancelFunc
	halted  context.Context // done: a clean stop has begun
	serving sync.WaitGroup
	serve   context.Context // ends the control socket
	hangUp  context.CancelFunc
	metrics *metrics.Set
	events  control.Hub

	// Used by Start, then by Run's loop, then by release.
	ws      Workspace
	scanned bool // Start's refresh has read everything
	socket  *control.Listener
	schedule
	pace     pace
	exchange *exchange // nil: no replication
	program  program
	settings settings
	seen     int64    // rows of operations that the last look found
	meter    cpuMeter // of the metrics; a new interval at each sample
	health   health
	upkeep   upkeep
	clock    clockWatch
	problems problems
	unclean  bool   // the daemon before this one was killed
	lookErr  string // why the lock could not be looked at

	mu          sync.Mutex // guards what follows; nothing is called under it
	state       fleet.State
	cpu         cpuMeter // of the status; a new interval at each heartbeat
	configError string   // why the settings that count are not those in the files

	remote     *control.Remote
	exchanging *time.Time     // since when an exchange is under way; nil: none is
	quarantine *int64         // lines; nil: not counted yet
	found      control.Health // at the last check, as it was told
	measures   bool           // enable_metrics

	checked     checkup
	syncError   string // of the last refresh; "" if it succeeded
	healthError string // what has been unhealthy for some time
}

// Start does what must have worked before the daemon is ready: lock, log,
// workspace and database, watcher, socket. On an error nothing is left open and
// the lock is free. The caller then calls Run.
func Start(ctx context.Context, o Options) (_ *Daemon, err error) {
	if o.Spent == nil {
		o.Spent = spentTime
	}
	d := &Daemon{opts: o, wake: make(chan func(context.Context) error), program: newProgram(o.Program), seen: notSeen}
	d.current.Store(&o.Config)
	d.halted, d.halt = context.WithCancel(context.WithoutCancel(ctx))
	d.serve, d.hangUp = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			if d.log != nil {
				d.log.Error("Daemon not started", "operation", "start", "error", err)
			}
			err = errors.Join(err, d.release(true))
		}
	}()
	if !o.Config.Enabled {
		return nil, DisabledError{o.Config.EnabledBy}
	}
	// A directory that was wiped comes back from the guard copy here.
	if d.ws, err = o.Open(ctx, d.notice); err != nil {
		return nil, err
	}
	now := o.Now()
	who := fleet.Holder{PID: o.PID, StartTime: now.UTC(), Hostname: o.Hostname, Version: o.Version}
	if d.lock, err = fleet.Acquire(ctx, o.Place.DaemonLock(), who); err != nil {
		return nil, err
	}
	if err = d.openLog(); err != nil {
		return nil, err
	}
	d.setLimits(o.Config)
	d.previous()
	d.begin(now)
	// Before the refresh, so that nothing falls between the two.
	if d.watcher, err = d.watch(); err != nil {
		return nil, err
	}
	d.watchSettings(now)
	d.health.polled = d.watcher.Mode() == watch.ModePolling
	// The rest of what is long is done by the loop, when others may run already.
	report, err := d.ws.RefreshBatch(ctx, false, o.Config.BatchSize)
	if err != nil {
		return nil, err
	}
	d.add(report)
	d.state.Restored = int64(report.Restored)
	d.goOn(report.More, now, 0)
	d.scanned = report.Rebuilt || report.FullScan
	d.takeStock(ctx, report.Applied)
	d.measure(now)
	d.count()
	if o.Exchange != nil {
		exchanger, err := o.Exchange(ctx, d.notice)
		if err != nil {
			return nil, err
		}
		d.exchange = newExchange(exchanger, o.Remote, o.Rand, now)
	}
	if d.socket, err = control.Listen(d.socketPaths(), o.Sockets.UID); err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if err := d.socket.Skipped(); err != nil {
		d.log.Warn("The control socket is not where it should be", "operation", "control", "socket", d.socket.Path(), "error", err)
	}
	if err = d.lock.Beat(o.Now()); err != nil {
		return nil, err
	}
	d.saveState()
	d.log.Info("Daemon started", "operation", "start", "version", o.Version, "workspace", o.Place.Dir,
		"watcher", d.watcher.Mode(), "socket", d.socket.Path())
	d.register()
	return d, nil
}

// begin is the state of a daemon that has done nothing yet.
func (d *Daemon) begin(now time.Time) {
	o, started := d.opts, now.UTC()
	d.state = fleet.State{PID: o.PID, StartTime: &started, Status: control.Running, Version: o.Version}
	d.cpu, d.meter = newCPUMeter(now), newCPUMeter(now)
	d.metrics = metrics.New(now)
	d.schedule = newSchedule(o.Config, now)
	d.pace = newPace(o.Config.MaxCPUPercent, now, o.Spent())
	d.health, d.checked.limits = newHealth(now, o.Config, d.unclean), o.Config
	d.upkeep.next = now.Add(upkeepInterval)
}

// DisabledError is what a start fails with when the settings say so.
type DisabledError struct{ By string } // the file, or the environment's variable

func (e DisabledError) Error() string { return "daemon disabled in " + e.By }

func (d *Daemon) openLog() error {
	w := d.opts.Log
	if w == nil {
		file, err := daemonlog.Open(d.opts.Place)
		if err != nil {
			return err
		}
		w, d.logFile = file, file
	}
	d.opts.Log = w
	d.setLogging(d.opts.Config)
	d.log = slog.New(&d.logging)
	return nil
}

// previous says so when the daemon before this one was killed, or was another
// version.
func (d *Daemon) previous() {
	last := fleet.LoadState(d.opts.Place)
	if last.Version != "" && last.Version != d.opts.Version {
		d.log.Info("The daemon before was version "+last.Version, "operation", "start", "version", d.opts.Version)
	}
	if last.PID != 0 {
		d.unclean = true
		d.log.Warn("The previous daemon ended without a clean stop", "operation", "start", "previous_pid", last.PID)
	}
}

// watch starts to watch the workspace, the guard copy, a tracked import source,
// and the directory of the control socket.
func (d *Daemon) watch() (*watch.Watcher, error) {
	p := d.opts.Place
	dirs := []string{p.Dir}
	if p.Guard != "" {
		dirs = append(dirs, p.Guard)
	}
	if p.Source != "" {
		dirs = append(dirs, filepath.Dir(p.Source))
	}
	source := filepath.Base(p.Source)
	match := func(name string) bool {
		return name == filepath.Base(p.DaemonLock()) || p.Source != "" && name == source || settingsName(name) || d.current.Load().Watches(name)
	}
	w, err := watch.New(dirs, match, watch.Options{Changed: d.watcherChanged})
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", p.Dir, err)
	}
	if reason := w.Reason(); reason != "" {
		d.watcherChanged(w.Mode(), reason)
	}
	return w, nil
}

func (d *Daemon) watcherChanged(mode, reason string) {
	if reason != "" {
		d.log.Warn(reason, "operation", "watch", "watcher", mode)
		return
	}
	d.log.Info("Watching by notification", "operation", "watch", "watcher", mode)
}

func (d *Daemon) socketPaths() []string { return d.opts.Sockets.Paths(d.opts.Place.Dir) }

// notice takes what the workspace has to say to people.
func (d *Daemon) notice(line string) {
	if d.log != nil {
		d.log.Warn(line, "operation", "refresh")
	}
}

// saveState writes the state file. Its failure is no failure of a step.
func (d *Daemon) saveState() {
	d.mu.Lock()
	state := d.state
	d.mu.Unlock()
	if current, err := d.lock.Current(); err != nil || !current {
		return // the directory is not ours any more
	}
	if err := state.Save(d.opts.Place); err != nil {
		d.log.Warn("State not written", "operation", "state", "error", err)
	}
}

// release closes what Start opened, in the reverse order. The lock comes last:
// who waits for it may start the next daemon at once. all is false if a step
// that was left behind may still use the workspace.
func (d *Daemon) release(all bool) error {
	d.halt()
	d.hangUp()
	d.serving.Wait()
	d.unregister()
	var errs []error
	if d.socket != nil {
		errs = append(errs, d.socket.Close())
	}
	if d.watcher != nil {
		errs = append(errs, d.watcher.Close())
	}
	if d.exchange != nil && all {
		errs = append(errs, d.exchange.replica.Close())
	}
	if d.ws != nil && all {
		errs = append(errs, d.ws.Close())
	}
	if d.logFile != nil {
		errs = append(errs, d.logFile.Close())
	}
	if d.lock != nil {
		errs = append(errs, d.lock.Release(d.opts.Now()))
	}
	return errors.Join(errs...)
}
