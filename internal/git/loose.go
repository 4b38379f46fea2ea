package git

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Bounds of what is read here; more than that git itself is asked for.
const (
	looseObjects = 64      // for one question: git reads many faster
	looseCommits = 16      // the same, of a history
	looseBytes   = 1 << 20 // of them together
)

// errNotHere ends the reading here: git is asked, which knows packs, alternates
// and every odd tree, and says what is wrong with a damaged object.
var errNotHere = errors.New("not a loose object that is plain to read")

// looseReader reads objects that have a file of their own, as the few that a
// fetch or a publish brings have. Each call of git that it answers instead saves
// a process, which takes longer than all the rest. It answers a question whole
// or not at all, and believes only what has the name that it goes by.
type looseReader struct {
	dir  string
	left int // bytes
}

func (r *Runner) loose() *looseReader {
	return &looseReader{filepath.Join(r.GitDir, "objects"), looseBytes}
}

// read returns an object's type and content (gitformat-loose(5)).
func (l *looseReader) read(id string) (kind string, content []byte, err error) {
	if !validID(id) {
		return "", nil, errNotHere
	}
	f, err := os.Open(filepath.Join(l.dir, id[:2], id[2:]))
	if err != nil {
		return "", nil, errNotHere
	}
	defer f.Close()
	inflated, err := zlib.NewReader(f)
	if err != nil {
		return "", nil, errNotHere
	}
	object, err := io.ReadAll(io.LimitReader(inflated, int64(l.left)+1))
	if l.left -= len(object); err != nil || l.left < 0 || hashOf(object, len(id)) != id {
		return "", nil, errNotHere
	}
	header, content, _ := bytes.Cut(object, []byte{0})
	kind, size, _ := strings.Cut(string(header), " ")
	if size != fmt.Sprint(len(content)) {
		return "", nil, errNotHere
	}
	return kind, content, nil
}

// hashOf names an object by its content, in as many hexadecimal digits.
func hashOf(object []byte, digits int) string {
	if digits == 2*sha256.Size {
		sum := sha256.Sum256(object)
		return hex.EncodeToString(sum[:])
	}
	sum := sha1.Sum(object)
	return hex.EncodeToString(sum[:])
}

// commit returns what a commit refers to.
func (l *looseReader) commit(id string) (tree string, parents []string, err error) {
	kind, content, err := l.read(id)
	if err != nil || kind != "commit" {
		return "", nil, errNotHere
	}
	return parseCommit(content)
}

func parseCommit(content []byte) (tree string, parents []string, err error) {
	for line := range strings.Lines(string(content)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch {
		case key == "tree" && tree == "" && validID(value):
			tree = value
		case key == "parent" && tree != "" && validID(value):
			parents = append(parents, value)
		case key == "author" && tree != "":
			return tree, parents, nil
		default:
			return "", nil, errNotHere
		}
	}
	return "", nil, errNotHere
}

// blobs returns the content of each blob.
func (l *looseReader) blobs(ids []string) ([][]byte, error) {
	if len(ids) > looseObjects {
		return nil, errNotHere
	}
	all := make([][]byte, len(ids))
	for n, id := range ids {
		kind, content, err := l.read(id)
		if err != nil || kind != "blob" {
			return nil, errNotHere
		}
		all[n] = content
	}
	return all, nil
}

// inLine reports whether the commits from tip back to base are few and in one
// line: then each has a parent. false proves nothing.
func (l *looseReader) inLine(tip, base string) bool {
	for range looseCommits {
		_, parents, err := l.commit(tip)
		if err != nil || len(parents) != 1 {
			return false
		}
		if tip = parents[0]; tip == base {
			return true
		}
	}
	return false
}

// mergeBase answers Runner.MergeBase where one of the two is found among the next
// ancestors of the other; found is false where that is not known.
func (l *looseReader) mergeBase(a, b string) (base string, found bool) {
	next := [2][]string{{a}, {b}}
	for n := range looseCommits {
		for side, other := range [2]string{b, a} {
			if n >= len(next[side]) {
				continue
			}
			_, parents, err := l.commit(next[side][n])
			if err != nil {
				continue
			}
			if slices.Contains(parents, other) {
				return other, true
			}
			for _, p := range parents {
				if !slices.Contains(next[side], p) {
					next[side] = append(next[side], p)
				}
			}
		}
	}
	return "", false
}
