package acceptance

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var history = flag.Int("history", 1000, "how many operations there are before TestGrowth measures")

// mostAdded is what one operation may add to the objects of a repository.
const mostAdded = 4 << 10

// One operation, published and pushed, adds at most 4 KiB to the objects of any
// repository it comes to, however long the history is.
func TestGrowth(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	a, b := p.newClone("a", "--publish"), p.newClone("b")
	record := func(n int) string {
		data, err := json.Marshal(map[string]any{
			"id": fmt.Sprintf("bd-%08d", n), "title": fmt.Sprintf("Issue %d of a long history", n), "status": "open", "priority": n % 5,
			"issue_type": "task", "created_at": time.Date(2026, 1, 1, 0, 0, n, 0, time.UTC), "updated_at": time.Date(2026, 1, 1, 0, 0, n, 0, time.UTC),
		})
		must(t, err)
		return string(data) + "\n"
	}
	var all strings.Builder
	for n := range *history {
		all.WriteString(record(n))
	}
	file := filepath.Join(p.dir, "history.jsonl")
	write(t, file, all.String())
	a.must("import", "-i", file)
	p.settle(a, b)
	if out := b.must("count"); out != fmt.Sprint(*history) {
		t.Fatalf("%s issues, want %d", out, *history)
	}
	a.measure(b, 5)
}

// Nor does it add more after a year of other days, at the 2,000th publish of one.
func TestGrowthOnACrowdedDay(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	a, b := p.newClone("a", "--publish"), p.newClone("b")
	p.crowd()
	p.settle(a, b)
	a.measure(b, 3)
}

// crowd gives the remote's ref two batch files on each day of the year before
// and 2,000 on this one, spread over all its hours: every directory on the way to
// a new file is as full as it gets, as in the last minute of such a day.
func (p *place) crowd() {
	p.t.Helper()
	var stream strings.Builder
	fmt.Fprintf(&stream, "blob\nmark :1\ndata 1\n\n\ncommit %s\ncommitter x <x@invalid> 1 +0000\ndata 1\nx\nfrom %s\n", ref, p.tip(p.bare))
	add := func(at time.Time, n int) {
		fmt.Fprintf(&stream, "M 100644 :1 ops/%s/%026d-%08x.jsonl\n", at.Format("2006-01/02/15/04"), n, n*7919)
	}
	today := time.Now().UTC().Truncate(24 * time.Hour)
	for day := today.AddDate(0, -11, 1-today.Day()); day.Before(today); day = day.AddDate(0, 0, 1) {
		add(day.Add(8*time.Hour), 1)
		add(day.Add(9*time.Hour), 2)
	}
	for n := range 2000 {
		add(today.Add(time.Duration(n)*24*time.Hour/2000), n)
	}
	cmd := exec.Command("git", "fast-import", "--quiet")
	cmd.Dir, cmd.Env, cmd.Stdin = p.bare, p.env, strings.NewReader(stream.String()+"\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("git fast-import: %v\n%s", err, out)
	}
}

// measure files some issues, one sync each, and demands that what this adds in
// the clone, on the remote and in another clone stays small.
func (c *clone) measure(other *clone, issues int) {
	c.t.Helper()
	repositories := map[string]string{
		"where it was made": filepath.Join(c.dir, ".git"), "on the remote": c.bare, "where it was fetched": filepath.Join(other.dir, ".git"),
	}
	added := map[string][]int64{}
	for n := range issues {
		before := map[string]int64{}
		for name, dir := range repositories {
			before[name] = c.objects(dir)
		}
		c.must("q", fmt.Sprintf("measured %d", n))
		if r := c.sync(); r.Published != 1 || r.Pushed != 1 {
			c.t.Fatalf("published: %+v", r)
		}
		if r := other.sync(); r.Fetched != 1 {
			c.t.Fatalf("fetched: %+v", r)
		}
		for name, dir := range repositories {
			added[name] = append(added[name], c.objects(dir)-before[name])
		}
	}
	for name, bytes := range added {
		c.t.Logf("%s: %v bytes of objects", name, bytes)
		if slices.Max(bytes) > mostAdded {
			c.t.Errorf("one operation added up to %d bytes %s, more than %d", slices.Max(bytes), name, mostAdded)
		}
	}
}

// objects is the size of a repository's objects, in bytes.
func (c *clone) objects(gitDir string) (total int64) {
	c.t.Helper()
	must(c.t, filepath.WalkDir(filepath.Join(gitDir, "objects"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	}))
	return total
}
