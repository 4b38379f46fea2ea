package issue

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Labels, dependencies and comments behave like sets and stay in order,
// whatever is done to them in whatever order.
func TestEdits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var i Issue
		labels := map[string]bool{}
		deps := map[[2]string]bool{}
		comments := map[string]string{}
		name := rapid.SampledFrom([]string{"a", "b", "c", "dd", ""})
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			n, m := name.Draw(t, "name"), name.Draw(t, "other")
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0:
				i.AddLabel(n)
				labels[n] = true
			case 1:
				i.RemoveLabel(n)
				delete(labels, n)
			case 2:
				i.AddDependency(Dependency{To: n, Type: m})
				deps[[2]string{n, m}] = true
			case 3:
				i.RemoveDependency(n, m)
				delete(deps, [2]string{n, m})
			case 4:
				i.AddComment(Comment{ID: n, Text: m, CreatedAt: time.UnixMilli(rapid.Int64Range(0, 3).Draw(t, "at"))})
				comments[n] = m
			}
		}
		if len(i.Labels) != len(labels) || !slices.IsSorted(i.Labels) {
			t.Fatalf("labels %q, want %v", i.Labels, labels)
		}
		if len(i.Dependencies) != len(deps) || !slices.IsSortedFunc(i.Dependencies, CompareDependencies) {
			t.Fatalf("dependencies %v, want %v", i.Dependencies, deps)
		}
		if len(i.Comments) != len(comments) || !slices.IsSortedFunc(i.Comments, CompareComments) {
			t.Fatalf("comments %v, want %v", i.Comments, comments)
		}
		for id, text := range comments {
			if at := i.FindComment(id); at < 0 || i.Comments[at].Text != text {
				t.Fatalf("comment %q: %v", id, i.Comments)
			}
		}
		if len(labels) == 0 && i.Labels != nil || len(deps) == 0 && i.Dependencies != nil {
			t.Fatal("empty is not nil")
		}
	})
}

func TestAddDependencyAgain(t *testing.T) {
	var i Issue
	i.AddDependency(Dependency{To: "x", Type: "blocks", CreatedBy: "first"})
	i.AddDependency(Dependency{To: "x", Type: "blocks", CreatedBy: "second"})
	i.AddDependency(Dependency{To: "x", Type: "blocks", CreatedBy: "third", Metadata: json.RawMessage("1")})
	i.AddDependency(Dependency{To: "x", Type: "blocks", CreatedBy: "fourth"})
	if len(i.Dependencies) != 1 || i.Dependencies[0].CreatedBy != "first" || string(i.Dependencies[0].Metadata) != "1" {
		t.Errorf("%+v", i.Dependencies)
	}
}

func TestClone(t *testing.T) {
	original := func() Issue {
		return Issue{
			Metadata: json.RawMessage("1"), Labels: []string{"a"}, Comments: []Comment{{ID: "c", Text: "t"}},
			Dependencies: []Dependency{{To: "x", Metadata: json.RawMessage("2")}}, Extra: map[string]json.RawMessage{"e": json.RawMessage("3")},
		}
	}
	i := original()
	c := i.Clone()
	if !reflect.DeepEqual(c, i) {
		t.Fatalf("clone %+v", c)
	}
	c.Metadata[0], c.Labels[0], c.Comments[0].Text = '9', "z", "z"
	c.Dependencies[0].To, c.Dependencies[0].Metadata[0] = "z", '9'
	c.Extra["e"][0], c.Extra["f"] = '9', json.RawMessage("4")
	if !reflect.DeepEqual(i, original()) {
		t.Errorf("changing the clone changed the original: %+v", i)
	}
	if empty := (Issue{}).Clone(); !reflect.DeepEqual(empty, Issue{}) {
		t.Errorf("clone of the empty issue: %+v", empty)
	}
}

func TestFormatTime(t *testing.T) {
	zone := time.FixedZone("", 3600)
	for want, at := range map[string]time.Time{
		"2025-01-01T00:00:00Z":        time.Date(2025, 1, 1, 1, 0, 0, 0, zone),
		"2025-01-01T00:00:00.5Z":      time.Date(2025, 1, 1, 0, 0, 0, 500e6, time.UTC),
		"2025-01-01T00:00:00.000001Z": time.Date(2025, 1, 1, 0, 0, 0, 1999, time.UTC),
	} {
		if got := FormatTime(at); got != want {
			t.Errorf("FormatTime(%v) = %s, want %s", at, got, want)
		}
	}
}

// Many elements at once are what they are one by one.
func TestManyAtOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-d]{0,3}`)
		names := rapid.SliceOfN(name, 0, 3*few)
		deps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Dependency {
			d := Dependency{To: name.Draw(t, "to"), Type: name.Draw(t, "type"), CreatedBy: name.Draw(t, "by")}
			if rapid.Bool().Draw(t, "with metadata") {
				d.Metadata = json.RawMessage(`"` + name.Draw(t, "metadata") + `"`)
			}
			return d
		}), 0, 3*few)
		comments := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) Comment {
			return Comment{ID: name.Draw(t, "id"), CreatedAt: time.UnixMilli(rapid.Int64Range(0, 3).Draw(t, "at"))}
		}), 0, 3*few, func(c Comment) string { return c.ID }).Draw(t, "comments")
		var one, all Issue
		for range 2 {
			labels, dependencies := names.Draw(t, "labels"), deps.Draw(t, "dependencies")
			all.AddLabels(labels)
			all.AddDependencies(dependencies)
			for _, label := range labels {
				one.AddLabel(label)
			}
			for _, d := range dependencies {
				one.AddDependency(d)
			}
			labels, dependencies = names.Draw(t, "no labels"), deps.Draw(t, "no dependencies")
			all.RemoveLabels(labels)
			all.RemoveDependencies(dependencies)
			for _, label := range labels {
				one.RemoveLabel(label)
			}
			for _, d := range dependencies {
				one.RemoveDependency(d.To, d.Type)
			}
		}
		half := len(comments) / 2
		all.AddComments(comments[:half])
		all.AddComments(comments[half:])
		for _, c := range comments {
			one.AddComment(c)
		}
		if !reflect.DeepEqual(one, all) {
			t.Fatalf("%+v, want %+v", all, one)
		}
	})
}

func TestMergeIsLinear(t *testing.T) {
	const n = 10_000
	var held, more []int
	for i := range n {
		held, more = append(held, 2*i), append(more, 2*(n-i))
	}
	compared := 0
	got := merge(held, more, func(a, b int) int { compared++; return a - b }, func(*int, int) {})
	if len(got) != n+1 || !slices.IsSorted(got) {
		t.Errorf("%d, want %d in order", len(got), n+1)
	}
	if compared > 30*n {
		t.Errorf("%d comparisons of %d elements", compared, n)
	}
}
