package replica

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"beads/internal/git"
	"beads/internal/op"
	"beads/internal/projection"
)

// batchFile is a file of lines in a tree.
type batchFile struct{ path, blob string }

// changes is what differs between two trees, as far as it concerns us.
type changes struct {
	files   map[op.Stream][]batchFile // added or altered files of lines
	removed []batchFile               // files of lines that the second tree has not
	altered bool                      // a file of lines is another one in the second tree
	format  string                    // blob of format.json, if it is not ours
}

// directory is where the files of a stream are in a tree.
func directory(s op.Stream) string {
	if s == op.Interactions {
		return "interactions"
	}
	return "ops"
}

// streamOf says what a file in a tree holds; ok is false for what is none of ours.
func streamOf(path string) (s op.Stream, ok bool) {
	if !strings.HasSuffix(path, ".jsonl") {
		return 0, false
	}
	for _, s := range []op.Stream{op.Operations, op.Interactions} {
		if strings.HasPrefix(path, directory(s)+"/") {
			return s, true
		}
	}
	return 0, false
}

// isBatch reports whether a path is one of a file of lines.
func isBatch(path string) bool {
	_, ok := streamOf(path)
	return ok
}

// cover brings the operations of our ref to the workspace if its tip is not the
// one that was recorded.
func (s *step) cover(ctx context.Context) error {
	if s.local == "" {
		if s.record.local.Commit != "" {
			s.record.local, s.changed = s.nothing(), true
		}
		return nil
	}
	if s.record.local.Commit == s.local {
		return nil
	}
	if s.record.remote.Commit == s.local && !s.joining() {
		s.record.local, s.changed = s.record.remote.clone(), true
		return nil
	}
	err := s.checkRoots(ctx, s.local, s.record.local.Commit)
	if err != nil {
		return fmt.Errorf("read %s: %w", LocalRef, err)
	}
	covered, added, err := s.absorb(ctx, s.record.local, s.local, false)
	for stream, n := range added {
		s.moved[stream].Restored += n
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", LocalRef, err)
	}
	s.record.local, s.changed = covered, true
	return nil
}

// takeIn brings the operations of the tracking ref to the workspace and unites
// it with our ref.
func (s *step) takeIn(ctx context.Context) error {
	if s.tracking == "" {
		return nil
	}
	looked := s.record.remote.Commit
	if s.joining() {
		looked = ""
	}
	if looked != s.tracking {
		if err := s.checkRoots(ctx, s.tracking, looked); err != nil {
			return s.unread(err)
		}
	}
	if s.record.remote.Commit != s.tracking && s.record.local.Commit == s.tracking {
		s.record.remote, s.changed = s.record.local.clone(), true
	}
	if s.record.remote.Commit != s.tracking {
		if err := s.takeTree(ctx, s.tracking); err != nil {
			return err
		}
	}
	s.unsure = false
	if err := s.unite(ctx); err != nil {
		return err
	}
	return s.setJoining(ctx, false)
}

// takeTree brings the operations in the tree of a commit of the remote's to the
// workspace. Claims are judged before the record is made, so that a step that breaks
// off judges again.
func (s *step) takeTree(ctx context.Context, tip string) error {
	if err := s.cover(ctx); err != nil {
		return err
	}
	if err := s.registerClaims(ctx); err != nil {
		return err
	}
	covered, added, err := s.absorb(ctx, s.record.remote, tip, true)
	for stream, n := range added {
		s.moved[stream].Fetched += n
	}
	if err == nil {
		err = s.judgeClaims(ctx)
	}
	if err != nil {
		return s.unread(err)
	}
	s.record.remote, s.changed = covered, true
	if s.unsure { // now it is known what was made here
		s.unsure = false
		return s.registerClaims(ctx)
	}
	return nil
}

// unread says what could not be read of the remote.
func (s *step) unread(err error) error {
	return fmt.Errorf("read %s of %s: %w", s.pin.Ref, s.pin.Name, err)
}

// absorb brings the lines in the tree of tip to the workspace and returns which
// rows that tree covers, and how many lines of each stream were new. What the tree
// of known.Commit holds is not read again, unless it is gone or the new tree
// lacks some of it. foreign says that the tree may hold what other clones did.
func (s *step) absorb(ctx context.Context, known coverage, tip string, foreign bool) (coverage, map[op.Stream]int, error) {
	found, err := s.differences(ctx, known.Commit, tip)
	shrunk := false
	if err == nil {
		shrunk, err = s.shrunk(ctx, tip, found)
	}
	if known.Commit != "" && errors.Is(err, git.ErrMissing) || shrunk {
		known = s.nothing()
		found, err = s.differences(ctx, "", tip)
	}
	if err == nil {
		err = s.checkFormat(ctx, found.format)
	}
	if err != nil {
		return coverage{}, nil, err
	}
	added, met := map[op.Stream]int{}, map[op.Stream][]key{}
	relayed := false
	for _, stream := range s.streams() {
		in := &intake{step: s, stream: stream, judged: !foreign || stream != op.Operations, decoder: op.Decoder{Stream: stream},
			maxLines: chunkLines, maxBytes: chunkBytes}
		if known.Commit == "" {
			in.maxLines, in.maxBytes = s.opts.whole, wholeBytes
			in.mayRelay = true
		}
		err := in.read(ctx, found.files[stream])
		relayed = relayed || in.relaying
		if added[stream], met[stream] = in.added, in.met.keys; err != nil {
			return coverage{}, added, err
		}
	}
	if relayed {
		if err := s.build(ctx); err != nil {
			return coverage{}, added, err
		}
	}
	covered := known.clone()
	covered.Commit = tip
	err = s.view(ctx, func(q *projection.Query) error {
		if again, err := q.Meta(metaGeneration); err != nil || again != s.record.generation {
			return errors.Join(err, errRebuilt)
		}
		for stream, keys := range met {
			rows, err := rowsOf(q.Of(stream), keys)
			if err != nil {
				return err
			}
			covered.cover(stream, rows)
		}
		return nil
	})
	return covered, added, err
}

