package routes

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode"

	"beads/internal/issue"
)

// FileName is the file of a workspace that holds its routes.
const FileName = "routes.jsonl"

// Bounds, in bytes and in number.
const (
	MaxFile   = 64 << 10
	MaxLine   = 4 << 10
	MaxPath   = 1 << 10
	MaxRoutes = 256

	mostListed = 20 // problems that are listed
)

// Route says that ids which begin with Prefix belong to the workspace at Path.
type Route struct {
	Prefix  string // with its dash at the end
	Path    string // relative to the top of the workspace that holds the file; slashes, clean
	Line    int    // from 1
	Problem string // why it leads nowhere; "" if it may be followed
}

// Takes reports whether id begins with the route's prefix, in whatever case, and
// goes on after it.
func (r Route) Takes(id string) bool {
	return len(id) > len(r.Prefix) && strings.EqualFold(id[:len(r.Prefix)], r.Prefix)
}

// Problem is a line that leads nowhere.
type Problem struct {
	Line   int // from 1; 0 is the whole file
	Reason string
}

func (p Problem) String() string {
	if p.Line == 0 {
		return FileName + ": " + p.Reason
	}
	return fmt.Sprintf("%s:%d: %s", FileName, p.Line, p.Reason)
}

// Table is what a file says. The zero Table has no routes.
type Table struct {
	Routes   []Route   // at most MaxRoutes, in the file's order, each prefix once
	Problems []Problem // the first 20, those of Routes included
	Broken   int       // how many there are
}

// Match finds the route for an id: the one with the longest prefix. It may be one
// that leads nowhere, since a shorter prefix would be a guess. A route to the
// workspace's own top, as upstream's files have it, is none.
func (t Table) Match(id string) (Route, bool) {
	var best Route
	for _, r := range t.Routes {
		if r.Takes(id) && len(r.Prefix) > len(best.Prefix) {
			best = r
		}
	}
	return best, best.Prefix != "" && !best.Own()
}

// Own reports whether the route names the workspace that holds the file.
func (r Route) Own() bool { return r.Path == "." }

// Parse reads a file. It keeps nothing of data.
func Parse(data []byte) Table {
	var t Table
	if len(data) > MaxFile {
		t.problem(0, fmt.Sprintf("larger than %d bytes", MaxFile))
		return t
	}
	number := 0
	for line := range bytes.Lines(data) {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if len(t.Routes) == MaxRoutes {
			t.problem(number, fmt.Sprintf("more than %d routes: this line and what follows is not read", MaxRoutes))
			return t
		}
		t.add(number, line)
	}
	return t
}

func (t *Table) problem(line int, reason string) {
	if t.Broken++; len(t.Problems) < mostListed {
		t.Problems = append(t.Problems, Problem{line, reason})
	}
}

// add reads one line.
func (t *Table) add(number int, line []byte) {
	r, err := decode(line)
	if err == nil {
		r.Prefix, err = prefix(r.Prefix)
	}
	for _, earlier := range t.Routes {
		if err == nil && strings.EqualFold(earlier.Prefix, r.Prefix) {
			err = fmt.Errorf("%s has a route already, in line %d", r.Prefix, earlier.Line)
		}
	}
	if err != nil {
		t.problem(number, err.Error())
		return
	}
	r.Line = number
	if err := checkPath(r.Path); err != nil {
		r.Problem = err.Error()
		t.problem(number, r.Problem)
	} else {
		r.Path = path.Clean(r.Path)
	}
	t.Routes = append(t.Routes, r)
}

// prefix gives a prefix its dash, which some of upstream's files leave out.
func prefix(text string) (string, error) {
	text = strings.TrimSuffix(text, "-")
	if err := issue.ValidatePrefix(text); err != nil {
		return "", err
	}
	return text + "-", nil
}

// checkPath accepts a relative path that means the same on every system. An
// absolute one names a place on one machine, which a file that may travel has no
// business to know.
func checkPath(text string) error {
	switch {
	case text == "":
		return errors.New("the path is empty")
	case len(text) > MaxPath:
		return fmt.Errorf("the path is longer than %d bytes", MaxPath)
	case strings.IndexFunc(text, unicode.IsControl) >= 0:
		return errors.New("the path holds a control character")
	case strings.HasPrefix(text, "/"), len(text) > 1 && text[1] == ':':
		return errors.New("the path is absolute; it must be relative to the top of this workspace")
	case strings.Contains(text, `\`):
		return errors.New("the path holds a backslash; it is written with slashes")
	}
	return nil
}
