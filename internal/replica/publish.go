package replica

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"beads/internal/git"
	"beads/internal/op"
	"beads/internal/projection"
)

// maxBatch bounds a batch file, unless one line is longer.
const maxBatch = 1 << 20

// publish brings our ref up to date with the workspace: the lines that it lacks
// become batch files in one commit on its tip. It fails with git.ErrStale
// if someone else moves the ref meanwhile.
func (s *step) publish(ctx context.Context) error {
	return s.publishIf(ctx, func() error { return nil })
}

// publishIf is publish which, when all is written and before the ref moves, asks
// whether it may; an error of may calls it off.
func (s *step) publishIf(ctx context.Context, may func() error) error {
	defer s.took(&s.report.Publishing)()
	if s.joining() && s.unsure {
		return nil // nobody knows what was made here
	}
	if err := s.cover(ctx); err != nil {
		return err
	}
	there := s.record.local.clone()
	if s.joining() { // the rest comes with the history that has it
		there.unite(s.record.remote)
	}
	lacking, err := s.lacking(ctx, there)
	if err != nil || lacking == 0 {
		return err
	}
	if err := s.registerClaims(ctx); err != nil {
		return err
	}
	var covered coverage
	var count map[op.Stream]int
	tip, err := s.git.Import(ctx, func(im *git.Importer) (commit string, err error) {
		err = s.view(ctx, func(q *projection.Query) error {
			if again, err := q.Meta(metaGeneration); err != nil || again != s.record.generation {
				return errors.Join(err, errRebuilt)
			}
			if covered, err = s.filled(q, there); err != nil {
				return err
			}
			commit, count, err = s.writeBatches(q, im, there, lacking)
			return err
		})
		if err == nil {
			err = may() // not within the view: it may take long
		}
		return commit, err
	})
	if err != nil {
		return err
	}
	covered.Commit = tip
	s.local = tip
	s.record.local, s.changed = covered, true
	for stream, n := range count {
		s.moved[stream].Published += n
	}
	return nil
}

// lacking is how many lines the workspace has that are not covered, of all that is
// replicated.
func (s *step) lacking(ctx context.Context, covered coverage) (total int64, err error) {
	err = s.view(ctx, func(q *projection.Query) error {
		total = 0
		for _, stream := range s.streams() {
			rows := covered.of(stream)
			n, err := rows.lacking(q.Of(stream))
			if err != nil {
				return err
			}
			total += n
		}
		return nil
	})
	return total, err
}

// filled is what our ref covers once it has every row that is not there.
func (s *step) filled(q *projection.Query, there coverage) (coverage, error) {
	full := s.record.local.clone()
	for _, stream := range s.streams() {
		last, err := q.Of(stream).MaxSeq()
		if err != nil {
			return coverage{}, err
		}
		covered := there.of(stream)
		full.fill(stream, covered.gaps(), last)
	}
	return full, nil
}

// writeBatches writes the lines that are not there, and the commit.
func (s *step) writeBatches(q *projection.Query, im *git.Importer, there coverage, total int64) (commit string, count map[op.Stream]int, err error) {
	now := s.opts.Now().UTC()
	out := &batches{step: s, im: im, now: now, total: total, issues: map[string]struct{}{}, count: map[op.Stream]int{}}
	for _, stream := range s.streams() {
		covered := there.of(stream)
		err := q.Of(stream).EachIn(covered.gaps(), func(row projection.StoredLine) error { return out.add(stream, row) })
		if err == nil {
			err = out.flush(stream)
		}
		if err != nil {
			return "", nil, err
		}
	}
	parent := s.local
	if parent == "" {
		if parent, err = writeRoot(im); err != nil {
			return "", nil, err
		}
	}
	commit, err = im.Commit(git.Commit{
		Ref: LocalRef, By: s.author(now), Message: message(out.count[op.Operations], len(out.issues), out.count[op.Interactions]),
		Parents: []string{parent}, Files: out.files,
	})
	return commit, out.count, err
}

// batches are the files of a publish in the making, one stream after the other.
type batches struct {
	*step
	im     *git.Importer
	now    time.Time
	total  int64
	files  []git.File
	batch  bytes.Buffer
	first  op.ID               // of the lines in batch
	issues map[string]struct{} // that operations are about
	count  map[op.Stream]int
}

func (b *batches) add(stream op.Stream, row projection.StoredLine) error {
	if b.batch.Len() > 0 && b.batch.Len()+len(row.Line)+1 > maxBatch {
		if err := b.flush(stream); err != nil {
			return err
		}
	}
	if b.batch.Len() == 0 {
		b.first = row.ID
	}
	b.batch.Write(row.Line)
	b.batch.WriteByte('\n')
	if row.Issue != "" && stream == op.Operations {
		b.issues[row.Issue] = struct{}{}
	}
	if b.count[stream]++; b.count[stream]%1024 == 0 {
		b.opts.Progress("publishing", int64(b.count[op.Operations]+b.count[op.Interactions]), b.total)
	}
	return nil
}

// flush writes the file that is full, or the last one of its stream.
func (b *batches) flush(stream op.Stream) error {
	if b.batch.Len() == 0 {
		return nil
	}
	blob, err := b.im.Blob(b.batch.Bytes())
	if err != nil {
		return err
	}
	b.files = append(b.files, git.File{Path: batchPath(stream, b.now, b.first, b.batch.Bytes()), Blob: blob})
	b.batch.Reset()
	return nil
}

// batchPath names a batch file: the stream, the minute of publishing, the first
// line, and the content.
func batchPath(stream op.Stream, now time.Time, first op.ID, content []byte) string {
	sum := sha256.Sum256(content)
	return fmt.Sprintf("%s/%s/%s-%x.jsonl", directory(stream), now.Format("2006-01/02/15/04"), first, sum[:4])
}

func message(operations, issues, interactions int) string {
	count := func(n int, noun string) string {
		if n == 1 {
			return "1 " + noun
		}
		return fmt.Sprintf("%d %ss", n, noun)
	}
	var parts []string
	if operations > 0 || interactions == 0 {
		text := count(operations, "operation")
		if issues > 0 {
			text += " on " + count(issues, "issue")
		}
		parts = append(parts, text)
	}
	if interactions > 0 {
		parts = append(parts, count(interactions, "interaction"))
	}
	return "bd: " + strings.Join(parts, ", ") + "\n"
}

// author is the user's Git identity, without the variables of the environment
// that set another.
func (s *step) author(now time.Time) git.Person {
	name, email := s.git.Identity()
	if name == "" {
		name = "bd"
	}
	if email == "" {
		email = "bd@invalid"
	}
	return git.Person{Name: name, Email: email, At: now}
}
