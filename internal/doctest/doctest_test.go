package doctest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestDocs(t *testing.T) {
	if testing.Short() {
		t.Skip("builds bd")
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, filepath.Join(root, "README.md"))
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", bin, "./cmd/...")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	ran := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all, err := steps(string(text))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		ran += len(all)
		if len(all) > 0 {
			t.Run(filepath.Base(file), func(t *testing.T) { runSteps(t, filepath.Base(file), bin, all) })
		}
	}
	if ran == 0 {
		t.Error("README and docs show no command: are the blocks still marked console?")
	}
}

// runSteps runs the commands of one file in one shell.
func runSteps(t *testing.T, file, bin string, all []step) {
	sh := startShell(t, bin)
	known := ids{}
	for _, s := range all {
		if tool := s.missing(); tool != "" {
			t.Skipf("%s:%d: %s is not installed: this step and those after it are not run", file, s.line, tool)
		}
		output, status, err := sh.run(known.replace(s.command))
		if err != nil {
			t.Fatalf("%s:%d: %s: %v", file, s.line, s.command, err)
		}
		if (status != 0) != s.fails() {
			t.Fatalf("%s:%d: %s: exit code %d\n%s", file, s.line, s.command, status, strings.Join(output, "\n"))
		}
		if len(s.output) == 0 {
			continue
		}
		if err := known.match(s.output, output); err != nil {
			t.Errorf("%s:%d: %s: %v\nwhole output:\n%s", file, s.line, s.command, err, strings.Join(output, "\n"))
		}
	}
}

// endMark ends the output of a command; no output contains it.
const endMark = "\x01doctest"

// A shell runs commands one after another in a scratch repository.
type shell struct {
	stdin  io.Writer
	stdout *bufio.Reader
}

// startShell starts a shell with a home, a Git configuration and a repository
// of its own. When the test ends, so do the shell and the daemon that it may
// have started.
func startShell(t *testing.T, bin string) *shell {
	t.Helper()
	// Not t.TempDir: its path has the test's name, and a socket's path is short.
	scratch, err := os.MkdirTemp("", "doc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(scratch); err != nil {
			t.Error(err)
		}
	})
	repository := filepath.Join(scratch, "project")
	for _, dir := range []string{repository, filepath.Join(scratch, "home"), filepath.Join(scratch, "run")} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	gitConfig := filepath.Join(scratch, "home", "gitconfig")
	text := "[user]\n\tname = ada\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n"
	if err := os.WriteFile(gitConfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{
		"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"),
		"HOME=" + filepath.Join(scratch, "home"),
		"XDG_RUNTIME_DIR=" + filepath.Join(scratch, "run"),
		"TMPDIR=" + scratch,
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=" + gitConfig,
		"LC_ALL=C.UTF-8",
		"TZ=UTC",
	}
	in := func(name string, args ...string) *exec.Cmd {
		c := exec.Command(name, args...)
		c.Dir, c.Env = repository, env
		return c
	}
	if out, err := in("git", "init", "--quiet").CombinedOutput(); err != nil {
		t.Fatalf("git init: %v\n%s", err, out)
	}
	bash := in("bash", "--norc", "--noprofile")
	stdin, err := bash.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	bash.Stdout, bash.Stderr = writer, writer
	if err := bash.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// Fails if no daemon runs, which is as good.
		_ = in(filepath.Join(bin, "bd"), "daemon", "stop").Run()
		for _, err := range []error{stdin.Close(), bash.Wait(), reader.Close()} {
			if err != nil {
				t.Errorf("the shell's end: %v", err)
			}
		}
	})
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return &shell{stdin: stdin, stdout: bufio.NewReader(reader)}
}

// run runs one command and returns the lines that it printed and its exit code.
func (sh *shell) run(command string) (lines []string, status int, err error) {
	if _, err := fmt.Fprintf(sh.stdin, "{\n%s\n} </dev/null\nprintf '\\n%s %%d\\n' \"$?\"\n", command, endMark); err != nil {
		return nil, 0, err
	}
	for {
		line, err := sh.stdout.ReadString('\n')
		if err != nil {
			return lines, 0, fmt.Errorf("the shell ended: %w", err)
		}
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, endMark+" "); ok {
			if _, err := fmt.Sscanf(rest, "%d", &status); err != nil {
				return lines, 0, err
			}
			// The mark begins a line of its own; what was printed may not
			// have ended in one.
			if n := len(lines); n > 0 && lines[n-1] == "" {
				lines = lines[:n-1]
			}
			return lines, status, nil
		}
		lines = append(lines, line)
	}
}