// build has the database take in what was relayed. It may be built anew for that. Then
// its row numbers are new, and what was recorded is forgotten: that is about less than
// has just come.
func (s *step) build(ctx context.Context) error {
	if _, err := s.w.Refresh(ctx, false); err != nil {
		return err
	}
	record := s.record
	err := s.newGeneration(ctx)
	if record.generation != s.record.generation {
		record.local, record.remote, s.changed = s.nothing(), s.nothing(), true
	}
	record.generation = s.record.generation
	s.record = record
	return err
}

// rowsOf are the rows of lines that were taken in. It fails if one is held no more.
func rowsOf(lines projection.Lines, keys []key) ([]int64, error) {
	rows := make([]int64, 0, len(keys))
	for _, k := range keys {
		row, held, err := lines.Seq(k.id, k.hash)
		if err == nil && !held {
			err = errVanished
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// errVanished ends a step that may not record what it took in: the next one reads it
// again. Lines that were relayed are in log and guard copy alone until the database
// takes them in, and both may be cut meanwhile.
var errVanished = errors.New("lines that had just come are gone again; try again")

// errRebuilt ends a step whose row numbers have lost their meaning.
var errRebuilt = errors.New("the database was built again meanwhile; try again")

// checkRoots refuses a history that does not begin with our first commit.
func (s *step) checkRoots(ctx context.Context, tip, base string) error {
	roots, err := s.git.Roots(ctx, tip, base)
	if errors.Is(err, git.ErrNotCommit) {
		return fmt.Errorf("%w: %s is no commit", ErrForeign, tip[:12])
	}
	if err != nil {
		return err
	}
	ours := rootID(len(tip))
	for _, root := range roots {
		if root != ours {
			return fmt.Errorf("%w: its history begins with commit %s", ErrForeign, root[:12])
		}
	}
	return nil
}

// checkFormat refuses a layout of a later version. An absent or unreadable
// format.json says nothing.
func (s *step) checkFormat(ctx context.Context, blob string) error {
	if blob == "" {
		return nil
	}
	return s.objects.Blobs(ctx, []string{blob}, func(_ int, _ int64, content io.Reader) error {
		data, err := io.ReadAll(io.LimitReader(content, 64<<10))
		if err != nil {
			return err
		}
		var format struct {
			Version int `json:"version"`
		}
		if json.Unmarshal(data, &format) == nil && format.Version > 1 {
			return fmt.Errorf("%w: layout version %d; update bd", ErrNewer, format.Version)
		}
		return nil
	})
}

// differences lists what the tree of to has and that of from has not.
func (s *step) differences(ctx context.Context, from, to string) (changes, error) {
	found := changes{files: map[op.Stream][]batchFile{}}
	files := 0
	ours := formatID(len(to))
	err := s.objects.Diff(ctx, from, to, func(c git.TreeChange) error {
		stream, batch := streamOf(c.Path)
		switch {
		case c.Path == formatFile && c.Regular() && c.ID != ours:
			found.format = c.ID
		case !batch || !slices.Contains(s.streams(), stream):
		case c.Status == 'D':
			found.removed = append(found.removed, batchFile{c.Path, c.Old})
		default:
			found.altered = found.altered || c.Status != 'A'
			if c.Regular() {
				found.files[stream] = append(found.files[stream], batchFile{c.Path, c.ID})
				files++
			}
			if files > maxBatchFiles {
				return fmt.Errorf("%w: over %d files of operations", ErrFlood, maxBatchFiles)
			}
		}
		return nil
	})
	return found, err
}

// shrunk reports whether the tree of tip lacks lines that the other tree
// had. Files whose lines were consolidated into others are no loss.
func (s *step) shrunk(ctx context.Context, tip string, found changes) (bool, error) {
	if found.altered || len(found.removed) == 0 {
		return found.altered, nil
	}
	dropped, err := s.superseded(ctx, tip, found.removed, nil)
	if errors.Is(err, git.ErrMissing) {
		return true, nil // in a partial clone, perhaps: it cannot be proven
	}
	return slices.ContainsFunc(found.removed, func(f batchFile) bool { return !dropped[f.path] }), err
}
