package cli_test

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// recordVariable names the directory that every bd of a script records itself
// in, so that what it printed can be held against its schema.
const recordVariable = "BD_TEST_RECORD"

// A record is one run of bd.
type record struct {
	args           []string
	stdout, stderr string
	ended          bool // not killed
	exit           int
}

// recording is a record while it is made: a directory with a file for each
// part, since the run may be killed at any moment.
type recording struct {
	dir string
	in  []*os.File
}

// startRecording returns nil where nothing is to be recorded, and where it
// cannot be: a script may make files unwritable.
func startRecording(dir string, args []string) *recording {
	if dir == "" {
		return nil
	}
	dir, err := os.MkdirTemp(dir, "run-")
	if err != nil {
		return nil
	}
	r := &recording{dir: dir}
	text, err := json.Marshal(args)
	if err != nil || os.WriteFile(filepath.Join(dir, "args"), text, 0o600) != nil {
		return nil
	}
	return r
}

// copied is w with a copy of what is written to it, as far as that can be kept.
func (r *recording) copied(name string, w io.Writer) io.Writer {
	if r == nil {
		return w
	}
	file, err := os.Create(filepath.Join(r.dir, name))
	if err != nil {
		return w
	}
	r.in = append(r.in, file)
	return tee{w, file}
}

// end records the exit code, which is returned.
func (r *recording) end(code int) int {
	if r == nil {
		return code
	}
	for _, file := range r.in {
		_ = file.Close()
	}
	_ = os.WriteFile(filepath.Join(r.dir, "exit"), []byte(strconv.Itoa(code)), 0o600)
	return code
}

// tee answers as w alone would.
type tee struct{ w, kept io.Writer }

func (t tee) Write(p []byte) (int, error) {
	n, err := t.w.Write(p)
	_, _ = t.kept.Write(p[:n])
	return n, err
}

// records reads what was recorded in dir.
func records(dir string) ([]record, error) {
	runs, err := filepath.Glob(filepath.Join(dir, "run-*"))
	if err != nil {
		return nil, err
	}
	var found []record
	for _, run := range runs {
		var r record
		text, err := os.ReadFile(filepath.Join(run, "args"))
		if err != nil {
			continue // killed before it began
		}
		if err := json.Unmarshal(text, &r.args); err != nil {
			return nil, err
		}
		for name, to := range map[string]*string{"stdout": &r.stdout, "stderr": &r.stderr} {
			if text, err := os.ReadFile(filepath.Join(run, name)); err == nil {
				*to = string(text)
			}
		}
		if text, err := os.ReadFile(filepath.Join(run, "exit")); err == nil {
			r.exit, err = strconv.Atoi(string(text))
			r.ended = err == nil
		}
		found = append(found, r)
	}
	return found, nil
}
