package cli

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// A progress bar is worth its while after a second of work, and is drawn again
// at most ten times a second.
const (
	progressDelay = time.Second
	progressEvery = 100 * time.Millisecond
)

// progressBar shows one stage of long work after the other. It is written here
// because the library for it links an HTTP server, which costs every command
// more at its start than all of our own initialisation.
type progressBar struct {
	mu      sync.Mutex // guards what follows; work may report from several goroutines
	stage   string
	started time.Time // zero: no stage is under way
	drawn   time.Time // zero: nothing is on the screen

	again *time.Timer // of a stage without figures, which is drawn until it ends; nil: none is under way
}

// progress is how long work reports on a terminal's standard error; nil
// elsewhere. A total of 0 means unknown: such a stage is reported once, and goes
// on until another begins or it is reported as done.
func (a *app) progress() func(stage string, done, total int64) {
	if !a.StderrTerminal || a.quiet || a.dumb() {
		return nil
	}
	return a.showProgress
}

func (a *app) showProgress(stage string, done, total int64) {
	p := &a.bar
	p.mu.Lock()
	defer p.mu.Unlock()
	if stage != p.stage || p.started.IsZero() {
		a.clearLocked()
		p.stage, p.started = stage, a.Now()
		if total <= 0 {
			p.again = time.AfterFunc(progressDelay, a.drawAgain)
		}
	}
	if total > 0 && done >= total {
		a.clearLocked()
		p.started = time.Time{}
		return
	}
	a.drawLocked(done, total)
}

// drawAgain draws a stage that has nothing to report.
func (a *app) drawAgain() {
	p := &a.bar
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.again != nil {
		a.drawLocked(0, 0)
		p.again.Reset(progressDelay)
	}
}

// drawLocked draws the stage if it is time to; a.bar.mu is held.
func (a *app) drawLocked(done, total int64) {
	p, now := &a.bar, a.Now()
	if now.Sub(p.started) < progressDelay || now.Sub(p.drawn) < progressEvery {
		return
	}
	p.drawn = now
	fmt.Fprintf(a.Stderr, "\r\x1b[K%s", progressLine(visible(p.stage), done, total, now.Sub(p.started), a.Width, a.symbols().ellipsis))
}

// progressLine is what a bar looks like within width columns (0: unknown).
func progressLine(stage string, done, total int64, spent time.Duration, width int, ellipsis string) string {
	seconds := int(spent.Seconds())
	if total <= 0 {
		return cutWith(fmt.Sprintf("%s %s %d s", stage, ellipsis, seconds), max(1, usable(width)), ellipsis)
	}
	done = max(0, done)
	left := time.Duration(0)
	if done > 0 {
		left = time.Duration(float64(spent) * float64(total-done) / float64(done))
	}
	before := stage + " "
	after := fmt.Sprintf(" %3d%%  %d s, %d s left", done*100/total, seconds, int(left.Seconds()))
	room := min(40, usable(width)-displayWidth(before)-displayWidth(after)-2)
	if room < 5 {
		return cutWith(before+strings.TrimSpace(after), max(1, usable(width)), ellipsis)
	}
	full := int(int64(room) * done / total)
	return before + "[" + strings.Repeat("=", full) + strings.Repeat(" ", room-full) + "]" + after
}

// usable is how many columns may be written without the cursor going on to the
// next line, where the bar could not be cleared.
func usable(width int) int {
	if width <= 0 {
		width = 80
	}
	return width - 1
}

// endProgress takes the bar away before anything else is printed.
func (a *app) endProgress() {
	a.bar.mu.Lock()
	defer a.bar.mu.Unlock()
	a.clearLocked()
}

// clearLocked removes what is on the screen; a.bar.mu is held.
func (a *app) clearLocked() {
	if a.bar.again != nil {
		a.bar.again.Stop()
		a.bar.again = nil
	}
	if !a.bar.drawn.IsZero() {
		fmt.Fprint(a.Stderr, "\r\x1b[K")
		a.bar.drawn = time.Time{}
	}
}
