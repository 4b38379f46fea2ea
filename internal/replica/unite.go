package replica

import (
	"bufio"
	"context"
	"io"
	"path"
	"strings"

	"beads/internal/git"
	"beads/internal/op"
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
	var only struct{ ours, theirs []string }
	theirs := map[string]string{} // path -> blob
	err := s.git.Diff(ctx, s.local, s.tracking, func(c git.TreeChange) error {
		switch {
		case c.Status == 'A' && c.Regular():
			only.theirs, theirs[c.Path] = append(only.theirs, c.Path), c.ID
		case c.Status == 'A': // a link or a submodule: not ours to spread
		case c.Status == 'D':
			only.ours = append(only.ours, c.Path)
		default:
			u.ours, u.conflict = true, u.conflict || isBatch(c.Path)
		}
		return nil
	})
	if err != nil {
		return u, err
	}
	dropped, err := s.superseded(ctx, s.local, s.tracking, only.theirs)
	if err != nil {
		return u, err
	}
	for _, p := range only.theirs {
		if !dropped[p] {
			u.add = append(u.add, git.File{Path: p, Blob: theirs[p]})
		}
	}
	if dropped, err = s.superseded(ctx, s.tracking, s.local, only.ours); err != nil {
		return u, err
	}
	for _, p := range only.ours {
		if dropped[p] {
			u.remove = append(u.remove, p)
		} else {
			u.ours = true
		}
	}
	return u, nil
}

// superseded finds those of paths, which are files of operations in the tree of
// old, that were consolidated in the tree of now: named in a .supersedes file of
// their day, with every line in the new files that it names.
func (s *step) superseded(ctx context.Context, now, old string, paths []string) (map[string]bool, error) {
	days := map[string]bool{}
	wanted := map[string]bool{}
	for _, p := range paths {
		// ops/YYYY-MM/DD/HH/MM/NAME.jsonl
		if parts := strings.SplitN(p, "/", 4); isBatch(p) && len(parts) == 4 {
			days[strings.Join(parts[:3], "/")], wanted[p] = true, true
		}
	}
	if len(days) == 0 {
		return nil, nil
	}
	fresh, lists := map[string]string{}, []string{}
	err := s.git.Diff(ctx, "", now, func(c git.TreeChange) error {
		if !c.Regular() || !days[path.Dir(c.Path)] {
			return nil
		}
		fresh[c.Path] = c.ID
		if strings.HasSuffix(c.Path, ".supersedes") {
			lists = append(lists, c.Path)
		}
		return nil
	}, keys(days)...)
	if err != nil || len(lists) == 0 {
		return nil, err
	}
	gone := map[string]bool{}
	for _, list := range lists {
		before, after, err := s.readSupersedes(ctx, fresh[list], path.Dir(list))
		if err != nil {
			return nil, err
		}
		lines := map[[32]byte]bool{}
		var blobs []string
		for _, p := range after {
			if id, has := fresh[p]; has {
				blobs = append(blobs, id)
			}
		}
		if err := s.hashes(ctx, blobs, func(hash [32]byte) { lines[hash] = true }); err != nil {
			return nil, err
		}
		for _, p := range before {
			if wanted[p] && !gone[p] {
				if gone[p], err = s.holds(ctx, old, p, lines); err != nil {
					return nil, err
				}
			}
		}
	}
	return gone, nil
}

// holds reports whether every line of a file is among lines.
func (s *step) holds(ctx context.Context, tree, file string, lines map[[32]byte]bool) (bool, error) {
	all := true
	var blobs []string
	err := s.git.Diff(ctx, "", tree, func(c git.TreeChange) error {
		if c.Path == file && c.Regular() {
			blobs = append(blobs, c.ID)
		}
		return nil
	}, file)
	if err == nil {
		err = s.hashes(ctx, blobs, func(hash [32]byte) { all = all && lines[hash] })
	}
	return all && len(blobs) == 1, err
}

// maxSupersedes bounds a .supersedes file, in bytes.
const maxSupersedes = 16 << 20

// readSupersedes reads the sorted old paths, a blank line, and the sorted names
// of the new files, which lie beside the list.
func (s *step) readSupersedes(ctx context.Context, blob, dir string) (before, after []string, err error) {
	err = s.git.Blobs(ctx, []string{blob}, func(_ int, _ int64, content io.Reader) error {
		list := &before
		lines := bufio.NewScanner(io.LimitReader(content, maxSupersedes))
		for lines.Scan() {
			switch name := lines.Text(); {
			case name == "":
				list = &after
			case list == &after && !strings.Contains(name, "/"):
				after = append(after, dir+"/"+name)
			default:
				*list = append(*list, name)
			}
		}
		return lines.Err()
	})
	return before, after, err
}

// hashes calls fn with the hash of every record of some files. What is too long
// to be one has a hash that no record has.
func (s *step) hashes(ctx context.Context, blobs []string, fn func([32]byte)) error {
	return s.git.Blobs(ctx, blobs, func(_ int, _ int64, content io.Reader) error {
		return eachLine(content, func(l batchLine) error {
			if l.tooLong {
				fn([32]byte{})
				return nil
			}
			for _, part := range op.Split(l.raw) {
				fn(op.Hash(part))
			}
			return nil
		})
	})
}

func keys(set map[string]bool) []string {
	list := make([]string, 0, len(set))
	for k := range set {
		list = append(list, k)
	}
	return list
}
