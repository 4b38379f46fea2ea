package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// A bench is a scratch directory with the two programs that are compared.
type bench struct {
	options
	dir    string // removed by run
	bd     string
	empty  string // a Go program with an empty main: the floor
	stderr io.Writer
}

// newBench builds both programs. It must run inside the module.
func newBench(ctx context.Context, o options, stderr io.Writer) (*bench, error) {
	dir, err := os.MkdirTemp("", "bd-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{options: o, dir: dir, bd: filepath.Join(dir, "bd"), empty: filepath.Join(dir, "empty"), stderr: stderr}
	if err := b.build(ctx); err != nil {
		// The directory holds nothing that anyone could want.
		_ = os.RemoveAll(dir)
		return nil, err
	}
	return b, nil
}

func (b *bench) build(ctx context.Context) error {
	b.say("building bd and an empty program")
	source := filepath.Join(b.dir, "empty.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		return err
	}
	for target, pkg := range map[string]string{b.bd: "./cmd/bd", b.empty: source} {
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", target, pkg)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
		}
	}
	return nil
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.stderr, format+"\n", args...)
}

// command is a program in a workspace, with a home and a Git configuration of
// its own.
func (b *bench) command(ctx context.Context, dir, program string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, program, args...)
	c.Dir = dir
	c.Env = []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + b.dir,
		"TMPDIR=" + b.dir,
		"GIT_CONFIG_NOSYSTEM=1",
		"BD_ACTOR=bench",
	}
	return c
}

// output runs a command and returns what it printed.
func (b *bench) output(ctx context.Context, dir, program string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	c := b.command(ctx, dir, program, args...)
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil {
		return "", fmt.Errorf("%s %q: %w: %s", filepath.Base(program), args, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.String(), nil
}

// timed runs a command for its wall time.
func (b *bench) timed(ctx context.Context, dir, program string, args ...string) (time.Duration, error) {
	begin := time.Now()
	_, err := b.output(ctx, dir, program, args...)
	return time.Since(begin), err
}

// workspace makes a repository with a workspace, filled from the generator.
// It returns its directory and the ids of the open issues.
func (b *bench) workspace(ctx context.Context, name string, issues int) (string, []string, error) {
	dir := filepath.Join(b.dir, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", nil, err
	}
	if _, err := b.output(ctx, dir, "git", "init", "--quiet"); err != nil {
		return "", nil, err
	}
	if _, err := b.output(ctx, dir, b.bd, "init", "--prefix", "bd", "--quiet"); err != nil {
		return "", nil, err
	}
	if issues == 0 {
		return dir, nil, nil
	}
	log, err := os.OpenFile(filepath.Join(dir, ".beads", "issues.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return "", nil, err
	}
	g := newGenerator(1)
	err = g.write(log, issues)
	if e := log.Close(); err == nil {
		err = e
	}
	if err != nil {
		return "", nil, err
	}
	// The first command applies what was appended, and copies it to the guard.
	if _, err := b.output(ctx, dir, b.bd, "count"); err != nil {
		return "", nil, err
	}
	return dir, g.open, nil
}
