package oplog_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"beads/internal/oplog"
)

// An append, durable in the log or in log and guard copy.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 100, 1000} {
		var all [][]byte
		for n := range size {
			all = append(all, line(n))
		}
		for _, files := range []string{"log", "pair"} {
			b.Run(fmt.Sprintf("%s/lines=%d", files, size), func(b *testing.B) {
				dir := b.TempDir()
				log, err := oplog.Open(oplog.OS{}, filepath.Join(dir, "issues.jsonl"), true)
				must(b, err)
				defer log.Close()
				p := &oplog.Pair{Log: log}
				if files == "pair" {
					p.Guard, err = oplog.Open(oplog.OS{}, filepath.Join(dir, "guard.jsonl"), true)
					must(b, err)
					defer p.Guard.Close()
				}
				var cursors oplog.PairCursors
				for b.Loop() {
					cursors, err = p.Append(all, cursors)
					must(b, err)
				}
			})
		}
	}
}
