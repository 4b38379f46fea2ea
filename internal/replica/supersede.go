package replica

import (
	"bufio"
	"context"
	"io"
	"path"
	"slices"
	"strings"

	"beads/internal/git"
	"beads/internal/op"
)

const (
	supersedesSuffix = ".supersedes"
	maxSupersedes    = 16 << 20 // bytes of a .supersedes file
	listsAtOnce      = 64       // that are read together

	// Lines of so many bytes are held in memory together, and of none that is shorter
	// than any operation: whoever may push could make very many of them.
	provenBytes  = consolidateBytes + maxBatch
	shortestLine = 64
)

// supersedes is a list of files that were consolidated into others of their day.
type supersedes struct {
	dir, blob     string
	before, after []string
	lines         map[[32]byte]bool // of the files after
	partial       bool              // not all of them were read
}

// dayOf is the directory of the day in which a batch file was published; "" if
// the path does not say.
func dayOf(file string) string {
	if parts := strings.SplitN(file, "/", 4); isBatch(file) && len(parts) == 4 {
		return strings.Join(parts[:3], "/")
	}
	return ""
}

// superseded finds those of files, which another tree has, that were
// consolidated in the tree of now: named in a .supersedes file of their day,
// with every line in the new files that it names. Of these only such count as are
// read as lines, and are not without, which are about to be taken out of that tree.
func (s *step) superseded(ctx context.Context, now string, files []batchFile, without map[string]bool) (map[string]bool, error) {
	days := map[string]bool{}
	wanted := map[string]batchFile{}
	for _, f := range files {
		if day := dayOf(f.path); day != "" {
			days[day], wanted[f.path] = true, f
		}
	}
	if len(days) == 0 {
		return nil, nil
	}
	var lists []*supersedes
	fresh := map[string]string{} // the files beside the lists: path -> blob
	err := s.git.Diff(ctx, "", now, func(c git.TreeChange) error {
		dir := path.Dir(c.Path)
		switch {
		case !c.Regular() || !days[dir]:
		case strings.HasSuffix(c.Path, supersedesSuffix):
			lists = append(lists, &supersedes{dir: dir, blob: c.ID})
		case isBatch(c.Path) && !without[c.Path]:
			fresh[c.Path] = c.ID
		}
		return nil
	}, keys(days)...)
	if err != nil {
		return nil, err
	}
	gone := map[string]bool{}
	for some := range slices.Chunk(lists, listsAtOnce) {
		if err := s.readLists(ctx, some); err != nil {
			return nil, err
		}
		some = slices.DeleteFunc(some, func(l *supersedes) bool {
			return !slices.ContainsFunc(l.before, func(p string) bool { return wanted[p] != batchFile{} })
		})
		if err := s.prove(ctx, some, fresh, wanted, gone); err != nil {
			return nil, err
		}
		for _, l := range some {
			if l.partial {
				if err := s.prove(ctx, []*supersedes{l}, fresh, wanted, gone); err != nil {
					return nil, err
				}
			}
		}
	}
	return gone, nil
}

// readLists reads the lists.
func (s *step) readLists(ctx context.Context, lists []*supersedes) error {
	blobs := make([]string, len(lists))
	for n, l := range lists {
		blobs[n] = l.blob
	}
	return s.git.Blobs(ctx, blobs, func(n int, _ int64, content io.Reader) error { return lists[n].read(content) })
}

// readLines reads the lines of the files that the lists name as new, as long as they
// fit in memory together.
func (s *step) readLines(ctx context.Context, lists []*supersedes, fresh map[string]string) error {
	var owners []*supersedes
	var blobs []string
	for _, l := range lists {
		l.lines, l.partial = map[[32]byte]bool{}, false
		for _, p := range l.after {
			if blob, has := fresh[p]; has {
				blobs, owners = append(blobs, blob), append(owners, l)
			}
		}
	}
	total := int64(0)
	fits := func(n int, size int64) bool {
		l := owners[n]
		if l.partial = l.partial || total+size > provenBytes; !l.partial {
			total += size
		}
		return !l.partial
	}
	return s.hashes(ctx, blobs, fits, func(n int, hash [32]byte) {
		if hash != [32]byte{} {
			owners[n].lines[hash] = true
		}
	})
}

// prove adds those of wanted to gone that a list names and whose lines it has. A list
// whose lines do not all fit in memory beside those of the others proves nothing.
func (s *step) prove(ctx context.Context, lists []*supersedes, fresh map[string]string, wanted map[string]batchFile, gone map[string]bool) error {
	if err := s.readLines(ctx, lists, fresh); err != nil {
		return err
	}
	var blobs []string
	var owners []*supersedes
	var paths []string
	for _, l := range lists {
		for _, p := range l.before {
			if f, is := wanted[p]; is && !gone[p] && !l.partial {
				blobs, owners, paths = append(blobs, f.blob), append(owners, l), append(paths, p)
			}
		}
	}
	lacks := make([]bool, len(blobs))
	all := func(int, int64) bool { return true }
	err := s.hashes(ctx, blobs, all, func(n int, hash [32]byte) { lacks[n] = lacks[n] || !owners[n].lines[hash] })
	if err != nil {
		return err
	}
	for n, p := range paths {
		gone[p] = gone[p] || !lacks[n]
	}
	for _, l := range lists {
		l.lines = nil
	}
	return nil
}

// read reads the sorted old paths, which are of the list's day, a blank line, and the
// sorted names of the new files, which lie beside the list.
func (l *supersedes) read(content io.Reader) error {
	after := false
	lines := bufio.NewScanner(io.LimitReader(content, maxSupersedes))
	for lines.Scan() {
		switch name := lines.Text(); {
		case name == "":
			after = true
		case after && !strings.Contains(name, "/"):
			l.after = append(l.after, l.dir+"/"+name)
		case !after && dayOf(name) == l.dir:
			l.before = append(l.before, name)
		}
	}
	return lines.Err()
}

// hashes calls fn with the hash of every record of those files that take wants, for
// their size. What is too long or too short to be one has a hash that no record has.
func (s *step) hashes(ctx context.Context, blobs []string, take func(n int, size int64) bool, fn func(n int, hash [32]byte)) error {
	return s.git.Blobs(ctx, blobs, func(n int, size int64, content io.Reader) error {
		if !take(n, size) {
			return nil
		}
		return eachLine(content, func(l batchLine) error {
			if l.tooLong {
				fn(n, [32]byte{})
				return nil
			}
			for _, part := range op.Split(l.raw) {
				hash := [32]byte{}
				if len(part) >= shortestLine {
					hash = op.Hash(part)
				}
				fn(n, hash)
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
