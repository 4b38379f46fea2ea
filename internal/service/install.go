package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// commandTimeout bounds one run of the supervisor's program.
const commandTimeout = 30 * time.Second

var (
	// ErrMissing is what Uninstall fails with when there is no file.
	ErrMissing = errors.New("no service is installed")
	// ErrForeign: the file is there and was not written by bd.
	ErrForeign = errors.New("not written by bd daemon install")
)

// Result says what was done.
type Result struct {
	Changed bool       // the file is another now, or gone
	Enabled bool       // the supervisor took it up, or let go of it
	Left    [][]string // commands for the user to run, since the supervisor does not answer
}

// Install writes the file and has the supervisor start the service now and at
// every login. stop ends a daemon that runs otherwise, or with what the file
// said before; it is not called when nothing would change.
func (p Plan) Install(ctx context.Context, environ []string, stop func() error) (Result, error) {
	old, err := p.read()
	if err != nil && !errors.Is(err, ErrMissing) {
		return Result{}, err
	}
	r := Result{Changed: old != p.Content}
	if r.Changed {
		if err := p.write(); err != nil {
			return Result{}, err
		}
	}
	if run(ctx, environ, p.Answers) != nil {
		r.Left = p.Enable
		return r, ctx.Err()
	}
	r.Enabled = true
	active := run(ctx, environ, p.Active) == nil
	if active && !r.Changed {
		return r, nil
	}
	if active {
		// The supervisor must know that it is over with the old one.
		if err := runAll(ctx, environ, p.Disable); err != nil {
			return r, err
		}
	}
	if err := stop(); err != nil {
		return r, err
	}
	return r, runAll(ctx, environ, p.Enable)
}

// Uninstall has the supervisor stop the service, and removes the file. It fails
// with ErrMissing if there is none.
func (p Plan) Uninstall(ctx context.Context, environ []string) (Result, error) {
	if _, err := p.read(); err != nil {
		return Result{}, err
	}
	r := Result{Changed: true, Enabled: run(ctx, environ, p.Answers) == nil}
	if r.Enabled {
		// A service that was never loaded cannot be let go of: no reason to
		// keep the file, unless it still runs.
		if err := runAll(ctx, environ, p.Disable); err != nil && run(ctx, environ, p.Active) == nil {
			return Result{}, err
		}
	}
	if err := os.Remove(p.Path); err != nil {
		return Result{}, err
	}
	if target, err := os.Readlink(p.Link); err == nil && target == p.Path {
		if err := os.Remove(p.Link); err != nil {
			return r, err
		}
	}
	if !r.Enabled {
		r.Left = p.Forget
		return r, ctx.Err()
	}
	return r, runAll(ctx, environ, p.Forget)
}

// read returns the file as it is. It fails with ErrMissing or ErrForeign.
func (p Plan) read() (string, error) {
	info, err := os.Lstat(p.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: %s", ErrMissing, p.Path)
	}
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is %w", p.Path, ErrForeign)
	}
	data, err := os.ReadFile(p.Path)
	if err != nil {
		return "", err
	}
	head := data[:min(len(data), 512)]
	if !bytes.Contains(head, []byte(marker)) {
		return "", fmt.Errorf("%s is %w", p.Path, ErrForeign)
	}
	return string(data), nil
}

// write replaces the file, so that the supervisor reads the old or the new one.
func (p Plan) write() error {
	dir := filepath.Dir(p.Path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".bd-*") // 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(p.Content)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), p.Path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func runAll(ctx context.Context, environ []string, commands [][]string) error {
	for _, command := range commands {
		if err := run(ctx, environ, command); err != nil {
			return err
		}
	}
	return nil
}

// run runs one command of the supervisor's. What it says is in the error.
func run(ctx context.Context, environ, command []string) error {
	ctx, cancel := context.WithTimeout(ctx, commandTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env, cmd.WaitDelay = environ, time.Second
	output, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	said := strings.TrimSpace(string(output[:min(len(output), 2000)]))
	if said != "" {
		said = ": " + said
	}
	return fmt.Errorf("%s: %w%s", strings.Join(command, " "), err, said)
}
