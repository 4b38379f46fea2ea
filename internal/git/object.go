package git

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// collect makes an output function that keeps what comes, also of a command
// that fails.
func collect(into *[]byte) func(io.Reader) error {
	return func(out io.Reader) error {
		var err error
		*into, err = io.ReadAll(io.LimitReader(out, maxOutput))
		return err
	}
}

// Refs lists refs, given by name or by a prefix such as refs/beads/, with the
// objects they name.
func (r *Runner) Refs(ctx context.Context, names ...string) (map[string]string, error) {
	args := []string{"for-each-ref", "--format=%(objectname) %(refname)"}
	out, err := r.run(ctx, call{args: append(args, names...)})
	if err != nil {
		return nil, err
	}
	refs := map[string]string{}
	for line := range strings.Lines(string(out)) {
		id, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if !validID(id) {
			return nil, nonsense("for-each-ref", line)
		}
		refs[name] = id
	}
	return refs, nil
}

// RefChange moves a ref. An empty Old means that it must not exist, an empty New
// that it goes.
type RefChange struct{ Ref, Old, New string }

// UpdateRefs makes all changes or none. It fails with ErrStale if a ref is not
// what its change says.
func (r *Runner) UpdateRefs(ctx context.Context, changes ...RefChange) error {
	var stdin bytes.Buffer
	for _, c := range changes {
		switch {
		case c.New == "":
			fmt.Fprintf(&stdin, "delete %s\x00%s\x00", c.Ref, c.Old)
		case c.Old == "":
			fmt.Fprintf(&stdin, "create %s\x00%s\x00", c.Ref, c.New)
		default:
			fmt.Fprintf(&stdin, "update %s\x00%s\x00%s\x00", c.Ref, c.New, c.Old)
		}
	}
	_, err := r.run(ctx, call{
		args:    []string{"update-ref", "--stdin", "-z"},
		input:   func(w io.Writer) error { _, err := w.Write(stdin.Bytes()); return err },
		durable: true,
	})
	return err
}

// TreeChange is a file that differs between two trees.
type TreeChange struct {
	Status byte   // 'A' added, 'M' modified, 'D' deleted, 'T' of another type
	Mode   string // in the second tree, such as 100644
	ID     string // of the blob in the second tree
	Old    string // of the blob in the first tree
	Path   string
}

// Regular reports whether the second tree has a regular file there.
func (c TreeChange) Regular() bool { return c.Status != 'D' && strings.HasPrefix(c.Mode, "100") }

// Diff calls fn with every file that differs between two commits or trees, in
// the order of the paths; an empty from is the empty tree. Its cost depends on
// what differs. Given paths (files or directories, taken literally), it looks at
// those alone. It fails with ErrMissing if an object is not there, or damaged.
func (r *Runner) Diff(ctx context.Context, from, to string, fn func(TreeChange) error, paths ...string) error {
	if from == "" {
		from = EmptyTree(len(to))
	} else if len(paths) == 0 {
		if found, err := r.loose().diff(from, to); err == nil {
			for _, c := range found {
				if err := fn(c); err != nil {
					return err
				}
			}
			return nil
		}
	}
	args := []string{"diff-tree", "-r", "-z", "--raw", "--full-index", "--no-renames", "--no-ext-diff", "--ignore-submodules=none", from, to, "--"}
	_, err := r.run(ctx, call{
		args: append(args, paths...),
		output: func(out io.Reader) error {
			in := bufio.NewReaderSize(out, 64<<10)
			for {
				meta, err := in.ReadString(0)
				if errors.Is(err, io.EOF) && meta == "" {
					return nil
				}
				if err != nil {
					return fmt.Errorf("read what differs: %w", err)
				}
				path, err := in.ReadString(0)
				if err != nil {
					return fmt.Errorf("read what differs: %w", err)
				}
				// :oldmode newmode oldid newid status
				fields := strings.Fields(strings.TrimSuffix(meta, "\x00"))
				if len(fields) != 5 || fields[4] == "" {
					return fmt.Errorf("read what differs: %q", meta)
				}
				change := TreeChange{Status: fields[4][0], Mode: fields[1], Old: fields[2], ID: fields[3], Path: strings.TrimSuffix(path, "\x00")}
				if err := fn(change); err != nil {
					return err
				}
			}
		},
	})
	return err
}

