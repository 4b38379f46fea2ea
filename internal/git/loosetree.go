package git

import (
	"bytes"
	"encoding/hex"
	"strings"
)

const treeMode = "40000" // of a directory, as a tree has it

// treeEntry is an entry of a tree.
type treeEntry struct {
	mode, id, name string
}

// key is what entries are sorted by: a directory as if its name ended in a
// slash.
func (e treeEntry) key() string {
	if e.mode == treeMode {
		return e.name + "/"
	}
	return e.name
}

// treeDiff compares two trees. What is not a regular file or a directory, and
// what a git of ours would not write, it leaves to git.
type treeDiff struct {
	*looseReader
	digits int // of an object's name
	left   int // trees to read
	found  []TreeChange
}

// diff answers Runner.Diff of two trees that lie near each other.
func (l *looseReader) diff(from, to string) ([]TreeChange, error) {
	d := &treeDiff{looseReader: l, digits: len(to), left: looseObjects}
	var trees [2]string
	for n, id := range [...]string{from, to} {
		kind, content, err := l.read(id)
		if trees[n] = id; err == nil && kind == "commit" {
			trees[n], _, err = parseCommit(content)
		}
		if err != nil {
			return nil, err
		}
	}
	err := d.walk("", trees[0], trees[1])
	return d.found, err
}

// walk compares two trees below a directory; "" is one that is not there.
func (d *treeDiff) walk(dir, from, to string) error {
	if from == to {
		return nil
	}
	before, err := d.tree(from)
	if err != nil {
		return err
	}
	after, err := d.tree(to)
	if err != nil {
		return err
	}
	for len(before)+len(after) > 0 {
		var old, now treeEntry
		order := 0
		if len(before) == 0 {
			order = 1
		} else if len(after) == 0 {
			order = -1
		} else {
			order = strings.Compare(before[0].key(), after[0].key())
		}
		if order <= 0 {
			old, before = before[0], before[1:]
		}
		if order >= 0 {
			now, after = after[0], after[1:]
		}
		if err := d.entry(dir, old, now); err != nil {
			return err
		}
	}
	return nil
}

// entry compares two entries of one key; the zero one is not there.
func (d *treeDiff) entry(dir string, old, now treeEntry) error {
	path := dir + old.name
	if old.name == "" {
		path = dir + now.name
	}
	if old.mode == treeMode || now.mode == treeMode {
		return d.walk(path+"/", old.id, now.id)
	}
	c := TreeChange{Status: 'M', Mode: now.mode, ID: now.id, Old: old.id, Path: path}
	nothing := strings.Repeat("0", d.digits)
	switch {
	case old == now:
		return nil
	case old.mode == "":
		c.Status, c.Old = 'A', nothing
	case now.mode == "":
		c.Status, c.Mode, c.ID = 'D', "000000", nothing
	}
	d.found = append(d.found, c)
	return nil
}

// tree reads a tree's entries; "" has none.
func (d *treeDiff) tree(id string) ([]treeEntry, error) {
	if id == "" {
		return nil, nil
	}
	if d.left--; d.left < 0 {
		return nil, errNotHere
	}
	kind, content, err := d.read(id)
	if err != nil || kind != "tree" {
		return nil, errNotHere
	}
	var entries []treeEntry
	for len(content) > 0 {
		head, rest, found := bytes.Cut(content, []byte{0})
		mode, name, _ := strings.Cut(string(head), " ")
		if !found || len(rest) < d.digits/2 || name == "" || strings.Contains(name, "/") {
			return nil, errNotHere
		}
		e := treeEntry{mode, hex.EncodeToString(rest[:d.digits/2]), name}
		content = rest[d.digits/2:]
		plain := mode == treeMode || mode == "100644" || mode == "100755"
		if n := len(entries); !plain || n > 0 && entries[n-1].key() >= e.key() {
			return nil, errNotHere
		}
		entries = append(entries, e)
	}
	return entries, nil
}
