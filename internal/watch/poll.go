package watch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// directory is one that is watched.
type directory struct {
	given, path string // as passed, and cleaned

	polled bool
	reason string // why it is polled
	retry  bool   // notification may work later
	self   identity
	files  map[string]stamp // what the last look saw; nil: the directory could not be read
	looked bool
}

// identity tells files apart.
type identity struct{ dev, inode uint64 }

// stamp tells the states of one file apart.
type stamp struct {
	identity
	size            int64
	changed, status int64 // mtime and ctime, nanoseconds
}

// look reads the directory and returns what differs from the look before, in
// order of names. The first look returns nothing.
func (d *directory) look(match func(string) bool) []Event {
	before, looked := d.files, d.looked
	d.files, d.looked = survey(d.path, match), true
	switch {
	case !looked || before == nil && d.files == nil:
		return nil
	case before == nil || d.files == nil:
		// It vanished or came: what was in it is for a full check.
		return []Event{{Dir: d.given, Op: Overflow}}
	}
	var events []Event
	for name, now := range d.files {
		then, was := before[name]
		switch {
		case !was || then.identity != now.identity:
			events = append(events, Event{d.given, name, Created})
		case then != now:
			events = append(events, Event{d.given, name, Modified})
		}
	}
	for name := range before {
		if _, is := d.files[name]; !is {
			events = append(events, Event{d.given, name, Removed})
		}
	}
	slices.SortFunc(events, func(a, b Event) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return events
}

// survey stats every matching file of a directory; nil means that the directory
// cannot be read.
func survey(path string, match func(string) bool) map[string]stamp {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil
	}
	files := map[string]stamp{}
	for _, entry := range entries {
		if !match(entry.Name()) {
			continue
		}
		now, err := stampOf(filepath.Join(path, entry.Name()))
		switch {
		case err == nil:
			files[entry.Name()] = now
		case !errors.Is(err, fs.ErrNotExist):
			files[entry.Name()] = stamp{} // there, but closed to us
		}
	}
	return files
}
