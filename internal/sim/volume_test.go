package sim

import (
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"beads/internal/git"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/replica"
)

// The volume of docs/scale.md is -sim.operations=999990: an hour. A million is
// what one step takes, and there are some already.
var volumeOperations = flag.Int("sim.operations", 1000, "how many operations the history of TestVolume has")

// The history of TestVolume: a million operations are made in 250 days.
const (
	operationsAPublish = 4
	operationsADay     = 4000
	leastDays          = 12 // so that some of them are old
)

// TestVolume makes a history that many clones published over most of a year,
// joins it, consolidates it, joins it again, and says what it all weighs.
func TestVolume(t *testing.T) {
	t.Parallel()
	w := newWorld(t, kind{test: "TestVolume", flag: "sim.operations"}, *firstSeed)
	defer w.end()
	join := func(r *remote) (*site, replica.Report) {
		s := newSite(w, len(w.sites))
		s.skew = 0
		w.sites = append(w.sites, s)
		if r != nil {
			r.attach(s)
			return s, r.share(s)
		}
		return s, replica.Report{}
	}
	first, _ := join(nil)
	r := newRemote(w).(*remote)
	r.share(first) // makes the ref
	publishes := r.writeHistory(*volumeOperations)
	w.weighBare(r, fmt.Sprintf("after %d publishes", publishes))

	began := time.Now()
	second, report := join(r)
	w.Logf("joining: %d operations in %.1f s", report.Fetched, time.Since(began).Seconds())
	if report.Fetched < *volumeOperations {
		t.Errorf("joining brought %d of %d operations", report.Fetched, *volumeOperations)
	}
	w.weighWorkspace(second)
	w.weighGit("its .git", filepath.Join(second.dir, ".git"))
	began = time.Now()
	for n := report.Consolidated; n > 0; {
		again := r.share(second)
		n = again.Consolidated
		report.Consolidated += n
	}
	w.Logf("consolidated: %d files, the rest of them in %.1f s", report.Consolidated, time.Since(began).Seconds())
	w.weighBare(r, "consolidated")

	began = time.Now()
	third, _ := join(r)
	w.Logf("joining what is consolidated: %.1f s", time.Since(began).Seconds())
	w.weighGit("its .git", filepath.Join(third.dir, ".git"))
	began = time.Now()
	quiet := r.share(third)
	w.Logf("a quiet sync: %.0f ms", 1000*time.Since(began).Seconds())
	if !quiet.Quiet() {
		t.Errorf("a sync after joining moved %+v", quiet)
	}
	third.change()
	began = time.Now()
	r.share(third)
	w.Logf("a sync with something new: %.0f ms", 1000*time.Since(began).Seconds())
}

// writeHistory puts batch files onto the remote's ref as publishes do, a commit
// each, and returns how many.
func (r *remote) writeHistory(operations int) (publishes int) {
	runner := &git.Runner{GitDir: r.bare, Env: r.env}
	tips, err := runner.Tips(r.Context(), replica.LocalRef)
	r.must(err)
	parent := tips[replica.LocalRef]
	from := r.now.AddDate(0, 0, -max(operations/operationsADay, leastDays))
	apart := r.now.Sub(from) / time.Duration(operations/operationsAPublish+1)
	random := rand.NewChaCha8([32]byte{7})
	var last op.ID
	_, err = runner.Import(r.Context(), func(im *git.Importer) (string, error) {
		for done := 0; done < operations; publishes++ {
			at := from.Add(apart * time.Duration(publishes))
			var batch []byte
			var firstID op.ID
			for n := range min(operationsAPublish, operations-done) {
				clock := op.Clock{Now: func() time.Time { return at.Add(time.Duration(n) * time.Second) }, Rand: random}
				if last, err = clock.Next(last); err != nil {
					return "", err
				}
				if n == 0 {
					firstID = last
				}
				text, err := op.Encode(r.plausible(last, at, done))
				if err != nil {
					return "", err
				}
				batch = append(append(batch, text...), '\n')
				done++
			}
			blob, err := im.Blob(batch)
			if err != nil {
				return "", err
			}
			sum := sha256.Sum256(batch)
			path := fmt.Sprintf("ops/%s/%s-%x.jsonl", at.Format("2006-01/02/15/04"), firstID, sum[:4])
			parent, err = im.Commit(git.Commit{
				Ref: replica.LocalRef, By: git.Person{Name: "u", Email: "u@invalid", At: at}, Message: "bd: 4 operations on 4 issues\n",
				Parents: []string{parent}, Files: []git.File{{Path: path, Blob: blob}},
			})
			if err != nil {
				return "", err
			}
		}
		return parent, nil
	})
	r.must(err)
	return publishes
}

