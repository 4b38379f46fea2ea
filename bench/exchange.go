package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// branch is the name of a branch in the repositories that plain Git is timed in.
const branch = "plain"

// publish measures what one operation costs on its way from a clone over a bare
// remote to another clone, against plain Git that moves one commit the same way.
func (b *bench) publish(ctx context.Context) ([]row, error) {
	p, err := b.newPair(ctx)
	if err != nil {
		return nil, err
	}
	var added []int64
	var push, send, fetch, receive []time.Duration
	for i := range b.runs + 1 {
		one, err := p.step(ctx, i)
		if err != nil {
			return nil, err
		}
		if i == 0 { // it warms the caches
			continue
		}
		added = append(added, one.added)
		push, send = append(push, one.push), append(send, one.send)
		fetch, receive = append(fetch, one.fetch), append(receive, one.receive)
	}
	var most int64
	for _, n := range added {
		most = max(most, n)
	}
	return []row{
		{What: "bytes that a publish adds to .git, at most", Value: float64(most), Unit: "bytes", Limit: 4096},
		{What: "bd sync that publishes and pushes", Millis: millis(quantile(send, 0.5)), Value: ratio(quantile(send, 0.5), quantile(push, 0.5)), Unit: "x git push", Limit: 3},
		{What: "bd sync that fetches", Millis: millis(quantile(receive, 0.5)), Value: ratio(quantile(receive, 0.5), quantile(fetch, 0.5)), Unit: "x git fetch", Limit: 3},
	}, nil
}

// A pair is two clones with a bare remote, each beside a repository of plain Git
// with a remote of the same kind.
type pair struct {
	b                     *bench
	here, there           string
	plainHere, plainThere string
}

func (b *bench) newPair(ctx context.Context) (*pair, error) {
	t, err := b.tracker(ctx, b.sizes[0])
	if err != nil {
		return nil, err
	}
	p := &pair{b: b, here: t.dir}
	dirs := map[string]*string{"there": &p.there, "plain-here": &p.plainHere, "plain-there": &p.plainThere}
	for name, dir := range dirs {
		*dir = filepath.Join(b.dir, name)
	}
	remote, plain := filepath.Join(b.dir, "remote.git"), filepath.Join(b.dir, "plain.git")
	for _, c := range []struct {
		dir  string
		args []string
	}{
		{b.dir, []string{"git", "init", "--quiet", "--bare", remote}},
		{b.dir, []string{"git", "init", "--quiet", "--bare", plain}},
		{b.dir, []string{"git", "init", "--quiet", "-b", branch, p.plainHere}},
		{p.plainHere, []string{"git", "remote", "add", "origin", plain}},
		{p.plainHere, []string{"git", "commit", "--quiet", "--allow-empty", "-m", "first"}},
		{p.plainHere, []string{"git", "push", "--quiet", "origin", branch}},
		{b.dir, []string{"git", "clone", "--quiet", "-b", branch, plain, p.plainThere}},
		{p.here, []string{"git", "remote", "add", "origin", remote}},
		{p.here, []string{b.bd, "sync", "--publish", "origin"}},
		{b.dir, []string{"git", "clone", "--quiet", remote, p.there}},
		{p.there, []string{b.bd, "init", "--quiet"}},
	} {
		if _, err := b.output(ctx, c.dir, c.args[0], c.args[1:]...); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// A crossing is what one operation, and one commit of plain Git, cost.
type crossing struct {
	added                      int64
	push, send, fetch, receive time.Duration
}

func (p *pair) step(ctx context.Context, i int) (c crossing, err error) {
	b := p.b
	title := fmt.Sprintf("Crossing %d", i)
	if _, err := b.output(ctx, p.here, b.bd, "create", title); err != nil {
		return c, err
	}
	if err := os.WriteFile(filepath.Join(p.plainHere, "file"), []byte(title), 0o600); err != nil {
		return c, err
	}
	for _, args := range [][]string{{"add", "file"}, {"commit", "--quiet", "-m", title}} {
		if _, err := b.output(ctx, p.plainHere, "git", args...); err != nil {
			return c, err
		}
	}
	before, err := sizeOf(filepath.Join(p.here, ".git"))
	if err != nil {
		return c, err
	}
	if c.push, err = b.timed(ctx, p.plainHere, "git", "push", "--quiet", "origin", branch); err != nil {
		return c, err
	}
	if c.send, err = b.timed(ctx, p.here, b.bd, "sync"); err != nil {
		return c, err
	}
	after, err := sizeOf(filepath.Join(p.here, ".git"))
	if err != nil {
		return c, err
	}
	c.added = after - before
	if c.fetch, err = b.timed(ctx, p.plainThere, "git", "fetch", "--quiet", "origin", branch); err != nil {
		return c, err
	}
	if c.receive, err = b.timed(ctx, p.there, b.bd, "sync"); err != nil {
		return c, err
	}
	found, err := b.output(ctx, p.there, b.bd, "list", "--title", title, "--json")
	if err == nil && !bytes.Contains([]byte(found), []byte(title)) {
		err = fmt.Errorf("%q has not arrived", title)
	}
	return c, err
}

// sizeOf adds up the files below a directory, without what is the workspace's.
func sizeOf(dir string) (total int64, err error) {
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		if e.IsDir() {
			if e.Name() == "beads" && filepath.Dir(path) == dir {
				return filepath.SkipDir
			}
			return nil
		}
		if info, err := e.Info(); err == nil {
			total += info.Size()
		}
		return nil
	})
	return total, err
}
