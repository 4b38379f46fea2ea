package workspace_test

import (
	"errors"
	"testing"
	"time"

	"beads/internal/projection"
	"beads/internal/workspace"
)

// A writer that builds a new database has not filled it yet: whoever reads meanwhile
// must not answer that there is nothing.
func TestUnfilledDatabaseIsNotBelieved(t *testing.T) {
	f := newFixture(t)
	f.file("first")
	f.remove(f.place().DB + "*")
	asked := false
	options := f.options()
	options.Archive = func(func([]byte) error) error { // asked in the middle of it
		asked = true
		w, err := workspace.Open(t.Context(), f.place(), workspace.Options{Now: time.Now, ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		err = w.View(t.Context(), func(*projection.Query) error { return nil })
		if !errors.Is(err, workspace.ErrReadOnly) {
			t.Errorf("a reader that may not build it: %v, want ErrReadOnly", err)
		}
		return nil
	}
	w, err := workspace.Open(t.Context(), f.place(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if titles := titlesOf(t, w); len(titles) != 1 || !asked {
		t.Errorf("issues are %q; asked while it was built: %v", titles, asked)
	}
}
