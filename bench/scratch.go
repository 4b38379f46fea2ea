package main

import (
	"bytes"
	"context"
	"errors"
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

	trackers map[int]*tracker // by number of issues, made when they are asked for
}

// A tracker is a repository with a workspace that the generator filled.
type tracker struct {
	dir    string
	open   []string   // ids of the issues that are open
	source *generator // of further operations
}

// newBench builds both programs. It must run inside the module.
func newBench(ctx context.Context, o options, stderr io.Writer) (*bench, error) {
	dir, err := os.MkdirTemp("", "bd-bench-")
	if err != nil {
		return nil, err
	}
	b := &bench{options: o, dir: dir, bd: filepath.Join(dir, "bd"), empty: filepath.Join(dir, "empty"), stderr: stderr, trackers: map[int]*tracker{}}
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
		"GIT_AUTHOR_NAME=bench", "GIT_AUTHOR_EMAIL=bench@invalid",
		"GIT_COMMITTER_NAME=bench", "GIT_COMMITTER_EMAIL=bench@invalid",
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

// tracker makes a tracker of so many issues, once.
func (b *bench) tracker(ctx context.Context, issues int) (*tracker, error) {
	if t := b.trackers[issues]; t != nil {
		return t, nil
	}
	b.say("a tracker of %d issues", issues)
	dir, err := b.workspace(ctx, fmt.Sprintf("issues-%d", issues))
	if err != nil {
		return nil, err
	}
	t := &tracker{dir: dir, source: newGenerator(1)}
	if err := t.append(func(log io.Writer) error { return t.source.write(log, issues) }); err != nil {
		return nil, err
	}
	// The first command applies what was appended, and copies it to the guard.
	if _, err := b.output(ctx, dir, b.bd, "count"); err != nil {
		return nil, err
	}
	t.open = t.source.open
	b.trackers[issues] = t
	return t, nil
}

// append adds to a tracker's log behind bd's back.
func (t *tracker) append(write func(io.Writer) error) error {
	log, err := os.OpenFile(t.log(), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(write(log), log.Close())
}

func (t *tracker) log() string { return filepath.Join(t.dir, ".beads", "issues.jsonl") }

// dropDatabase removes what the next command has to build again.
func (t *tracker) dropDatabase() error {
	databases, err := filepath.Glob(filepath.Join(t.dir, ".beads", "beads.db*"))
	if err != nil || len(databases) == 0 {
		return fmt.Errorf("no database in %s: %w", t.dir, err)
	}
	for _, name := range databases {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

// workspace makes a repository with an empty workspace and returns its directory.
func (b *bench) workspace(ctx context.Context, name string) (string, error) {
	dir := filepath.Join(b.dir, name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	if _, err := b.output(ctx, dir, "git", "init", "--quiet"); err != nil {
		return "", err
	}
	_, err := b.output(ctx, dir, b.bd, "init", "--prefix", "bd", "--quiet")
	return dir, err
}