// EmptyTree is the name of the tree without entries, for object names of a
// length; git knows it in every repository.
func EmptyTree(hexLength int) string {
	if hexLength == 64 {
		return "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"
	}
	return "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
}

// Blobs calls fn with the content of each blob, in the order asked for; what fn
// does not read is skipped. A missing one is an error that wraps ErrMissing.
func (r *Runner) Blobs(ctx context.Context, ids []string, fn func(n int, size int64, content io.Reader) error) error {
	if len(ids) == 0 {
		return nil
	}
	if found, err := r.loose().blobs(ids); err == nil {
		for n, content := range found {
			if err := fn(n, int64(len(content)), bytes.NewReader(content)); err != nil {
				return err
			}
		}
		return nil
	}
	_, err := r.run(ctx, call{
		args: []string{"cat-file", "--batch", "--buffer"},
		input: func(w io.Writer) error {
			buffered := bufio.NewWriter(w)
			for _, id := range ids {
				if _, err := buffered.WriteString(id + "\n"); err != nil {
					return err
				}
			}
			return buffered.Flush()
		},
		output: func(out io.Reader) error {
			in := bufio.NewReaderSize(out, 64<<10)
			for n, id := range ids {
				if err := readBlob(in, n, id, fn); err != nil {
					return err
				}
			}
			return nil
		},
	})
	return err
}

func readBlob(in *bufio.Reader, n int, id string, fn func(int, int64, io.Reader) error) error {
	header, err := in.ReadString('\n')
	if err != nil {
		return fmt.Errorf("read object %s: %w", id, err)
	}
	fields := strings.Fields(header)
	if len(fields) == 2 && fields[1] == "missing" {
		return fmt.Errorf("%w: %s", ErrMissing, id)
	}
	if len(fields) != 3 {
		return fmt.Errorf("read object %s: %q", id, header)
	}
	size, err := strconv.ParseInt(fields[2], 10, 64)
	if err != nil {
		return fmt.Errorf("read object %s: %w", id, err)
	}
	content := &io.LimitedReader{R: in, N: size}
	if err := fn(n, size, content); err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, in, content.N+1); err != nil { // the line end too
		return fmt.Errorf("read object %s: %w", id, err)
	}
	return nil
}

// Roots lists the commits without parents that tip descends from and that base
// does not, when base is not "". A base that is not there counts as "". It fails
// with ErrNotCommit if tip is something else, of which rev-list would list nothing.
func (r *Runner) Roots(ctx context.Context, tip, base string) ([]string, error) {
	if base != "" && r.loose().inLine(tip, base) {
		return nil, nil
	}
	args := []string{"rev-list", "--max-parents=0", tip + "^{commit}"}
	if base != "" {
		args = append(args, "^"+base)
	}
	out, err := r.run(ctx, call{args: append(args, "--")})
	if base != "" && errors.Is(err, ErrMissing) {
		return r.Roots(ctx, tip, "")
	}
	if err != nil {
		return nil, err
	}
	roots := strings.Fields(string(out))
	for _, root := range roots {
		if !validID(root) {
			return nil, nonsense("rev-list", root)
		}
	}
	return roots, nil
}

// nonsense is the error for an answer that no git gives: what answered is broken,
// or was cut off.
func nonsense(command, answer string) error {
	return &Error{Command: command, Cause: fmt.Errorf("answered %.60q", answer)}
}

// MergeBase is a best common ancestor of two commits: one of the two if the
// other descends from it; "" if they have none.
func (r *Runner) MergeBase(ctx context.Context, a, b string) (string, error) {
	if base, found := r.loose().mergeBase(a, b); found {
		return base, nil
	}
	out, err := r.run(ctx, call{args: []string{"merge-base", a, b}})
	var failure *Error
	if errors.As(err, &failure) && failure.Kind == nil && failure.Stderr == "" {
		return "", nil // exit status 1 and not a word
	}
	if err != nil {
		return "", err
	}
	base := strings.TrimSpace(string(out))
	if !validID(base) {
		return "", nonsense("merge-base", base)
	}
	return base, nil
}

// Sound reports whether everything that a commit needs is there.
func (r *Runner) Sound(ctx context.Context, commit string) bool {
	_, err := r.run(ctx, call{args: []string{"rev-list", "--objects", "--quiet", commit}})
	return err == nil
}
