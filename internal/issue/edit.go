package issue

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// Clone is a deep copy.
func (i Issue) Clone() Issue {
	i.Metadata = slices.Clone(i.Metadata)
	i.Labels = slices.Clone(i.Labels)
	i.Dependencies = slices.Clone(i.Dependencies)
	for n := range i.Dependencies {
		i.Dependencies[n].Metadata = slices.Clone(i.Dependencies[n].Metadata)
	}
	i.Comments = slices.Clone(i.Comments)
	extra := maps.Clone(i.Extra)
	for name, value := range extra {
		extra[name] = slices.Clone(value)
	}
	i.Extra = extra
	return i
}

// AddLabel adds label unless it is there, in its place.
func (i *Issue) AddLabel(label string) {
	if at, found := slices.BinarySearch(i.Labels, label); !found {
		i.Labels = slices.Insert(i.Labels, at, label)
	}
}

// RemoveLabel removes label if it is there.
func (i *Issue) RemoveLabel(label string) {
	if at, found := slices.BinarySearch(i.Labels, label); found {
		i.Labels = emptyIsNil(slices.Delete(i.Labels, at, at+1))
	}
}

// AddDependency adds d in its place. One of the same target and type stays as
// it was, but takes d's metadata if d has some.
func (i *Issue) AddDependency(d Dependency) {
	at, found := slices.BinarySearchFunc(i.Dependencies, d, CompareDependencies)
	switch {
	case !found:
		i.Dependencies = slices.Insert(i.Dependencies, at, d)
	case d.Metadata != nil:
		i.Dependencies[at].Metadata = d.Metadata
	}
}

// RemoveDependency removes the dependency of that target and type if it is there.
func (i *Issue) RemoveDependency(to, kind string) {
	d := Dependency{To: to, Type: kind}
	if at, found := slices.BinarySearchFunc(i.Dependencies, d, CompareDependencies); found {
		i.Dependencies = emptyIsNil(slices.Delete(i.Dependencies, at, at+1))
	}
}

// AddLabels is AddLabel for each of them.
func (i *Issue) AddLabels(labels []string) {
	if len(labels) <= few {
		for _, label := range labels {
			i.AddLabel(label)
		}
		return
	}
	i.Labels = merge(i.Labels, slices.Clone(labels), strings.Compare, func(*string, string) {})
}

// RemoveLabels is RemoveLabel for each of them.
func (i *Issue) RemoveLabels(labels []string) {
	if len(labels) <= few {
		for _, label := range labels {
			i.RemoveLabel(label)
		}
		return
	}
	gone := slices.Sorted(slices.Values(labels))
	i.Labels = emptyIsNil(slices.DeleteFunc(i.Labels, func(label string) bool {
		_, found := slices.BinarySearch(gone, label)
		return found
	}))
}

// AddDependencies is AddDependency for each of them, in order.
func (i *Issue) AddDependencies(all []Dependency) {
	if len(all) <= few {
		for _, d := range all {
			i.AddDependency(d)
		}
		return
	}
	i.Dependencies = merge(i.Dependencies, slices.Clone(all), CompareDependencies, func(held *Dependency, d Dependency) {
		if d.Metadata != nil {
			held.Metadata = d.Metadata
		}
	})
}

// RemoveDependencies removes those of the targets and types of all.
func (i *Issue) RemoveDependencies(all []Dependency) {
	if len(all) <= few {
		for _, d := range all {
			i.RemoveDependency(d.To, d.Type)
		}
		return
	}
	gone := slices.SortedFunc(slices.Values(all), CompareDependencies)
	i.Dependencies = emptyIsNil(slices.DeleteFunc(i.Dependencies, func(d Dependency) bool {
		_, found := slices.BinarySearchFunc(gone, d, CompareDependencies)
		return found
	}))
}

// AddComments adds comments of ids that the issue does not have, each in its place.
func (i *Issue) AddComments(all []Comment) {
	if len(all) <= few {
		for _, c := range all {
			i.insertComment(c)
		}
		return
	}
	i.Comments = merge(i.Comments, slices.Clone(all), CompareComments, func(*Comment, Comment) {})
}

func (i *Issue) insertComment(c Comment) {
	at, _ := slices.BinarySearchFunc(i.Comments, c, CompareComments)
	i.Comments = slices.Insert(i.Comments, at, c)
}

// few elements are put in their places one by one. Of more, each would move all
// that come after it: a line of 1 MiB holds a hundred thousand labels.
const few = 16

// merge puts more, which it sorts, into sorted. Of equal ones the first stays, and
// again tells it of the others.
func merge[E any](sorted, more []E, compare func(a, b E) int, again func(held *E, other E)) []E {
	slices.SortStableFunc(more, compare)
	merged := make([]E, 0, len(sorted)+len(more))
	for _, e := range more {
		for len(sorted) > 0 && compare(sorted[0], e) <= 0 {
			merged, sorted = append(merged, sorted[0]), sorted[1:]
		}
		if n := len(merged); n > 0 && compare(merged[n-1], e) == 0 {
			again(&merged[n-1], e)
		} else {
			merged = append(merged, e)
		}
	}
	return append(merged, sorted...)
}

// AddComment adds c in its place. One of the same id is replaced.
func (i *Issue) AddComment(c Comment) {
	if at := i.FindComment(c.ID); at >= 0 {
		i.Comments = slices.Delete(i.Comments, at, at+1)
	}
	i.insertComment(c)
}

// FindComment is the index of the comment with that id, -1 if there is none.
func (i *Issue) FindComment(id string) int {
	return slices.IndexFunc(i.Comments, func(c Comment) bool { return c.ID == id })
}

// CompareDependencies orders by target, then by type.
func CompareDependencies(a, b Dependency) int {
	return cmp.Or(strings.Compare(a.To, b.To), strings.Compare(a.Type, b.Type))
}

// CompareComments orders by time of creation, then by id.
func CompareComments(a, b Comment) int {
	return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), strings.Compare(a.ID, b.ID))
}

// FormatTime is how times are written in JSON: UTC, RFC 3339, with as many
// decimals, up to microseconds, as there are.
func FormatTime(t time.Time) string { return string(appendTime(nil, t)) }

func appendTime(dst []byte, t time.Time) []byte {
	return t.UTC().Truncate(time.Microsecond).AppendFormat(dst, time.RFC3339Nano)
}

func emptyIsNil[S ~[]E, E any](s S) S {
	if len(s) == 0 {
		return nil
	}
	return s
}
