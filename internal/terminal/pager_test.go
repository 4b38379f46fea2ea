package terminal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// pager is one that writes what it is given to the file seen.
func pager(t *testing.T, command string) (p *Pager, stdout *strings.Builder, seen string) {
	t.Helper()
	dir := t.TempDir()
	stdout = new(strings.Builder)
	return &Pager{Command: command, Rows: 5, Streams: Streams{
		Stdin: strings.NewReader(""), Stdout: stdout, Stderr: os.Stderr, Dir: dir, Environ: []string{"PATH=" + os.Getenv("PATH")},
	}}, stdout, filepath.Join(dir, "seen")
}

func TestPagerIsNotStartedForWhatFits(t *testing.T) {
	p, stdout, seen := pager(t, "cat >seen")
	if _, err := p.Write([]byte("1\n2\n3\n")); err != nil || stdout.Len() > 0 {
		t.Fatalf("%v, written early: %q", err, stdout)
	}
	if err := p.Close(); err != nil || stdout.String() != "1\n2\n3\n" {
		t.Errorf("%v %q", err, stdout)
	}
	if _, err := os.Stat(seen); err == nil {
		t.Error("a pager was started for three lines")
	}
}

func TestPagerGetsWhatIsLonger(t *testing.T) {
	p, stdout, seen := pager(t, `printf '%s\n' "$LESS" >seen; cat >>seen; true`)
	for _, part := range []string{"1\n2\n", "3\n4", "\n5\n", "6\n"} {
		if _, err := p.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(seen)
	if err != nil || string(got) != "FRX\n1\n2\n3\n4\n5\n6\n" || stdout.Len() > 0 {
		t.Errorf("%v, the pager saw %q, standard output %q", err, got, stdout)
	}
}

func TestPagerThatEndsEarly(t *testing.T) {
	p, _, _ := pager(t, "head -n 1 >seen; true")
	var err error
	for range 100_000 {
		if _, err = p.Write([]byte("line after line\n")); err != nil {
			break
		}
	}
	if !errors.Is(err, syscall.EPIPE) {
		t.Errorf("writing on ends with %v, want EPIPE", err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func TestPagerThatIsNotThere(t *testing.T) {
	p, stdout, _ := pager(t, "no-such-pager -x")
	if _, err := p.Write([]byte("1\n2\n3\n4\n5\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Write([]byte("6\n")); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil || stdout.String() != "1\n2\n3\n4\n5\n6\n" {
		t.Errorf("%v %q", err, stdout)
	}
}

func TestPagerCommand(t *testing.T) {
	for _, test := range []struct {
		name string
		env  map[string]string
		want string
	}{
		{"nothing is set", nil, "less"},
		{"PAGER", map[string]string{"PAGER": "more -s"}, "more -s"},
		{"BD_PAGER comes first", map[string]string{"PAGER": "more", "BD_PAGER": "less -S"}, "less -S"},
		{"cat is none", map[string]string{"PAGER": "cat"}, ""},
		{"empty is none", map[string]string{"BD_PAGER": "", "PAGER": "less"}, ""},
	} {
		get := func(name string) string { return test.env[name] }
		set := func(name string) bool { _, ok := test.env[name]; return ok }
		if got := PagerCommand(get, set); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
