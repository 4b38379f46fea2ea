package daemonlog

import (
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"beads/internal/workspace"
)

func TestLogEntries(t *testing.T) {
	zone := time.FixedZone("X", 2*60*60)
	var out strings.Builder
	log := NewLogger(&out, "json", slog.LevelInfo, 7, zone)
	log.Debug("not shown")
	log.Error("Sync failed: \u202eevil\x1b[2J", "operation", "sync", "duration", 3*time.Millisecond, "error", errors.New("a\nb"))
	var entry map[string]any
	if err := json.Unmarshal([]byte(out.String()), &entry); err != nil {
		t.Fatalf("%v in %q", err, out.String())
	}
	for key, want := range map[string]any{
		"level": "error", "message": `Sync failed: \u202eevil\u001b[2J`, "pid": 7.0, "operation": "sync", "duration": 3e6, "error": `a\u000ab`,
	} {
		if entry[key] != want {
			t.Errorf("%s is %v, want %v", key, entry[key], want)
		}
	}
	if stamp, _ := entry["timestamp"].(string); !strings.HasSuffix(stamp, "Z") {
		t.Errorf("timestamp %q is not UTC", stamp)
	}
	out.Reset()
	NewLogger(&out, "text", slog.LevelInfo, 7, zone).Info("two words", "operation", "start", "took", 1234567*time.Nanosecond)
	if line := out.String(); !strings.Contains(line, `+02:00 level=info message="two words" pid=7 operation=start metadata.took=1.23ms`) {
		t.Errorf("text: %q", line)
	}
}

func TestLogFile(t *testing.T) {
	p := workspace.Place{Dir: t.TempDir()}
	path := filepath.Join(p.Dir, Name)
	w, err := Open(p)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v, want a file with mode 0600", info, err)
	}
	if err := os.RemoveAll(p.Dir); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("x\n")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(p.Dir); err == nil {
		t.Error("logging made the removed workspace again")
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	p = workspace.Place{Dir: t.TempDir()}
	if err := os.Symlink("/dev/null", filepath.Join(p.Dir, Name)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(p); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a link: %v", err)
	}
}
