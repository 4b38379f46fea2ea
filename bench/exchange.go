package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

// batchOperations are in each file of the long history.
const batchOperations = 5

// clone measures bd init from a remote with a long history of small files,
// against a bare fetch of it and a rebuild, before and after its old files were
// consolidated.
func (b *bench) clone(ctx context.Context) ([]row, error) {
	remote, err := b.longHistory(ctx)
	if err != nil {
		return nil, err
	}
	before, err := b.join(ctx, remote, "history")
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(b.dir, "history-0")
	for done := false; !done; {
		text, err := b.output(ctx, dir, b.bd, "sync", "--json")
		if err != nil {
			return nil, err
		}
		var report struct {
			Replication struct {
				Consolidated *int `json:"consolidated"`
			} `json:"replication"`
		}
		if err := json.Unmarshal([]byte(text), &report); err != nil {
			return nil, err
		}
		if report.Replication.Consolidated == nil {
			return nil, errors.New("bd sync --json does not say what was consolidated")
		}
		done = *report.Replication.Consolidated == 0
	}
	after, err := b.join(ctx, remote, "consolidated")
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("bd init from %d operations in %d files", b.batches*batchOperations, b.batches)
	return []row{
		{What: what, Millis: millis(before.first), Value: before.ratio(), Unit: "x fetch + rebuild", Limit: 2},
		{What: what + ", consolidated", Millis: millis(after.first), Value: ratio(after.first, before.first), Unit: "x before", Limit: 1},
	}, nil
}

// joined is what it takes to join a history: medians.
type joined struct {
	first, fetch, rebuild time.Duration // bd init, git fetch, the first answer without a database
}

func (j joined) ratio() float64 { return ratio(j.first, j.fetch+j.rebuild) }

// join makes clones of a remote, in directories that begin with name. The remote
// is repacked first, as hosts do it now and then: what was pushed since is dear to
// fetch until they have.
func (b *bench) join(ctx context.Context, remote, name string) (joined, error) {
	if _, err := b.output(ctx, remote, "git", "repack", "-a", "-d", "--quiet"); err != nil {
		return joined{}, err
	}
	var first, fetch, rebuild []time.Duration
	for i := range rebuildRuns {
		bare, dir := filepath.Join(b.dir, fmt.Sprintf("%s-plain-%d", name, i)), filepath.Join(b.dir, fmt.Sprintf("%s-%d", name, i))
		for _, target := range []string{bare, dir} {
			for _, args := range [][]string{{"init", "--quiet", target}, {"-C", target, "remote", "add", "origin", remote}} {
				if _, err := b.output(ctx, b.dir, "git", args...); err != nil {
					return joined{}, err
				}
			}
		}
		d, err := b.timed(ctx, bare, "git", "fetch", "--quiet", "origin", "refs/beads/ops:refs/beads/ops")
		if err != nil {
			return joined{}, err
		}
		fetch = append(fetch, d)
		if d, err = b.timed(ctx, dir, b.bd, "init", "--quiet"); err != nil {
			return joined{}, err
		}
		first = append(first, d)
		t := &tracker{dir: dir}
		if err := t.dropDatabase(); err != nil {
			return joined{}, err
		}
		if d, err = b.timed(ctx, dir, b.bd, "count"); err != nil {
			return joined{}, err
		}
		rebuild = append(rebuild, d)
	}
	return joined{first: quantile(first, 0.5), fetch: quantile(fetch, 0.5), rebuild: quantile(rebuild, 0.5)}, nil
}

// longHistory makes a bare repository whose ref has the history of a tracker
// that published every few operations: one small file and one commit each.
func (b *bench) longHistory(ctx context.Context) (string, error) {
	b.say("a history of %d files", b.batches)
	remote := filepath.Join(b.dir, "history.git")
	if _, err := b.output(ctx, b.dir, "git", "init", "--quiet", "--bare", remote); err != nil {
		return "", err
	}
	dir, err := b.workspace(ctx, "publisher")
	if err != nil {
		return "", err
	}
	if _, err := b.output(ctx, dir, "git", "remote", "add", "origin", remote); err != nil {
		return "", err
	}
	// It makes the ref with the history's first commit.
	if _, err := b.output(ctx, dir, b.bd, "sync", "--publish", "origin"); err != nil {
		return "", err
	}
	importer := b.command(ctx, remote, "git", "fast-import", "--quiet", "--force")
	stream, err := importer.StdinPipe()
	if err != nil {
		return "", err
	}
	var stderr bytes.Buffer
	importer.Stderr = &stderr
	if err := importer.Start(); err != nil {
		return "", err
	}
	err = b.writeHistory(stream)
	err = errors.Join(err, stream.Close(), importer.Wait())
	if err != nil {
		return "", fmt.Errorf("git fast-import: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	return remote, nil
}

// writeHistory writes the commits as git-fast-import(1) reads them.
func (b *bench) writeHistory(w io.Writer) error {
	g := newGenerator(3)
	for n := range b.batches {
		var batch bytes.Buffer
		first := g.last
		if err := g.operations(&batch, batchOperations); err != nil {
			return err
		}
		// The name begins with the first operation's id.
		id := batch.Bytes()[len(`{"op":"`):][:26]
		sum := sha256.Sum256(batch.Bytes())
		path := fmt.Sprintf("ops/%s/%s-%x.jsonl", g.now.UTC().Format("2006-01/02/15/04"), id, sum[:4])
		message := fmt.Sprintf("bd: %d operations\n", batchOperations)
		_, err := fmt.Fprintf(w, "commit refs/beads/ops\ncommitter bench <bench@invalid> %d +0000\ndata %d\n%s", g.now.Unix(), len(message), message)
		if err == nil && n == 0 {
			_, err = fmt.Fprintf(w, "from refs/beads/ops^0\n")
		}
		if err == nil {
			_, err = fmt.Fprintf(w, "M 100644 inline %s\ndata %d\n%s\n", path, batch.Len(), batch.Bytes())
		}
		if err != nil {
			return fmt.Errorf("after operation %s: %w", first, err)
		}
		// A project's day has some dozens of publishes.
		g.now = g.now.Add(time.Duration(g.random.IntN(40)) * time.Minute)
	}
	return nil
}
