package replica

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"beads/internal/git"
	"beads/internal/op"
	"beads/internal/projection"
)

// maxBatch bounds a batch file, unless one line is longer.
const maxBatch = 1 << 20

// publish brings our ref up to date with the workspace: the operations that it
// lacks become batch files in one commit on its tip. It fails with git.ErrStale
// if someone else moves the ref meanwhile.
func (s *step) publish(ctx context.Context) error {
	defer s.took(&s.report.Publishing)()
	if err := s.cover(ctx); err != nil {
		return err
	}
	var lacking int64
	err := s.w.View(ctx, func(q *projection.Query) (err error) {
		lacking, err = s.record.local.lacking(q)
		return err
	})
	if err != nil || lacking == 0 {
		return err
	}
	if err := s.registerClaims(ctx); err != nil {
		return err
	}
	var through int64
	var count int
	tip, err := s.git.Import(ctx, func(im *git.Importer) (commit string, err error) {
		err = s.w.View(ctx, func(q *projection.Query) error {
			if again, err := q.Meta(metaGeneration); err != nil || again != s.record.generation {
				return errors.Join(err, errRebuilt)
			}
			if through, err = q.MaxSeq(); err != nil {
				return err
			}
			commit, count, err = s.writeBatches(q, im, lacking)
			return err
		})
		return commit, err
	})
	if err != nil {
		return err
	}
	s.local = tip
	s.record.local, s.changed = coverage{Commit: tip, Through: through}, true
	s.report.Published += count
	return nil
}

// writeBatches writes the operations that our ref lacks, and the commit.
func (s *step) writeBatches(q *projection.Query, im *git.Importer, total int64) (commit string, count int, err error) {
	now := s.opts.Now().UTC()
	var files []git.File
	var batch bytes.Buffer
	var first op.ID
	issues := map[string]struct{}{}
	flush := func() error {
		if batch.Len() == 0 {
			return nil
		}
		blob, err := im.Blob(batch.Bytes())
		if err != nil {
			return err
		}
		files = append(files, git.File{Path: batchPath(now, first, batch.Bytes()), Blob: blob})
		batch.Reset()
		return nil
	}
	err = q.EachSince(s.record.local.Through, func(row projection.StoredLine) error {
		if s.record.local.has(row.Seq) {
			return nil
		}
		if batch.Len() > 0 && batch.Len()+len(row.Line)+1 > maxBatch {
			if err := flush(); err != nil {
				return err
			}
		}
		if batch.Len() == 0 {
			first = row.ID
		}
		batch.Write(row.Line)
		batch.WriteByte('\n')
		if row.Issue != "" {
			issues[row.Issue] = struct{}{}
		}
		if count++; count%1024 == 0 {
			s.opts.Progress("publishing", int64(count), total)
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return "", 0, err
	}
	parent := s.local
	if parent == "" {
		if parent, err = writeRoot(im); err != nil {
			return "", 0, err
		}
	}
	commit, err = im.Commit(git.Commit{
		Ref: LocalRef, By: s.author(now), Message: message(count, len(issues)), Parents: []string{parent}, Files: files,
	})
	return commit, count, err
}

// batchPath names a batch file: the minute of publishing, the first operation,
// and the content.
func batchPath(now time.Time, first op.ID, content []byte) string {
	sum := sha256.Sum256(content)
	return fmt.Sprintf("ops/%s/%s-%x.jsonl", now.Format("2006-01/02/15/04"), first, sum[:4])
}

func message(operations, issues int) string {
	text := fmt.Sprintf("bd: %d operation", operations)
	if operations != 1 {
		text += "s"
	}
	if issues > 0 {
		text += fmt.Sprintf(" on %d issue", issues)
	}
	if issues > 1 {
		text += "s"
	}
	return text + "\n"
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
