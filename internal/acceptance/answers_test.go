package acceptance

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// answersVariable names a snapshot to ask about beside the project's own sample.
const answersVariable = "BD_REAL_LIST"

// realList is the snapshot that is used if it is there and none is named.
var realList = filepath.Join("..", "..", "..", "shared", "data", "beads-real-2750.jsonl")

// A rec is one record of a snapshot, as encoding/json reads it: the answers of
// bd are held against what can be seen in it, by code that shares nothing with
// bd's.
type rec map[string]any

func (r rec) text(name string) string {
	s, _ := r[name].(string)
	return s
}

func (r rec) id() string        { return r.text("id") }
func (r rec) closed() bool      { return r.text("status") == "closed" }
func (r rec) priority() int     { n, _ := r["priority"].(float64); return int(n) }
func (r rec) has(l string) bool { return slices.Contains(r.labels(), l) }

func (r rec) labels() (all []string) {
	list, _ := r["labels"].([]any)
	for _, l := range list {
		all = append(all, l.(string))
	}
	return all
}

// on are the issues that it depends on, by dependencies of one type.
func (r rec) on(kind string) (ids []string) {
	list, _ := r["dependencies"].([]any)
	for _, d := range list {
		if d := d.(map[string]any); d["type"] == kind {
			ids = append(ids, d["depends_on_id"].(string))
		}
	}
	return ids
}

// at is a time; zero if it has none.
func (r rec) at(name string) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, r.text(name))
	return t
}

// contains reports whether one of the fields has the text, whatever its case.
func (r rec) contains(text string, fields ...string) bool {
	return slices.ContainsFunc(fields, func(f string) bool {
		return strings.Contains(strings.ToLower(r.text(f)), strings.ToLower(text))
	})
}

// A snapshot is its visible records: all but the tombstones.
type snapshot struct {
	file string
	recs []rec
	byID map[string]rec
	now  time.Time
}

func readSnapshot(t *testing.T, file string) *snapshot {
	t.Helper()
	f, err := os.Open(file)
	must(t, err)
	defer f.Close()
	s := &snapshot{file: file, byID: map[string]rec{}, now: time.Now()}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var r rec
		must(t, json.Unmarshal(lines.Bytes(), &r))
		if r.text("status") != "tombstone" {
			s.recs = append(s.recs, r)
			s.byID[r.id()] = r
		}
	}
	must(t, lines.Err())
	return s
}

// choose are the ids of the records for which holds is true, sorted.
func (s *snapshot) choose(holds func(rec) bool) []string {
	ids := []string{}
	for _, r := range s.recs {
		if holds(r) {
			ids = append(ids, r.id())
		}
	}
	slices.Sort(ids)
	return ids
}

// blockers are the open issues that block r directly.
func (s *snapshot) blockers(r rec) (ids []string) {
	for _, id := range r.on("blocks") {
		if other := s.byID[id]; other != nil && !other.closed() && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// blocked: it is not closed, and an open issue blocks it, directly or through a
// parent that is open and blocked.
func (s *snapshot) blocked(r rec, seen map[string]bool) bool {
	if r.closed() || seen[r.id()] {
		return false
	}
	seen[r.id()] = true
	return len(s.blockers(r)) > 0 || slices.ContainsFunc(r.on("parent-child"), func(id string) bool {
		return s.byID[id] != nil && s.blocked(s.byID[id], seen)
	})
}

// ready: open, not deferred, and not blocked.
func (s *snapshot) ready(r rec) bool {
	return r.text("status") == "open" && !r.at("defer_until").After(s.now) && !s.blocked(r, map[string]bool{})
}

// urgentFirst is the usual order: by priority, then the oldest first, then by id.
func (s *snapshot) urgentFirst(ids []string) []string {
	return slices.SortedFunc(slices.Values(ids), func(a, b string) int {
		x, y := s.byID[a], s.byID[b]
		if x.priority() != y.priority() {
			return x.priority() - y.priority()
		}
		if c := x.at("created_at").Compare(y.at("created_at")); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
}

// most are the n values that most records have, without the empty one, so that a
// filter has something to select.
func (s *snapshot) most(n int, values func(rec) []string) []string {
	counts := s.groups(values)
	delete(counts, "")
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
	return names[:min(n, len(names))]
}

// groups counts the records with each of the values; those with none are in "".
func (s *snapshot) groups(values func(rec) []string) map[string]int {
	counts := map[string]int{}
	for _, r := range s.recs {
		all := values(r)
		if len(all) == 0 {
			all = []string{""}
		}
		for _, v := range all {
			counts[v]++
		}
	}
	return counts
}

func field(name string) func(rec) []string {
	return func(r rec) []string { return []string{r.text(name)} }
}

func parents(r rec) []string { return r.on("parent-child") }

func priorities(r rec) []string { return []string{fmt.Sprint(r.priority())} }

// TestAnswers asks bd everything that can be asked about a list of issues, and
// works each answer out from the records themselves.
func TestAnswers(t *testing.T) {
	files := []string{filepath.Join("..", "..", "testdata", "sample.jsonl")}
	large := os.Getenv(answersVariable)
	if large == "" {
		large = realList
	}
	if _, err := os.Stat(large); err == nil {
		files = append(files, large)
	} else {
		t.Logf("only the sample is asked about: no %s, and %s names no other list", realList, answersVariable)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			c := p.newClone("a")
			path, err := filepath.Abs(file)
			must(t, err)
			c.must("import", "-q", "-i", path)
			s := readSnapshot(t, file)
			a := answers{s, c}
			a.filters()
			a.dates()
			a.orders()
			a.waiting()
			a.counted()
			a.family()
			a.queries()
		})
	}
}