// plausible is the n-th operation of a tracker in which each issue is created,
// claimed, commented on and closed.
func (w *world) plausible(id op.ID, at time.Time, n int) *op.Operation {
	if n%4 == 0 {
		name, err := op.NewIssueID("bd", rand.NewChaCha8([32]byte{1, byte(n), byte(n >> 8), byte(n >> 16)}))
		w.must(err)
		w.issues = append(w.issues, name)
	}
	o := &op.Operation{ID: id, V: op.Version, At: at.Truncate(time.Millisecond), Issue: w.issues[len(w.issues)-1], By: fmt.Sprintf("agent-%d", n/4%100)}
	switch n % 4 {
	case 0:
		o.Do, o.Set = op.DoCreate, fields("title", w.words(6), "description", w.words(50))
		o.Set["priority"] = op.Int(n / 4 % 5)
		o.Add = &op.Elements{Labels: []string{fmt.Sprintf("area-%d", n%20)}}
	case 1:
		o.Do, o.If = op.DoClaim, &op.Condition{Unassigned: true, Lease: 14400}
		o.Set = map[string]json.RawMessage{"assignee": op.Str(o.By), "status": op.Str("in_progress")}
	case 2:
		o.Do, o.Comment = op.DoComment, &op.CommentText{Text: w.words(30)}
	default:
		o.Do, o.Set = op.DoClose, fields("status", "closed", "close_reason", w.words(8))
	}
	return o
}

func (w *world) words(n int) string {
	known := strings.Fields("login token cache daemon flaky refactor windows index page report the a of when nobody reload order")
	text := make([]string, n)
	for i := range text {
		text[i] = pick(w, known)
	}
	return strings.Join(text, " ")
}

func (w *world) weighBare(r *remote, what string) {
	commits, _ := r.git(r.bare, "rev-list", "--count", replica.LocalRef)
	tree, _ := r.git(r.bare, "ls-tree", "-r", "-t", replica.LocalRef)
	files := strings.Count(tree, " blob ")
	w.Logf("the remote %s: %s commits, %d files in %d folders", what, commits, files, strings.Count(tree, " tree "))
	w.weighGit("the remote", r.bare)
	if out, ok := r.git(r.bare, "gc", "--quiet"); !ok {
		w.Fatal(out)
	}
	w.weighGit("the remote after git gc", r.bare)
}

// weighGit says how many objects a repository has, loose and in packs.
func (w *world) weighGit(what, dir string) {
	var loose, packs, packed int64
	w.must(filepath.WalkDir(filepath.Join(dir, "objects"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		switch {
		case err != nil:
			return err
		case strings.HasSuffix(path, ".pack"):
			packs, packed = packs+1, packed+info.Size()
		case strings.Contains(path, "/pack/"), strings.Contains(path, "/info/"):
		default:
			loose++
		}
		return nil
	}))
	w.Logf("%s: %d packs of %.1f MB, %d loose objects", what, packs, float64(packed)/1e6, loose)
}

func (w *world) weighWorkspace(s *site) {
	s.close()
	p := s.place()
	var held int
	s.view(func(q *projection.Query) error {
		n, err := q.MaxSeq()
		held = int(n)
		return err
	})
	w.Logf("the workspace of %d operations: log %.1f MB (%d bytes each), guard copy %.1f MB, database %.1f MB", held,
		float64(w.size(p.LogPath()))/1e6, w.size(p.LogPath())/int64(held), float64(w.size(p.GuardPath()))/1e6, float64(w.size(p.DB))/1e6)
}
