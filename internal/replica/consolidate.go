package replica

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"beads/internal/git"
	"beads/internal/op"
)

// What is consolidated, and how much at once.
const (
	consolidateAge   = 7 * 24 * time.Hour // since a day's end: who was away longer brings files of its own
	consolidateFiles = 16                 // of a day, at least
	consolidateBytes = 64 << 20           // of a day, at most: it is held in memory
	consolidateDays  = 64                 // in one step
)

// consolidate replaces the many small files of days long past by few, beside a
// list of what they supersede. Its result depends only on which files a day has,
// so clones that do it at once agree; a clone that was away obeys the list when
// it unites. It looks once a day, since all names are read for it.
func (s *step) consolidate(ctx context.Context) error {
	today := s.opts.Now().UTC().Format(time.DateOnly)
	if s.local == "" || s.record.local.Commit != s.local || s.record.looked == today {
		return nil
	}
	days, err := s.oldDays(ctx)
	if err != nil {
		return err
	}
	if len(days) == 0 {
		s.record.looked, s.changed = today, true
		return nil
	}
	commit := git.Commit{Ref: LocalRef, By: s.author(s.opts.Now().UTC()), Parents: []string{s.local}}
	all := true // days were looked at
	tip, err := s.git.Import(ctx, func(im *git.Importer) (string, error) {
		done := 0
		for n, d := range days {
			if all = done < consolidateDays; !all {
				break
			}
			s.opts.Progress("consolidating days", int64(n), int64(len(days)))
			before := len(commit.Removed)
			if err := s.day(ctx, im, d, &commit); err != nil {
				return "", err
			}
			if len(commit.Removed) > before {
				done++
			}
		}
		if len(commit.Removed) == 0 {
			return "", errNothing
		}
		commit.Message = fmt.Sprintf("bd: consolidation of %d files\n", len(commit.Removed))
		return im.Commit(commit)
	})
	switch {
	case errors.Is(err, errNothing):
	case err != nil:
		return err
	default:
		s.local = tip
		s.record.local.Commit = tip // it holds the same rows
		s.report.Consolidated += len(commit.Removed)
	}
	if all {
		s.record.looked = today
	}
	s.changed = true
	return nil
}

// errNothing ends the making of a commit that would change nothing.
var errNothing = errors.New("nothing to consolidate")

// oldDay is a day that ended long ago, with the files that were published in it
// and were not consolidated yet, in the order of their paths.
type oldDay struct {
	dir   string
	files []batchFile
}

// oldDays lists the days of our tree that are worth it, oldest first.
func (s *step) oldDays(ctx context.Context) ([]oldDay, error) {
	var days []oldDay
	before := s.opts.Now().UTC().Add(-consolidateAge - 24*time.Hour)
	err := s.git.Diff(ctx, "", s.local, func(c git.TreeChange) error {
		// ops/YYYY-MM/DD/HH/MM/NAME.jsonl
		dir := dayOf(c.Path)
		if !c.Regular() || strings.Count(c.Path, "/") != 5 || dir == "" || !plain(c.Path) {
			return nil
		}
		date, err := time.Parse("ops/2006-01/02", dir)
		if err != nil || !date.Before(before) {
			return nil
		}
		if len(days) == 0 || days[len(days)-1].dir != dir {
			days = append(days, oldDay{dir: dir})
		}
		d := &days[len(days)-1]
		d.files = append(d.files, batchFile{c.Path, c.ID})
		return nil
	}, "ops")
	return slices.DeleteFunc(days, func(d oldDay) bool { return len(d.files) < consolidateFiles }), err
}

// dayLine is one record of a day.
type dayLine struct {
	id  op.ID
	raw []byte
}

// day adds to the commit what one day becomes. A file with a line that is no
// operation stays as it is: where would its line go?
func (s *step) day(ctx context.Context, im *git.Importer, d oldDay, commit *git.Commit) error {
	blobs := make([]string, len(d.files))
	for n, f := range d.files {
		blobs[n] = f.blob
	}
	var lines []dayLine
	var old []string
	known := map[[32]byte]bool{}
	total := 0
	err := s.git.Blobs(ctx, blobs, func(n int, size int64, content io.Reader) error {
		if total += int(size); total > consolidateBytes {
			return nil
		}
		own, whole, err := dayLines(content)
		if err != nil || !whole {
			return err
		}
		old = append(old, d.files[n].path)
		for _, l := range own {
			if hash := op.Hash(l.raw); !known[hash] {
				known[hash], lines = true, append(lines, l)
			}
		}
		return nil
	})
	if err != nil || total > consolidateBytes || len(old) < consolidateFiles {
		return err
	}
	slices.SortFunc(lines, func(a, b dayLine) int {
		return cmp.Or(a.id.Compare(b.id), bytes.Compare(a.raw, b.raw))
	})
	var names []string
	for _, f := range cutBatches(lines) {
		blob, err := im.Blob(f.content)
		if err != nil {
			return err
		}
		names = append(names, f.name)
		commit.Files = append(commit.Files, git.File{Path: d.dir + "/" + f.name, Blob: blob})
	}
	slices.Sort(names)
	list := strings.Join(old, "\n") + "\n\n" + strings.Join(names, "\n") + "\n"
	blob, err := im.Blob([]byte(list))
	if err != nil {
		return err
	}
	commit.Files = append(commit.Files, git.File{Path: d.dir + "/" + shortSum([]byte(list)) + supersedesSuffix, Blob: blob})
	commit.Removed = append(commit.Removed, old...)
	return nil
}

// dayLines are the records of one file; whole is false if it holds anything else.
func dayLines(content io.Reader) (lines []dayLine, whole bool, err error) {
	whole = true
	var decoder op.Decoder
	err = eachLine(content, func(l batchLine) error {
		if l.tooLong {
			whole = false
			return nil
		}
		for _, part := range op.Split(bytes.Clone(l.raw)) {
			record, err := decoder.Read(part)
			if err != nil || record.Op == nil {
				whole = false
				return nil
			}
			lines = append(lines, dayLine{record.Op.ID, part})
		}
		return nil
	})
	return lines, whole, err
}

// dayFile is a file of a consolidated day.
type dayFile struct {
	name    string
	content []byte
}

// cutBatches puts sorted lines into files, each as full as maxBatch allows.
func cutBatches(lines []dayLine) []dayFile {
	var files []dayFile
	var content []byte
	var first op.ID
	flush := func() {
		if len(content) > 0 {
			files = append(files, dayFile{fmt.Sprintf("%s-%s.jsonl", first, shortSum(content)), content})
			content = nil
		}
	}
	for _, l := range lines {
		if len(content) > 0 && len(content)+len(l.raw)+1 > maxBatch {
			flush()
		}
		if len(content) == 0 {
			first = l.id
		}
		content = append(append(content, l.raw...), '\n')
	}
	flush()
	return files
}

// shortSum is the first half of a SHA-256, enough to name what is not hostile:
// a name that is taken already by other content is found out when trees unite.
func shortSum(content []byte) string {
	sum := sha256.Sum256(content)
	return fmt.Sprintf("%x", sum[:8])
}
