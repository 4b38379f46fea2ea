package fleet

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"beads/internal/daemonlog"
	"beads/internal/oplog"
	"beads/internal/workspace"
)

// Ready is what a daemon in the background reports to who started it.
type Ready struct {
	PID   int    `json:"pid"`
	Error string `json:"error,omitempty"`
	Code  string `json:"code,omitempty"`
	Hint  string `json:"hint,omitempty"`
}

// Spawn runs the program args in the background for the workspace at p: in a
// session of its own, so that it outlives the terminal, with standard input on
// /dev/null and its output in the log file. It returns what the child reported,
// ready or not; the child's own end before that is an error. When ctx ends
// first, the child is told to stop.
func Spawn(ctx context.Context, p workspace.Place, dir string, args, environ []string) (Ready, error) {
	child, read, err := launch(p, dir, args, environ)
	if err != nil {
		return Ready{}, err
	}
	defer read.Close()
	unblock := context.AfterFunc(ctx, func() { _ = terminate(child.Process) })
	defer unblock()
	var ready Ready
	if err := json.NewDecoder(bufio.NewReader(io.LimitReader(read, 64<<10))).Decode(&ready); err != nil {
		// The child is ours and not waited for yet, so its number is its own.
		return Ready{}, fmt.Errorf("the daemon ended before it was ready (%w); see %s", ended(child.Wait()), filepath.Join(p.Dir, daemonlog.Name))
	}
	if ready.Error != "" {
		_ = child.Wait() // it says why itself
		return ready, nil
	}
	return ready, child.Process.Release()
}

// Launch is Spawn without waiting: whether the child becomes a daemon is for its
// log to tell.
func Launch(p workspace.Place, dir string, args, environ []string) error {
	child, read, err := launch(p, dir, args, environ)
	if err != nil {
		return err
	}
	return errors.Join(read.Close(), child.Process.Release())
}

// launch starts the child; read is where it reports.
func launch(p workspace.Place, dir string, args, environ []string) (child *exec.Cmd, read *os.File, err error) {
	output, err := os.OpenFile(filepath.Join(p.Dir, daemonlog.Name), os.O_WRONLY|os.O_APPEND|os.O_CREATE|oplog.NoFollow, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("daemon log: %w", err)
	}
	defer output.Close()
	read, write, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	// Not CommandContext: the child is to live on.
	child = exec.Command(args[0], args[1:]...)
	child.Dir, child.Env = dir, environ
	child.Stdout, child.Stderr = output, output
	inBackground(child, write)
	err = child.Start()
	if err = errors.Join(err, write.Close()); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("start daemon: %w", err), read.Close())
	}
	return child, read, nil
}

// ended turns an exit code of 0 into an error, too.
func ended(err error) error {
	if err == nil {
		return errors.New("exit status 0")
	}
	return err
}

// Report writes r for who waits in Spawn, and lets go of the pipe.
func (r Ready) Report(pipe io.WriteCloser) error {
	data, err := json.Marshal(r)
	if err == nil {
		_, err = pipe.Write(append(data, '\n'))
	}
	return errors.Join(err, pipe.Close())
}
