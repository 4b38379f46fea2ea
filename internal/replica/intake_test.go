package replica

import (
	"slices"
	"testing"
)

// Of two lines that share the beginning of their hashes neither passes for the
// other.
func TestLineSet(t *testing.T) {
	a, b, c := key{hash: [32]byte{1}}, key{hash: [32]byte{1, 31: 1}}, key{hash: [32]byte{2}}
	var set lineSet
	for n, step := range []struct {
		k   key
		new bool
	}{{a, true}, {b, true}, {a, false}, {c, true}, {c, false}} {
		if got := set.add(step.k); got != step.new {
			t.Errorf("step %d: new %v, want %v", n, got, step.new)
		}
	}
	if want := []key{a, b, c}; !slices.Equal(set.keys, want) {
		t.Errorf("the set holds %v, want %v", set.keys, want)
	}
}
