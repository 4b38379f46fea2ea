//go:build linux && !race

package daemon

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"beads/internal/op"
	"beads/internal/workspace"
)

// rebuildIn names the variable that makes the test a process which rebuilds the
// database of a directory and says how much memory it had at most.
const rebuildIn = "BD_TEST_REBUILD_IN"

// A rebuild reads a log that is larger than what is left of the limit once the
// program itself is loaded, so it must not hold it. It needs a process of its
// own, since peaks are not forgotten.
func TestRebuildKeepsMaxMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("writes a log of 40 MB")
	}
	const limit = 50_000_000
	if dir := os.Getenv(rebuildIn); dir != "" {
		setMemoryLimit(limit)
		rebuildHere(t, dir)
		return
	}
	dir := filepath.Join(t.TempDir(), ".beads")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	writeLog(t, filepath.Join(dir, "issues.jsonl"), 10_000, 4000)
	child := exec.Command(os.Args[0], "-test.run=^TestRebuildKeepsMaxMemory$", "-test.v")
	child.Env = append(os.Environ(), rebuildIn+"="+dir)
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var kilobytes int64
	for line := range strings.Lines(string(out)) {
		if _, rest, found := strings.Cut(line, "VmHWM:"); found {
			fmt.Sscan(rest, &kilobytes)
		}
	}
	t.Logf("at most %d kB resident", kilobytes)
	if kilobytes == 0 || kilobytes*1024 > limit {
		t.Errorf("at most %d kB resident, allowed %d bytes\n%s", kilobytes, int64(limit), out)
	}
}

func rebuildHere(t *testing.T, dir string) {
	place := workspace.Place{Root: filepath.Dir(dir), Dir: dir, DB: filepath.Join(dir, "beads.db"), Exists: true}
	w, err := workspace.Open(t.Context(), place, workspace.Options{Now: time.Now, Rand: rand.Reader, CacheSize: CacheSize(50_000_000)})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if report, err := w.RefreshBatch(t.Context(), false, 100); err != nil || !report.Rebuilt || report.Applied != 10_000 {
		t.Fatalf("%+v, %v", report, err)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(string(status))
}

// writeLog writes issues with descriptions of size bytes.
func writeLog(t *testing.T, path string, issues, size int) {
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := bufio.NewWriter(f)
	now := testStart
	for n := range issues {
		now = now.Add(time.Millisecond)
		id, err := op.Clock{Now: func() time.Time { return now }, Rand: bytes.NewReader(make([]byte, 64))}.Next()
		if err != nil {
			t.Fatal(err)
		}
		line, err := op.Encode(&op.Operation{
			ID: id, V: op.Version, At: now, By: "tester", Do: op.DoCreate, Issue: fmt.Sprintf("bd-%d", n),
			Set: map[string]json.RawMessage{"title": op.Str("t"), "description": op.Str(strings.Repeat("text ", size/5))},
		})
		if err != nil {
			t.Fatal(err)
		}
		out.Write(line)
		out.WriteByte('\n')
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
}
