package workspace_test

import (
	"strings"
	"testing"

	"beads/internal/workspace"
)

// TestWriterWithoutGuard: a process that does not see the git directory writes to
// the log alone. Whoever sees it again brings the guard copy up to date.
func TestWriterWithoutGuard(t *testing.T) {
	for _, appended := range []bool{false, true} {
		f := newFixture(t)
		f.file("one")
		blind := f.place()
		blind.Guard, blind.CommonDir, blind.GitDir = "", "", ""
		if appended { // and it is the first to read what another tool appended
			f.write(blind.LogPath(), f.read(blind.LogPath())+createLine(f, "bd-aaaaaaaaaa", "two")+"\n")
		}
		w, err := workspace.Open(t.Context(), blind, f.options())
		if err != nil {
			t.Fatal(err)
		}
		if appended {
			titlesOf(t, w)
		} else if _, err := w.Commit(t.Context(), func(*workspace.Tx) ([]workspace.Draft, error) {
			return []workspace.Draft{create("two")}, nil
		}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		f.want("one", "two")
		if !strings.Contains(f.read(f.place().GuardPath()), `"two"`) {
			t.Errorf("appended %v: the guard copy lacks what was written without it", appended)
		}
		f.equalCopies()
	}
}
