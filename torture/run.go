package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	well    = "ok"
	skipped = "skipped"
	failed  = "FAILED"

	// memoryLimit is how much one process of a fuzz target may take, in MiB.
	memoryLimit = 1024
	// silence is how many reports of no input at all, three seconds apart, are a
	// hang.
	silence = 20
)

// result is a row of the table.
type result struct {
	Name, What   string
	Done         int
	Faults       int
	Acknowledged int
	Lost         int
	Verdict      string
	Why          string // it was skipped, or failed
	Seconds      float64
	Machine      string
	Commit       string
	Scale        float64
}

// run runs the part, says every half minute how far it is, keeps what it printed in
// the file log, and shows the end of that if it fails.
func (p part) run(ctx context.Context, scale float64, log string, stderr io.Writer) result {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := result{Name: p.name, What: p.what, Verdict: well}
	fmt.Fprintf(stderr, "%s  %s: %s\n", time.Now().Format(time.TimeOnly), p.name, p.describe(scale))
	started := time.Now()
	if p.test == "" { // so that the compiler's memory is not taken for the target's
		warm := exec.CommandContext(ctx, "scripts/fuzz.sh", "1x", p.dir)
		if out, err := warm.CombinedOutput(); err != nil {
			r.Verdict, r.Why = failed, fmt.Sprintf("%v: %s", err, out)
			return r
		}
	}
	cmd := p.command(ctx, scale)
	cmd.Env = append(os.Environ(), "GOGC=400")
	// The tests clean up when they are interrupted. It is our child's group, and
	// the child is not reaped yet.
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = time.Minute
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	kept, err := create(log)
	if err != nil {
		r.Verdict, r.Why = failed, err.Error()
		return r
	}
	defer kept.Close()
	out, err := cmd.StdoutPipe()
	if err == nil {
		cmd.Stderr = cmd.Stdout
		err = cmd.Start()
	}
	if err != nil {
		r.Verdict, r.Why = failed, err.Error()
		return r
	}
	said := r.read(io.TeeReader(out, kept), p.name, stderr, cancel)
	err = cmd.Wait()
	r.Seconds = time.Since(started).Seconds()
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok && p.test == "" {
		mebibytes := usage.Maxrss >> 10
		r.What += fmt.Sprintf(" (%d MiB at most)", mebibytes)
		if mebibytes > memoryLimit && r.Why == "" {
			r.Verdict, r.Why = failed, fmt.Sprintf("%d MiB of memory", mebibytes)
		}
	}
	if p.test == "" && r.Why == "" && cutByDeadline(said) {
		err = nil
	}
	if err != nil || r.Lost > 0 {
		r.Verdict = failed
		if ctx.Err() != nil && r.Why == "" {
			r.Why = "it was stopped"
		}
		fmt.Fprintf(stderr, "%s\nall of it: %s\n", strings.Join(said, "\n"), log)
	}
	fmt.Fprintf(stderr, "%s  %s: %s %s\n", time.Now().Format(time.TimeOnly), p.name, r.Verdict, r.Why)
	return r
}

// create makes a file, and the directories on the way.
func create(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, err
	}
	return os.Create(path)
}

// cutByDeadline reports whether the end of the time that a target had was taken
// for a failure of it, which go test does when a worker is late (golang/go#75804,
// mended in Go 1.27). A failure of the target names the input.
func cutByDeadline(said []string) bool {
	n := slices.Index(said, "    context deadline exceeded")
	return n > 0 && strings.HasPrefix(said[n-1], "--- FAIL: Fuzz") && slices.Contains(said[n:], "FAIL") &&
		!slices.ContainsFunc(said, func(line string) bool { return strings.Contains(line, "Failing input") })
}

// read follows what the part prints, and returns the end of it.
func (r *result) read(out io.Reader, name string, stderr io.Writer, cancel func()) (last []string) {
	const kept = 60
	count := regexp.MustCompile(`\b(done|faults|acknowledged|lost)=(\d+)`)
	execs := regexp.MustCompile(`^fuzz: elapsed: .*, execs: (\d+) \((\d+)/sec\)`)
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	shown, silent := time.Now(), 0
	for lines.Scan() {
		line := lines.Text()
		if !strings.HasPrefix(line, "=== ") && !strings.Contains(line, "--- PASS: ") { // thousands, where a test has parts
			last = append(last[max(0, len(last)-kept):], line)
		}
		if _, numbers, ok := strings.Cut(line, "counts: "); ok {
			for _, found := range count.FindAllStringSubmatch(numbers, -1) {
				n, _ := strconv.Atoi(found[2])
				*map[string]*int{"done": &r.Done, "faults": &r.Faults, "acknowledged": &r.Acknowledged, "lost": &r.Lost}[found[1]] += n
			}
		}
		if found := execs.FindStringSubmatch(line); found != nil {
			r.Done, _ = strconv.Atoi(found[1])
			if silent++; found[2] != "0" {
				silent = 0
			}
			if silent >= silence {
				r.Why = "it hangs"
				cancel()
			}
		}
		if strings.HasPrefix(line, "--- SKIP") {
			r.Verdict = skipped
		}
		if time.Since(shown) > 30*time.Second {
			shown = time.Now()
			fmt.Fprintf(stderr, "%s  %s: %.120s\n", shown.Format(time.TimeOnly), name, strings.TrimSpace(line))
		}
	}
	if r.Verdict == skipped && len(last) > 2 {
		r.Why = reason(last)
	}
	return last
}

// reason is what a test said before it was skipped.
func reason(lines []string) string {
	for _, line := range lines {
		if _, said, ok := strings.Cut(line, "_test.go:"); ok {
			_, said, _ = strings.Cut(said, ": ")
			return said
		}
	}
	return ""
}
