package companion

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestFind(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("names end in .exe there")
	}
	beside, target, onPath, empty := t.TempDir(), t.TempDir(), t.TempDir(), t.TempDir()
	program := func(dir string, mode os.FileMode) string {
		path := filepath.Join(dir, "bd-x")
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link := filepath.Join(empty, "bd")
	if err := os.WriteFile(filepath.Join(target, "bd"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(target, "bd"), link); err != nil {
		t.Fatal(err)
	}
	inBeside, inTarget, inPath := program(beside, 0o755), program(target, 0o755), program(onPath, 0o755)
	notExecutable := t.TempDir()
	program(notExecutable, 0o644)
	if err := os.Mkdir(filepath.Join(empty, "bd-x"), 0o755); err != nil {
		t.Fatal(err)
	}
	list := func(dirs ...string) string {
		text := ""
		for _, dir := range dirs {
			text += dir + string(filepath.ListSeparator)
		}
		return text
	}
	t.Chdir(onPath)
	for _, tt := range []struct {
		about, executable, path, want string
	}{
		{"beside the executable comes first", filepath.Join(beside, "bd"), list(onPath), inBeside},
		{"beside what a link leads to; a directory of that name is no program", link, list(onPath), inTarget},
		{"on PATH", filepath.Join(notExecutable, "bd"), list(empty, onPath), inPath},
		{"nowhere", filepath.Join(notExecutable, "bd"), list(empty), ""},
		{"not in the working directory", "bd", list(".", ""), ""},
	} {
		got, err := Find("bd-x", tt.executable, tt.path)
		if got != tt.want || (tt.want == "") != errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %q, %v, want %q", tt.about, got, err, tt.want)
		}
	}
}
