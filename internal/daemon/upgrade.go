package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"beads/internal/control"
)

// How long a new program must look the same before it is believed to be whole,
// and how long it may take to say its version.
const (
	settleTime     = time.Second
	versionTimeout = 5 * time.Second
)

// Program is the executable of the daemon's process. The zero value is never
// found replaced.
type Program struct {
	Path    string   // absolute
	Environ []string // for a new one that is asked for its version
}

// program notices that the executable was replaced. Its fields are the loop's.
type program struct {
	Program
	running os.FileInfo // the file that this process was started from; nil: unknown
	seen    os.FileInfo // another one, at the look before
	refused os.FileInfo // another one, which did not work
	next    string      // the version that takes over; "": none
}

func newProgram(p Program) program {
	running, err := os.Stat(p.Path)
	if err != nil {
		running = nil
	}
	return program{Program: p, running: running}
}

// replaced returns the executable if it is neither the one that runs nor one
// that was refused; nil if there is nothing to run.
func (p *program) replaced() os.FileInfo {
	if p.running == nil {
		return nil
	}
	info, err := os.Stat(p.Path)
	switch {
	case err != nil, !info.Mode().IsRegular(), info.Size() == 0,
		info.Mode()&0o111 == 0 && runtime.GOOS != "windows", // which has no such bits
		sameState(info, p.running), sameState(info, p.refused):
		return nil
	}
	return info
}

// sameState reports whether both are one file that was not written in between.
func sameState(a, b os.FileInfo) bool {
	return a != nil && b != nil && os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// version asks the program for its version, which also shows that it runs here.
func (p *program) version(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, versionTimeout, errors.New("no answer in "+versionTimeout.String()))
	defer cancel()
	ask := exec.CommandContext(ctx, p.Path, "version", "--json")
	ask.Env, ask.WaitDelay = p.Environ, time.Second
	output, err := ask.Output()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("%s version: %w", p.Path, err)
	}
	var answer struct {
		Version string `json:"version"`
	}
	if err := json.Unmarshal(bytes.TrimSpace(output), &answer); err != nil || answer.Version == "" {
		return "", fmt.Errorf("%s version: the answer has no version", p.Path)
	}
	return answer.Version, nil
}

// Upgrade looks whether the executable was replaced. When a new one has looked
// the same twice, a second apart, and says its version, it is reason to leave,
// and Replaced will say so. One that does not work is logged once and ignored.
func (d *Daemon) Upgrade(ctx context.Context) error {
	found := d.program.replaced()
	if found == nil || !sameState(found, d.program.seen) {
		d.program.seen = found
		if soon := d.opts.Now().Add(settleTime); found != nil && soon.Before(d.look) {
			d.look = soon
		}
		return nil
	}
	return d.takeOver(ctx, found)
}

// takeOver leaves for the program in the file found, if it works.
func (d *Daemon) takeOver(ctx context.Context, found os.FileInfo) error {
	version, err := d.program.version(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil // a stop has begun
	case err != nil:
		d.program.refused = found
		d.log.Warn("The program was replaced by one that does not work; the old one goes on", "operation", "upgrade", "error", err)
		return nil
	case !canReexecute:
		return leaveError{"the program was replaced by version " + version + "; start the daemon again"}
	}
	d.program.next = version
	return leaveError{"the program was replaced by version " + version + ", which takes over"}
}

// outdated is what a daemon does when a newer bd has rebuilt the database: this
// program must not touch it again. A new program in the executable's place takes
// over; without one the daemon leaves, so that another can be started, and the
// reason stays on disk.
func (d *Daemon) outdated(ctx context.Context, cause error) error {
	if found := d.program.replaced(); found != nil {
		if err := d.takeOver(ctx, found); err != nil {
			return err
		}
	}
	const newer = "the database was written by a newer bd"
	d.log.Error("Sync failed: "+cause.Error(), "operation", "refresh", "error", cause)
	d.mu.Lock()
	d.state.Status = control.Failing
	d.state.LastError = newer + " than this daemon's, version " + d.opts.Version + ": restart the daemon"
	d.mu.Unlock()
	return leaveError{newer}
}

// handOver ends the control socket before a new program takes over. A stop that
// came until then wins: who asked for it is told that the daemon is gone.
func (d *Daemon) handOver() {
	if d.program.next == "" {
		return
	}
	d.hangUp()
	d.serving.Wait()
	if d.halted.Err() != nil {
		d.program.next = ""
	}
}

// Replaced reports, after Run, whether the daemon ended only for the caller to
// call Reexecute.
func (d *Daemon) Replaced() bool { return d.program.next != "" }

// StablePath is the path of an executable that will name its successors too: the
// directory in the search path where it, or a link to it, is found as bd, since
// package managers put each version into a directory of its own. Else it is the
// executable itself.
func StablePath(executable, search string) string {
	running, err := os.Stat(executable)
	if err != nil {
		return executable
	}
	for _, dir := range filepath.SplitList(search) {
		path := filepath.Join(dir, filepath.Base(executable))
		if info, err := os.Stat(path); filepath.IsAbs(dir) && err == nil && os.SameFile(info, running) {
			return path
		}
	}
	return executable
}
