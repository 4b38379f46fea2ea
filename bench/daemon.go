package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A daemon is one that the bench started, as its child.
type daemon struct {
	b     *bench
	dir   string
	child *exec.Cmd
}

// daemonStatus is what is used of bd daemon status --json.
type daemonStatus struct {
	Status     string     `json:"status"`
	LastSync   *time.Time `json:"last_sync"`
	Health     string     `json:"health"` // "" before the first check
	MemoryPeak int64      `json:"memory_peak"`
	LastError  string     `json:"last_error"`
}

// patience is how long a daemon may take to have read everything.
const patience = 10 * time.Minute

func (b *bench) startDaemon(ctx context.Context, dir string) (*daemon, error) {
	child := b.command(ctx, dir, b.bd, "daemon", "start", "--foreground")
	// A cancelled run ends it as Ctrl-C would, so that it leaves nothing behind.
	child.Cancel = func() error { return child.Process.Signal(os.Interrupt) }
	if err := child.Start(); err != nil {
		return nil, err
	}
	return &daemon{b, dir, child}, nil
}

// synced waits until the daemon has read everything.
func (d *daemon) synced(ctx context.Context) (daemonStatus, error) {
	return d.until(ctx, "read everything", 50*time.Millisecond, func(s daemonStatus) bool { return s.LastSync != nil })
}

// until asks the daemon again and again whether it has done something.
func (d *daemon) until(ctx context.Context, done string, every time.Duration, is func(daemonStatus) bool) (daemonStatus, error) {
	waiting, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("the daemon has not %s in %s", done, patience))
	defer cancel()
	again := time.NewTicker(every)
	defer again.Stop()
	for {
		var s daemonStatus
		// It fails as long as the daemon is starting.
		text, err := d.b.output(waiting, d.dir, d.b.bd, "daemon", "status", "--json")
		if err == nil {
			err = json.Unmarshal([]byte(text), &s)
		}
		if err == nil && is(s) {
			return s, nil
		}
		select {
		case <-again.C:
		case <-waiting.Done():
			return s, errors.Join(context.Cause(waiting), err)
		}
	}
}

func (d *daemon) stop(ctx context.Context) error {
	_, err := d.b.output(ctx, d.dir, d.b.bd, "daemon", "stop")
	if err != nil {
		err = errors.Join(err, d.child.Process.Signal(os.Interrupt))
	}
	return errors.Join(err, d.child.Wait())
}

// idleDaemon watches a daemon that has nothing to do.
func (b *bench) idleDaemon(ctx context.Context) (rows []row, err error) {
	if _, err := os.Stat("/proc/self/statm"); err != nil {
		b.say("no /proc: an idle daemon is not watched")
		return nil, nil
	}
	t, err := b.tracker(ctx, budgetSize)
	if err != nil {
		return nil, err
	}
	d, err := b.startDaemon(ctx, t.dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.stop(ctx)) }()
	// What start-up leaves to do is not idling. The last of it is the first check of
	// health, a minute later, which reads a database whole that nobody has checked yet.
	checked := func(s daemonStatus) bool { return s.LastSync != nil && s.Health != "" }
	if _, err := d.until(ctx, "checked its health", time.Second, checked); err != nil {
		return nil, err
	}
	if err := pause(ctx, 5*time.Second); err != nil {
		return nil, err
	}
	before, err := d.look()
	if err != nil {
		return nil, err
	}
	b.say("watching an idle daemon for %s", b.idle)
	if err := pause(ctx, b.idle); err != nil {
		return nil, err
	}
	after, err := d.look()
	if err != nil {
		return nil, err
	}
	changed := 0.0
	for name, state := range after.files {
		if state != before.files[name] && name != ".lock" {
			changed++
		}
	}
	return []row{
		{What: "idle daemon, memory", Issues: budgetSize, Value: after.resident, Unit: "MB", Limit: 25},
		{What: "idle daemon, processor", Issues: budgetSize, Value: 100 * (after.cpu - before.cpu).Seconds() / b.idle.Seconds(), Unit: "%", Limit: 0.1},
		{What: "idle daemon, files written but for the heartbeat", Issues: budgetSize, Value: changed, Unit: "files", Limit: 0.5},
	}, nil
}

// A look is what is seen of a daemon from outside.
type look struct {
	resident float64 // MB
	cpu      time.Duration
	files    map[string]string // of .beads: name to size and time
}

func (d *daemon) look() (look, error) {
	l := look{files: map[string]string{}}
	proc := filepath.Join("/proc", strconv.Itoa(d.child.Process.Pid))
	memory, err := os.ReadFile(filepath.Join(proc, "statm"))
	if err != nil {
		return l, err
	}
	stat, err := os.ReadFile(filepath.Join(proc, "stat"))
	if err != nil {
		return l, err
	}
	// proc_pid_stat(5): the name in parentheses may hold blanks; utime and stime
	// are fields 14 and 15, in ticks of a hundredth of a second on Linux.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	var ticks int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return l, err
		}
		ticks += n
	}
	l.cpu = time.Duration(ticks) * 10 * time.Millisecond
	pages, err := strconv.ParseInt(strings.Fields(string(memory))[1], 10, 64)
	if err != nil {
		return l, err
	}
	l.resident = float64(pages) * float64(os.Getpagesize()) / 1e6
	entries, err := os.ReadDir(filepath.Join(d.dir, ".beads"))
	if err != nil {
		return l, err
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			l.files[e.Name()] = fmt.Sprint(info.Size(), info.ModTime())
		}
	}
	return l, nil
}

// pause waits, or fails when ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
