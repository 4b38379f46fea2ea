package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// printTable prints the results as docs/reliability.md has them. Where they are
// not of one commit, each row names its own.
func printTable(w io.Writer, machine string, results []result) {
	commits := map[string]bool{}
	for _, r := range results {
		commits[r.Commit] = true
	}
	one := len(commits) == 1
	if one {
		machine += ", commit " + results[0].Commit
	}
	fmt.Fprintf(w, "%s, %s:\n\n", time.Now().Format(time.DateOnly), machine)
	fmt.Fprintln(w, "| what | how often | faults | acknowledged | lost | result |")
	fmt.Fprintln(w, "| --- | ---: | ---: | ---: | ---: | --- |")
	for _, r := range results {
		verdict := r.Verdict
		if !one {
			verdict += " at " + r.Commit
		}
		if r.Why != "" {
			verdict += ": " + strings.ReplaceAll(strings.TrimSpace(r.Why), "\n", " ")
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s |\n", r.What, number(r.Done), number(r.Faults), number(r.Acknowledged), lost(r), verdict)
	}
}

// lost is a number where something could be lost.
func lost(r result) string {
	if r.Lost == 0 && r.Acknowledged == 0 {
		return ""
	}
	return fmt.Sprint(r.Lost)
}

// number writes 12345 as 12,345 and 0 as nothing.
func number(n int) string {
	if n == 0 {
		return ""
	}
	text := fmt.Sprint(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

func failures(results []result) (n int) {
	for _, r := range results {
		if r.Verdict == failed {
			n++
		}
	}
	return n
}

// dirty ends the name of a commit from which files differ.
const dirty = "-dirty"

// describe says what the results are of: the machine with its tools, and the
// commit.
func describe(ctx context.Context) (machine, commit string) {
	first := func(name string, args ...string) string {
		out, err := exec.CommandContext(ctx, name, args...).Output()
		if err != nil {
			return "unknown " + name
		}
		return strings.TrimSpace(string(out))
	}
	machine = fmt.Sprintf("%d cores of %s/%s, Linux %s, %s, %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH,
		first("uname", "-r"), runtime.Version(), first("git", "version"))
	return machine, first("git", "describe", "--always", "--dirty="+dirty, "--exclude=*")
}

// load reads the results of earlier runs; none is no error.
func load(path string) (map[string]result, error) {
	results := map[string]result{}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return results, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &results)
	}
	if err != nil {
		return nil, fmt.Errorf("results of earlier runs, %s: %w", path, err)
	}
	return results, nil
}

func save(path string, results map[string]result) error {
	data, err := json.MarshalIndent(results, "", "\t")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}
