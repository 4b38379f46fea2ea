package workspace_test

import (
	"errors"
	"testing"
	"time"

	"beads/internal/projection"
	"beads/internal/workspace"
)

// A writer that builds a new database has made the file and not filled it yet:
// whoever reads meanwhile must not answer that there is nothing.
func TestUnfilledDatabaseIsNotBelieved(t *testing.T) {
	f := newFixture(t)
	f.file("first")
	local, err := f.place().Local()
	if err != nil {
		t.Fatal(err)
	}
	f.remove(f.place().DB + "*")
	db, err := projection.Create(t.Context(), f.place().DB, local.Workspace)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	w, err := workspace.Open(t.Context(), f.place(), workspace.Options{Now: time.Now, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	err = w.View(t.Context(), func(*projection.Query) error { return nil })
	if !errors.Is(err, workspace.ErrReadOnly) {
		t.Errorf("a reader that may not build it: %v, want ErrReadOnly", err)
	}
	f.want("first")
}
