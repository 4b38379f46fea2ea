package git

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Person is who a commit is by.
type Person struct {
	Name, Email string
	At          time.Time
}

func (p Person) line() string {
	return fmt.Sprintf("%s <%s> %d +0000", p.Name, p.Email, p.At.Unix())
}

// Importer writes objects and one ref through git fast-import, which takes many
// files in one process, and moves a ref only to a descendant of what it is when
// it ends: who built on a parent that is no longer the tip is refused.
type Importer struct {
	w     *bufio.Writer
	marks int
	err   error
}

// Commit is a commit to be made. Files maps paths to what Importer.Blob
// returned, or to the name of an object that exists; Removed are paths that go.
type Commit struct {
	Ref     string
	By      Person
	Message string
	Parents []string // names of commits or what Importer.Commit returned; none: a root
	Files   []File
	Removed []string
}

// File is a regular file of a commit.
type File struct{ Path, Blob string }

// Import runs write and returns the name of the commit that it made last. The
// refs move when write has returned nil; if one has meanwhile moved to what the
// new commit does not descend from, Import fails with ErrStale.
func (r *Runner) Import(ctx context.Context, write func(*Importer) (last string, err error)) (string, error) {
	var said []byte
	_, err := r.run(ctx, call{
		args: []string{"fast-import", "--quiet", "--done", "--date-format=raw"},
		input: func(w io.Writer) error {
			im := &Importer{w: bufio.NewWriterSize(w, 64<<10)}
			last, err := write(im)
			if err != nil {
				return err // without "done" nothing happens
			}
			im.printf("get-mark %s\ndone\n", last)
			return errors.Join(im.err, im.w.Flush())
		},
		output: collect(&said), durable: true, writes: true,
	})
	if err != nil {
		return "", err
	}
	id := strings.TrimSpace(string(said))
	if !validID(id) {
		return "", fmt.Errorf("git fast-import answered %q", id)
	}
	return id, nil
}

func (im *Importer) printf(format string, args ...any) {
	if im.err == nil {
		_, im.err = fmt.Fprintf(im.w, format, args...)
	}
}

func (im *Importer) data(content []byte) {
	im.printf("data %d\n", len(content))
	if im.err == nil {
		_, im.err = im.w.Write(content)
	}
	im.printf("\n")
}

func (im *Importer) mark() string {
	im.marks++
	mark := fmt.Sprintf(":%d", im.marks)
	im.printf("mark %s\n", mark)
	return mark
}

// Blob writes a file's content.
func (im *Importer) Blob(content []byte) (string, error) {
	im.printf("blob\n")
	mark := im.mark()
	im.data(content)
	return mark, im.err
}

// Commit writes a commit.
func (im *Importer) Commit(c Commit) (string, error) {
	if len(c.Parents) == 0 {
		im.printf("reset %s\n\n", c.Ref) // else a second root would continue the first commit
	}
	im.printf("commit %s\n", c.Ref)
	mark := im.mark()
	im.printf("author %s\ncommitter %s\n", c.By.line(), c.By.line())
	im.data([]byte(c.Message))
	for n, parent := range c.Parents {
		verb := "merge"
		if n == 0 {
			verb = "from"
		}
		im.printf("%s %s\n", verb, parent)
	}
	for _, path := range c.Removed {
		im.printf("D %s\n", quotePath(path))
	}
	for _, f := range c.Files {
		im.printf("M 100644 %s %s\n", f.Blob, quotePath(f.Path))
	}
	im.printf("\n")
	return mark, im.err
}

// quotePath writes a path as fast-import reads it back.
func quotePath(path string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(path) {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, "\\%03o", c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
