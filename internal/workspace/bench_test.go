package workspace_test

import (
	"fmt"
	"os"
	"testing"

	"beads/internal/workspace"
)

// What a command does that creates an issue among so many: it opens the workspace
// and closes it.
func BenchmarkCommit(b *testing.B) {
	for _, issues := range []int{1_000, 10_000} {
		b.Run(fmt.Sprintf("issues=%d", issues), func(b *testing.B) {
			f := newFixture(b)
			f.append(issues)
			f.file("first")
			for b.Loop() {
				w := f.open()
				_, err := w.Commit(b.Context(), func(*workspace.Tx) ([]workspace.Draft, error) {
					return []workspace.Draft{create("one more")}, nil
				})
				if err == nil {
					err = w.Close()
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A refresh of so many issues: of nothing new, and of lines that another tool
// appended.
func BenchmarkRefresh(b *testing.B) {
	for _, issues := range []int{1_000, 10_000} {
		for _, appended := range []int{0, 1, 100} {
			b.Run(fmt.Sprintf("issues=%d/appended=%d", issues, appended), func(b *testing.B) {
				f := newFixture(b)
				f.append(issues)
				w := f.open()
				refresh := func() {
					if _, err := w.Refresh(b.Context(), false); err != nil {
						b.Fatal(err)
					}
				}
				refresh()
				for b.Loop() {
					f.append(appended)
					refresh()
				}
			})
		}
	}
}

// append appends so many new issues to the log, as another tool would.
func (f *fixture) append(issues int) {
	f.t.Helper()
	if issues == 0 {
		return
	}
	var lines []byte
	for range issues {
		o := create("appended").Op
		lines = append(append(lines, f.line(*o)...), '\n')
	}
	log, err := os.OpenFile(f.place().LogPath(), os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		_, err = log.Write(lines)
	}
	if err == nil {
		err = log.Close()
	}
	if err != nil {
		f.t.Fatal(err)
	}
}
