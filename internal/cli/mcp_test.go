package cli_test

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"beads/internal/cli"
)

// Where bd-mcp is not installed, bd mcp says so, and how to install it.
func TestMCPWithoutCompanion(t *testing.T) {
	dir := t.TempDir()
	var out, errOut bytes.Buffer
	code := cli.Run(t.Context(), cli.Process{
		Args: []string{"mcp"}, Dir: dir, Getenv: func(string) string { return "" }, Stdin: os.Stdin, Stdout: &out, Stderr: &errOut,
		Executable: filepath.Join(dir, "bd"), Login: func() string { return "ada" }, Home: dir,
		Now: time.Now, Rand: rand.Reader, Location: time.UTC,
	})
	want := "bd: error: bd mcp needs another program: look for bd-mcp beside " + filepath.Join(dir, "bd") + " and in PATH: file does not exist\n" +
		"bd: hint: make install, or go install ./cmd/..., installs both\n"
	if code != 1 || out.Len() > 0 || strings.ReplaceAll(errOut.String(), ".exe", "") != want {
		t.Errorf("exit code %d, %q, %q", code, out.String(), errOut.String())
	}
}
