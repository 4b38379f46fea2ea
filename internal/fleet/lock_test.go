package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

var testStart = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func who(pid int) Holder {
	return Holder{PID: pid, StartTime: testStart, Hostname: "host", Version: "1"}
}

func content(t *testing.T, path string) (c map[string]any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".lock")
	if _, isHeld, err := held(path); isHeld || err != nil {
		t.Errorf("a lock that is not there: %t %v", isHeld, err)
	}
	if regular(path) {
		t.Error("to look has made the file")
	}
	l, err := Acquire(t.Context(), path, who(7))
	if err != nil {
		t.Fatal(err)
	}
	c := content(t, path)
	for _, key := range []string{"pid", "start_time", "hostname", "version", "last_update"} {
		if c[key] == nil {
			t.Errorf("the content lacks %s: %v", key, c)
		}
	}
	if pid, isHeld, err := held(path); pid != 7 || !isHeld || err != nil {
		t.Errorf("held: %d %t %v", pid, isHeld, err)
	}
	var running *RunningError
	if _, err := Acquire(t.Context(), path, who(8)); !errors.As(err, &running) || running.PID != 7 {
		t.Errorf("a second one: %v", err)
	}
	if err := l.Beat(testStart.Add(time.Minute)); err != nil {
		t.Error(err)
	}
	if got := content(t, path)["last_update"]; got != "2026-11-23T10:01:00Z" {
		t.Errorf("after a beat: %v", got)
	}
	if current, err := l.Current(); !current || err != nil {
		t.Errorf("current: %t %v", current, err)
	}
	if err := l.Release(testStart); err != nil {
		t.Error(err)
	}
	if c := content(t, path); c["pid"] != 0.0 || c["state"] != "stopped" {
		t.Errorf("after the release: %v", c)
	}
	// Waiting, not looking: the attempt above left a wait in the kernel, which is
	// granted for a moment before it gives the lock back.
	free, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := waitFree(free, path); err != nil {
		t.Errorf("after the release: %v", err)
	}
}

func TestLockFileReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".lock")
	old, err := Acquire(t.Context(), path, who(1))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if current, err := old.Current(); current || err != nil {
		t.Errorf("removed: current = %t %v", current, err)
	}
	fresh, err := Acquire(t.Context(), path, who(2))
	if err != nil {
		t.Fatalf("a removed lock keeps others out: %v", err)
	}
	if err := old.Release(testStart); err != nil {
		t.Error(err)
	}
	if pid, isHeld, _ := held(path); pid != 2 || !isHeld {
		t.Errorf("the old one's release touched the new lock: %d %t", pid, isHeld)
	}
	if err := fresh.Release(testStart); err != nil {
		t.Error(err)
	}
}

func TestLockRefusesLinks(t *testing.T) {
	dir := t.TempDir()
	target, path := filepath.Join(dir, "precious"), filepath.Join(dir, ".lock")
	if err := os.WriteFile(target, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
	if l, err := Acquire(t.Context(), path, who(1)); err == nil {
		t.Error("a symbolic link was taken for a lock", l.Release(testStart))
	}
	if data, _ := os.ReadFile(target); string(data) != "precious" {
		t.Errorf("the link's target now holds %q", data)
	}
}

// TestFiftyAtOnce: exactly one gets the lock, every other learns who has it.
func TestFiftyAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".lock")
	var mu sync.Mutex
	var winners []*Lock
	var wrong []error
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			l, err := Acquire(t.Context(), path, who(i+1))
			mu.Lock()
			defer mu.Unlock()
			var running *RunningError
			switch {
			case err == nil:
				winners = append(winners, l)
			case !errors.As(err, &running):
				wrong = append(wrong, err)
			}
		})
	}
	all.Wait()
	if len(winners) != 1 || len(wrong) > 0 {
		t.Errorf("%d got the lock; unexpected: %v", len(winners), wrong)
	}
	for _, l := range winners {
		if err := l.Release(testStart); err != nil {
			t.Error(err)
		}
	}
}
