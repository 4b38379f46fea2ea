package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rivo/uniseg"
	"golang.org/x/sys/unix"
)

// TestMain lets the test binary be bd.
func TestMain(m *testing.M) {
	if os.Getenv("BD_TEST_MAIN") != "" {
		os.Exit(run())
	}
	os.Exit(m.Run())
}

// onTerminal runs bd with standard output and error on a terminal of its own and
// returns what appeared there.
func onTerminal(t *testing.T, dir string, columns int, env []string, args ...string) string {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	defer master.Close()
	fd := int(master.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 200, Col: uint16(columns)})
	}
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	cmd := bd(t, dir, env, args...)
	cmd.Stdout, cmd.Stderr = slave, slave
	err = cmd.Start()
	slave.Close()
	if err != nil {
		t.Fatal(err)
	}
	var seen bytes.Buffer
	_, _ = io.Copy(&seen, master) // ends with EIO when bd has ended
	if err := cmd.Wait(); err != nil {
		t.Errorf("bd %s: %v\n%s", strings.Join(args, " "), err, &seen)
	}
	return strings.ReplaceAll(seen.String(), "\r\n", "\n")
}

// bd is a command that runs bd in dir, with nothing of ours in its environment.
func bd(t *testing.T, dir string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Dir = dir
	home := filepath.Join(dir, "home")
	cmd.Env = append([]string{
		"BD_TEST_MAIN=1", "PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_RUNTIME_DIR=" + home, "BD_ACTOR=amy", "TERM=xterm", "LC_ALL=C.UTF-8",
		"GIT_CEILING_DIRECTORIES=" + filepath.Dir(dir),
		"GORACE=atexit_sleep_ms=0", // else each run ends a second late under the race detector
	}, env...)
	return cmd
}

// wideWorkspace holds titles whose characters take no, one and two columns.
func wideWorkspace(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	evil := `{"id":"bd-evil","title":"\u001b[31mred\u001b[0m and \u202ebackwards","created_at":"2026-01-01T00:00:00Z"}` + "\n"
	if err := os.WriteFile(filepath.Join(dir, "evil.jsonl"), []byte(evil), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"init"},
		{"create", "--id", "bd-epic", "日本語のとても長いタイトルで幅が二倍になる文字ばかり", "-t", "epic", "-a", "山田太郎"},
		{"create", "--id", "bd-face", "👩‍👩‍👧 family and 🏳️‍🌈 flag, then a good deal of ordinary text", "--parent", "bd-epic"},
		{"create", "--id", "bd-acute", strings.Repeat("e\u0301", 60), "--parent", "bd-face", "-l", "étiquette,標識"},
		{"import", "-i", "evil.jsonl"}, // create would refuse it
		{"dep", "add", "bd-evil", "bd-face"},
	} {
		if out, err := bd(t, dir, nil, args...).CombinedOutput(); err != nil {
			t.Fatalf("bd %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	return dir
}

func readers() [][]string {
	return [][]string{
		{"list"}, {"list", "--tree"}, {"list", "--format", "compact"}, {"ready"}, {"blocked"}, {"activity"}, {"history", "bd-acute"},
		{"dep", "tree", "bd-acute"}, {"graph"}, {"children", "bd-epic"}, {"search", "a"}, {"epic", "status"}, {"label", "list-all"},
	}
}

// What is written for a terminal fits it, whatever the characters.
func TestFitsTheTerminal(t *testing.T) {
	dir := wideWorkspace(t)
	for _, columns := range []int{80, 40, 20} {
		for _, args := range readers() {
			text := onTerminal(t, dir, columns, []string{"NO_COLOR=1"}, args...)
			if text == "" {
				t.Errorf("bd %s shows nothing", strings.Join(args, " "))
			}
			for line := range strings.SplitSeq(text, "\n") {
				if width := uniseg.StringWidth(line); width > columns {
					t.Errorf("bd %s: on %d columns a line takes %d: %s", strings.Join(args, " "), columns, width, line)
				}
			}
		}
	}
}

// Help fits a terminal of 80 columns and one of 40.
func TestHelpFits(t *testing.T) {
	dir := t.TempDir()
	for _, columns := range []int{80, 40} {
		for _, args := range [][]string{{"--help"}, {"list", "--help"}, {"update", "--help"}, {"daemon", "--help"}, {"query", "--help"}} {
			text := onTerminal(t, dir, columns, []string{"NO_COLOR=1", "BD_PAGER="}, args...)
			_, text, _ = strings.Cut(text, "Usage:")
			examples := false // which people copy: they are not broken
			for line := range strings.SplitSeq(text, "\n") {
				if line == "Examples:" || line == "" {
					examples = line != ""
				}
				if width := uniseg.StringWidth(line); width > columns && !examples {
					t.Errorf("bd %s: on %d columns a line takes %d: %s", strings.Join(args, " "), columns, width, line)
				}
			}
		}
	}
}

// Only a terminal that can and may is coloured, and nothing of an issue reaches it
// as a control character.
func TestColours(t *testing.T) {
	dir := wideWorkspace(t)
	if text := onTerminal(t, dir, 80, nil, "list"); !strings.Contains(text, "\x1b[") || strings.Contains(text, "\x1b[31mred") {
		t.Errorf("colours of our own, and none of others: %q", text)
	}
	for _, env := range []string{"NO_COLOR=1", "TERM=dumb"} {
		for _, args := range append(readers(), []string{"show", "bd-evil"}) {
			if text := onTerminal(t, dir, 80, []string{env}, args...); strings.ContainsAny(text, "\x1b\u202e\r") {
				t.Errorf("%s bd %s: %q", env, strings.Join(args, " "), text)
			}
		}
	}
	for _, args := range readers() {
		out, err := bd(t, dir, nil, args...).Output()
		if err != nil || bytes.ContainsAny(out, "\x1b\u202e\r") || !bytes.Contains(out, []byte("bd-")) && args[0] != "label" {
			t.Errorf("bd %s into a pipe: %v %q", strings.Join(args, " "), err, out)
		}
	}
}

// Where the locale is not one of UTF-8, what bd adds to the texts is ASCII.
func TestNarrowLocale(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{
		{"init"}, {"create", "--id", "bd-epic", "Epic " + strings.Repeat("long ", 40), "-t", "epic", "-a", "amy"},
		{"create", "--id", "bd-part", "Part", "--parent", "bd-epic"}, {"create", "--id", "bd-leaf", "Leaf", "--parent", "bd-part"},
		{"create", "--id", "bd-other", "Other", "--parent", "bd-epic"},
	} {
		if out, err := bd(t, dir, nil, args...).CombinedOutput(); err != nil {
			t.Fatalf("bd %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	for _, args := range append(readers()[:6:6], []string{"show", "bd-epic", "bd-part"}, []string{"dep", "tree", "bd-leaf"}) {
		text := onTerminal(t, dir, 40, []string{"LC_ALL=POSIX"}, args...)
		for _, r := range text {
			if r > 0x7e {
				t.Errorf("LC_ALL=POSIX bd %s shows %q in:\n%s", strings.Join(args, " "), r, text)
				break
			}
		}
	}
}
