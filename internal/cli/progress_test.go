package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The bar appears after a second of work, leaves nothing behind, and never
// appears where nobody looks.
func TestProgress(t *testing.T) {
	now := time.Unix(1000, 0)
	var stderr bytes.Buffer
	a := &app{Process: Process{Getenv: func(string) string { return "" }, Stderr: &stderr, StderrTerminal: true, Now: func() time.Time { return now }}}
	report := a.progress()
	report("importing", 10, 100)
	now = now.Add(progressDelay - time.Millisecond)
	report("importing", 20, 100)
	if stderr.Len() > 0 {
		t.Fatalf("after less than a second: %q", stderr.String())
	}
	now = now.Add(time.Millisecond)
	report("importing", 50, 100)
	if !strings.Contains(stderr.String(), "importing [====") || !strings.Contains(stderr.String(), " 50%") {
		t.Fatalf("after a second: %q", stderr.String())
	}
	drawn := stderr.Len()
	report("importing", 51, 100)
	if stderr.Len() != drawn {
		t.Errorf("drawn again at once: %q", stderr.String())
	}
	a.notice("something")
	if !strings.HasSuffix(stderr.String(), "\r\x1b[Kbd: something\n") {
		t.Errorf("a notice on top of the bar: %q", stderr.String())
	}
	stderr.Reset()
	report("exporting", 1, 100)
	a.endProgress()
	if stderr.Len() > 0 {
		t.Errorf("a new stage starts at once: %q", stderr.String())
	}
	report("fetching", 0, 0)
	now = now.Add(2 * progressDelay)
	a.drawAgain()
	if !strings.HasSuffix(stderr.String(), " 2 s") {
		t.Errorf("a stage without figures: %q", stderr.String())
	}
	report("fetching", 1, 1)
	if !strings.HasSuffix(stderr.String(), "\r\x1b[K") {
		t.Errorf("after it has ended: %q", stderr.String())
	}
	drawn = stderr.Len()
	a.drawAgain()
	if stderr.Len() != drawn {
		t.Errorf("drawn after it has ended: %q", stderr.String())
	}
	for name, quiet := range map[string]*app{
		"no terminal": {Process: Process{Getenv: func(string) string { return "" }, Stderr: &stderr}},
		"--quiet":     {Process: Process{Getenv: func(string) string { return "" }, Stderr: &stderr, StderrTerminal: true}, quiet: true},
	} {
		if quiet.progress() != nil {
			t.Errorf("%s: there is progress", name)
		}
	}
}

// Whatever the figures, the bar stays on its line.
func TestProgressLineKeepsToTheWidth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(0, 1<<40).Draw(t, "total")
		done := rapid.Int64Range(0, max(1, total)).Draw(t, "done")
		spent := time.Duration(rapid.Int64Range(0, int64(100*time.Hour)).Draw(t, "spent"))
		width := rapid.IntRange(2, 200).Draw(t, "width")
		line := progressLine("rebuilding the database", done, total, spent, width, "...")
		if w := displayWidth(line); w >= width {
			t.Fatalf("%d columns of %d: %q", w, width, line)
		}
	})
}
