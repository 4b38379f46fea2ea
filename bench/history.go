package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// batchOperations are in each file of the long history.
const batchOperations = 5

// clone measures bd init from a remote with a long history of small files,
// against a bare fetch of it and a rebuild, and once more where its old files were
// consolidated. The remotes are repacked, as hosts do it now and then: what was
// pushed since is dear to fetch until they have. They are joined in turns, since what
// they are compared for is less than what a machine's speed changes in minutes. A join
// reads the tip alone, so what the first sync then takes is measured beside it: it
// fetches the history and, in the first of the two, consolidates.
func (b *bench) clone(ctx context.Context) ([]row, error) {
	remote, err := b.longHistory(ctx)
	if err != nil {
		return nil, err
	}
	consolidated := filepath.Join(b.dir, "consolidated.git")
	if _, err := b.output(ctx, b.dir, "git", "clone", "--quiet", "--mirror", remote, consolidated); err != nil {
		return nil, err
	}
	if err := b.consolidate(ctx, consolidated); err != nil {
		return nil, err
	}
	before, after := &history{remote: remote}, &history{remote: consolidated}
	turn := []*history{before, after}
	for _, h := range turn {
		if _, err := b.output(ctx, h.remote, "git", "repack", "-a", "-d", "--quiet"); err != nil {
			return nil, err
		}
	}
	for range rebuildRuns {
		for _, h := range turn {
			if err := b.join(ctx, h); err != nil {
				return nil, err
			}
		}
		slices.Reverse(turn)
	}
	what := fmt.Sprintf("bd init from %d operations in %d files", b.batches*batchOperations, b.batches)
	return []row{
		{What: what, Millis: before.millis(), Value: before.ratio(), Unit: "x fetch + rebuild", Limit: 2},
		{What: what + ", consolidated", Millis: after.millis(), Value: after.ratio(), Unit: "x fetch + rebuild", Limit: 2},
		{What: what + ", consolidated, against before", Value: after.millis() / before.millis(), Unit: "x", Limit: 1},
		before.syncRow("the first bd sync after it"),
		after.syncRow("the first bd sync after it, consolidated"),
	}, nil
}

// consolidate joins a history and brings together what is old in it.
func (b *bench) consolidate(ctx context.Context, remote string) error {
	dir, err := b.clonePlace(ctx, "consolidator", remote)
	if err != nil {
		return err
	}
	if _, err := b.output(ctx, dir, b.bd, "init", "--quiet"); err != nil {
		return err
	}
	for {
		text, err := b.output(ctx, dir, b.bd, "sync", "--json")
		if err != nil {
			return err
		}
		var report struct {
			Replication struct {
				Consolidated *int `json:"consolidated"`
			} `json:"replication"`
		}
		if err := json.Unmarshal([]byte(text), &report); err != nil {
			return err
		}
		if report.Replication.Consolidated == nil {
			return errors.New("bd sync --json does not say what was consolidated")
		}
		if *report.Replication.Consolidated == 0 {
			return nil
		}
	}
}

// clonePlace makes a repository that knows a remote and has nothing of it.
func (b *bench) clonePlace(ctx context.Context, name, remote string) (string, error) {
	dir := filepath.Join(b.dir, name)
	_, err := b.output(ctx, b.dir, "git", "init", "--quiet", dir)
	if err == nil {
		_, err = b.output(ctx, dir, "git", "remote", "add", "origin", remote)
	}
	return dir, err
}

// history is what it takes to join the one of a remote.
type history struct {
	remote                      string
	first, sync, fetch, rebuild []time.Duration // bd init, bd sync, git fetch, the first answer without a database
}

func (h *history) millis() float64 { return millis(quantile(h.first, 0.5)) }

func (h *history) ratio() float64 {
	return ratio(quantile(h.first, 0.5), quantile(h.fetch, 0.5)+quantile(h.rebuild, 0.5))
}

func (h *history) syncRow(what string) row {
	return row{What: what, Millis: millis(quantile(h.sync, 0.5)), Value: ratio(quantile(h.sync, 0.5), quantile(h.fetch, 0.5)), Unit: "x git fetch"}
}

// join makes two clones: one of plain Git, and one of ours that then loses its
// database.
func (b *bench) join(ctx context.Context, h *history) error {
	name := fmt.Sprintf("%s-%d", strings.TrimSuffix(filepath.Base(h.remote), ".git"), len(h.first))
	plain, err := b.clonePlace(ctx, name+"-plain", h.remote)
	if err != nil {
		return err
	}
	dir, err := b.clonePlace(ctx, name, h.remote)
	if err != nil {
		return err
	}
	fetch, err := b.timed(ctx, plain, "git", "fetch", "--quiet", "origin", "refs/beads/ops:refs/beads/ops")
	if err != nil {
		return err
	}
	first, err := b.timed(ctx, dir, b.bd, "init", "--quiet")
	if err != nil {
		return err
	}
	sync, err := b.timed(ctx, dir, b.bd, "sync", "--no-push", "--quiet")
	if err != nil {
		return err
	}
	if err := (&tracker{dir: dir}).dropDatabase(); err != nil {
		return err
	}
	rebuild, err := b.timed(ctx, dir, b.bd, "count")
	h.first, h.sync = append(h.first, first), append(h.sync, sync)
	h.fetch, h.rebuild = append(h.fetch, fetch), append(h.rebuild, rebuild)
	return err
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
