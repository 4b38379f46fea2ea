package replica

import (
	"context"
	"iter"
	"strings"

	"beads/internal/git"
)

// unite makes our ref hold what the tracking ref holds: it moves forward where
// it can, and where it adds nothing, else both histories get a common child
// whose tree is the union of theirs.
func (s *step) unite(ctx context.Context) error {
	if s.tracking == s.local {
		return nil
	}
	if s.local == "" {
		return s.become(ctx)
	}
	if err := s.cover(ctx); err != nil {
		return err
	}
	base, err := s.git.MergeBase(ctx, s.local, s.tracking)
	switch {
	case err != nil:
		return err
	case base == s.tracking:
		return nil
	case base == s.local:
		return s.become(ctx)
	}
	merge, err := s.compare(ctx)
	if err != nil {
		return err
	}
	if !merge.ours {
		return s.become(ctx)
	}
	tip, err := s.git.Import(ctx, func(im *git.Importer) (string, error) {
		return im.Commit(git.Commit{
			Ref: LocalRef, By: s.author(s.opts.Now().UTC()), Message: "bd: union with " + s.pin.Name + "\n",
			Parents: []string{s.local, s.tracking}, Files: merge.add, Removed: merge.remove,
		})
	})
	if err != nil {
		return err
	}
	s.local, s.changed = tip, true
	if merge.conflict {
		// Where both have a path with other content ours stays, and their
		// lines are published in a new batch: what the tree holds is read.
		s.record.local = s.nothing()
		return nil
	}
	s.record.local.unite(s.record.remote)
	s.record.local.Commit = tip
	return nil
}

// become moves our ref to the tracking ref.
func (s *step) become(ctx context.Context) error {
	err := s.git.UpdateRefs(ctx, git.RefChange{Ref: LocalRef, Old: s.local, New: s.tracking})
	if err != nil {
		return err
	}
	s.local, s.record.local, s.changed = s.tracking, s.record.remote.clone(), true
	return nil
}

// union is the difference that a union commit makes to our tree.
type union struct {
	ours     bool // our tree has what theirs has not
	conflict bool // both have a path with other content
	add      []git.File
	remove   []string
}

// compare finds out what both trees add to each other. Files that were
// consolidated into others, on either side, do not come back.
func (s *step) compare(ctx context.Context) (union, error) {
	var u union
	var only struct{ ours, theirs []batchFile }
	err := s.git.Diff(ctx, s.local, s.tracking, func(c git.TreeChange) error {
		switch {
		case c.Status == 'A' && c.Regular():
			only.theirs = append(only.theirs, batchFile{c.Path, c.ID})
		case c.Status == 'A': // a link or a submodule: not ours to spread
		case c.Status == 'D':
			only.ours = append(only.ours, batchFile{c.Path, c.Old})
		default:
			u.ours, u.conflict = true, u.conflict || isBatch(c.Path)
		}
		return nil
	})
	if err != nil {
		return u, err
	}
	dropped, err := s.superseded(ctx, s.tracking, only.ours, nil)
	if err != nil {
		return u, err
	}
	var kept paths
	removed := map[string]bool{}
	for _, f := range only.ours {
		if dropped[f.path] && plain(f.path) {
			u.remove, removed[f.path] = append(u.remove, f.path), true
		} else {
			u.ours = true
			kept.add(f.path)
		}
	}
	if dropped, err = s.superseded(ctx, s.local, only.theirs, removed); err != nil {
		return u, err
	}
	for _, f := range only.theirs {
		switch {
		case dropped[f.path]:
		case !plain(f.path) || kept.inTheWay(f.path):
			u.conflict = u.conflict || isBatch(f.path)
		default:
			u.add = append(u.add, git.File{Path: f.path, Blob: f.blob})
		}
	}
	return u, nil
}

// plain reports whether git fast-import takes a path. Trees that others made may have
// names in them that no git writes into one (empty, with a slash, "..", ".git"), and
// which of these it refuses depends on its version.
func plain(path string) bool {
	odd := func(c rune) bool { return c < ' ' || c >= '~' || c == '\\' || c == ':' }
	for name := range strings.SplitSeq(path, "/") {
		if name == "" || name[0] == '.' || strings.ContainsFunc(name, odd) {
			return false
		}
	}
	return true
}

// paths are those of files, and of the directories that they are in.
type paths struct{ files, directories map[string]bool }

func (p *paths) add(file string) {
	if p.files == nil {
		p.files, p.directories = map[string]bool{}, map[string]bool{}
	}
	p.files[file] = true
	for dir := range parents(file) {
		p.directories[dir] = true
	}
}

// inTheWay reports whether a file could only be added in the place of others: a tree
// has one thing at a path, and whoever adds a file where a directory is loses that.
func (p *paths) inTheWay(file string) bool {
	for dir := range parents(file) {
		if p.files[dir] {
			return true
		}
	}
	return p.files[file] || p.directories[file]
}

// parents yields the directories that a file is in, from the innermost.
func parents(file string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for n := strings.LastIndexByte(file, '/'); n >= 0 && yield(file[:n]); n = strings.LastIndexByte(file[:n], '/') {
		}
	}
}
