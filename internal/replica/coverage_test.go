package replica

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// A coverage is a set of rows, whatever they were entered in.
func TestCoverageIsASet(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		var c coverage
		want := map[int64]bool{}
		for range 1 + r.IntN(6) {
			var other coverage
			var rows []int64
			for range r.IntN(20) {
				row := 1 + r.Int64N(40)
				rows = append(rows, row)
				want[row] = true
			}
			if r.IntN(2) == 0 {
				c.add(rows)
			} else {
				other.add(rows)
				c.unite(other)
			}
		}
		beyond, all := c.size()
		if all != int64(len(want)) || beyond != all-c.Through {
			t.Fatalf("seed %d: %+v has %d rows, want %d", seed, c, all, len(want))
		}
		gaps := c.gaps()
		for row := int64(1); row <= 45; row++ {
			missing := slices.ContainsFunc(gaps, func(s span) bool { return s[0] <= row && row <= s[1] })
			if missing == want[row] {
				t.Fatalf("seed %d: %+v has row %d: %v, and lacks %v", seed, c, row, want[row], gaps)
			}
		}
		if want[1] != (c.Through > 0) || !slices.IsSortedFunc(c.Spans, func(a, b span) int { return int(a[1] + 2 - b[0]) }) {
			t.Fatalf("seed %d: %+v is not in its form", seed, c)
		}
	}
}
