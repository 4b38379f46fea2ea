package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// peerSize is how many issues the other program gets: for some it is work
// enough.
const peerSize = 1000

// comparePeer measures the same commands of another program, in a tracker of its
// own with the same issues. A command that it does not know is left out.
func (b *bench) comparePeer(ctx context.Context) ([]row, error) {
	if b.peer == "" {
		b.say("no PEER to compare with")
		return nil, nil
	}
	peer, err := filepath.Abs(b.peer)
	if err != nil {
		return nil, err
	}
	t, err := b.tracker(ctx, peerSize)
	if err != nil {
		return nil, err
	}
	snapshot := filepath.Join(b.dir, "peer.jsonl")
	if _, err := b.output(ctx, t.dir, b.bd, "export", "-o", snapshot); err != nil {
		return nil, err
	}
	dir := filepath.Join(b.dir, "peer")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	for _, args := range [][]string{{"git", "init", "--quiet"}, {peer, "init", "--prefix", "bd", "--quiet"}, {peer, "import", "-i", snapshot}} {
		if _, err := b.output(ctx, dir, args[0], args[1:]...); err != nil {
			return nil, err
		}
	}
	var rows []row
	for _, p := range probes(t.open) {
		var ours, theirs []time.Duration
		for i := range b.runs + 1 {
			// Each closes other issues than the runs before.
			args := p.args(b.runs + 1 + i)
			d, err := b.timed(ctx, dir, peer, args...)
			if err != nil {
				b.say("%s: left out: %v", p.what, err)
				ours = nil
				break
			}
			o, err := b.timed(ctx, t.dir, b.bd, args...)
			if err != nil {
				return nil, err
			}
			if i > 0 {
				ours, theirs = append(ours, o), append(theirs, d)
			}
		}
		if len(ours) == 0 {
			continue
		}
		m := quantile(theirs, 0.5)
		rows = append(rows, row{
			What: fmt.Sprintf("%s: %s", filepath.Base(peer), p.what), Issues: peerSize,
			Millis: millis(m), Value: ratio(m, quantile(ours, 0.5)), Unit: "x bd",
		})
	}
	return rows, nil
}
