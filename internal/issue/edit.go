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

// AddComment adds c in its place. One of the same id is replaced.
func (i *Issue) AddComment(c Comment) {
	if at := i.FindComment(c.ID); at >= 0 {
		i.Comments = slices.Delete(i.Comments, at, at+1)
	}
	at, _ := slices.BinarySearchFunc(i.Comments, c, CompareComments)
	i.Comments = slices.Insert(i.Comments, at, c)
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
