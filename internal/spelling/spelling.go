// Package spelling finds the name that a slip was probably meant to be, for
// messages about unknown settings. It is pure.
package spelling

// Nearest is the first of the names that is closest to typed, "" if none is
// within so many insertions, deletions and substitutions of a byte.
func Nearest(typed string, names []string, within int) string {
	best := ""
	for _, name := range names {
		if d := distance(typed, name); d <= within {
			best, within = name, d-1
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			substitute := diagonal
			if a[i] != b[j] {
				substitute++
			}
			diagonal = row[j+1]
			row[j+1] = min(substitute, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
