package daemon

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"beads/internal/control"
	"beads/internal/daemonlog"
	"beads/internal/fleet"
)

// TestRun goes through a whole life: ready, asked, stopped through the socket.
func TestRun(t *testing.T) {
	f := newFixture(t)
	f.opts.Now = time.Now
	f.opts.Log = nil
	if err := (fleet.State{PID: 99}).Save(f.opts.Place); err != nil {
		t.Fatal(err)
	}
	f.start(t)
	socket := f.socket.Path()
	ended := make(chan error, 1)
	go func() { ended <- f.Run(t.Context()) }()
	client, err := control.Connect(t.Context(), []string{socket}, os.Getuid())
	if err != nil {
		t.Fatal(err)
	}
	if r, err := client.Sync(t.Context()); err != nil || r.Exchange != nil {
		t.Errorf("sync: %+v %v", r, err)
	}
	s, err := client.Status(t.Context())
	if err != nil || s.Status != control.Running || s.SyncCount != 2 || s.MemoryUsage < 1<<20 || s.Workspace != f.opts.Place.Dir || s.Watcher == "" {
		t.Errorf("status after the start-up sync and one more: %+v %v", s, err)
	}
	if _, err := fleet.Stop(t.Context(), f.opts.Place, f.opts.Sockets, false); err != nil {
		t.Error(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if f.ws.verified != 1 || f.ws.checkpoints != 1 || f.ws.closed != 1 {
		t.Errorf("full checks %d, checkpoints %d, closed %d; want 1 each", f.ws.verified, f.ws.checkpoints, f.ws.closed)
	}
	if _, err := os.Lstat(socket); err == nil {
		t.Error("the socket is still there")
	}
	if s, err := fleet.Inspect(t.Context(), f.opts.Place, f.opts.Sockets); err != nil || s.Status != control.Stopped || s.PID != 0 || s.SyncCount != 2 {
		t.Errorf("what is left: %+v %v", s, err)
	}
	if _, err := fleet.Stop(t.Context(), f.opts.Place, f.opts.Sockets, false); !errors.Is(err, fleet.ErrNotRunning) {
		t.Errorf("stopped again: %v", err)
	}
	log, err := os.ReadFile(filepath.Join(f.opts.Place.Dir, daemonlog.Name))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"previous_pid=99", "Daemon started", "Stop requested", "Daemon stopped"} {
		if !strings.Contains(string(log), want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	f := newFixture(t)
	f.opts.Config.SyncOnStartup = false
	f.start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Run(ctx); err != nil {
		t.Error(err)
	}
	if f.ws.refreshes != 0 || f.ws.checkpoints != 1 {
		t.Errorf("refreshes %d, checkpoints %d", f.ws.refreshes, f.ws.checkpoints)
	}
	if f.left(t).Status != control.Stopped {
		t.Errorf("left %+v", f.left(t))
	}
}

// TestPatience: a step is cancelled after four seconds and given up after five.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		cancelled := make(chan time.Duration, 1)
		_, abandoned := patience(make(chan error), func() { cancelled <- time.Since(begin) })
		if after := time.Since(begin); !abandoned || after != stepAbandon || <-cancelled != stepGrace {
			t.Errorf("abandoned = %t after %v", abandoned, after)
		}
		looped := make(chan error, 1)
		looped <- errors.New("done")
		if err, abandoned := patience(looped, func() { t.Error("cancelled a step that has ended") }); abandoned || err == nil {
			t.Errorf("got %v, %t", err, abandoned)
		}
	})
}

func TestIdleExit(t *testing.T) {
	f := newFixture(t)
	f.opts.Config.IdleExit = time.Minute
	f.opts.Config.SyncOnStartup = false
	f.start(t)
	f.tick(t, 59*time.Second)
	f.now = f.now.Add(time.Second) // the loop finds it due at once
	if err := f.Run(t.Context()); err != nil {
		t.Error(err)
	}
	if s := f.left(t); s.PID != 0 || s.Status != control.Stopped || f.ws.checkpoints != 1 {
		t.Errorf("left %+v after %d checkpoints, want a clean stop", s, f.ws.checkpoints)
	}
}
