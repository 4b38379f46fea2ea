package cli

import (
	"io"
	"os"
	"slices"

	"beads/internal/control"
	"beads/internal/daemon"
	"beads/internal/fleet"
)

// replacedFlag takes the place of --report-ready when the process in the
// background becomes a new program: nobody waits for its report any more.
const replacedFlag = "replaced"

// becomeNewProgram runs the program at path, which was replaced, in this process
// with the same arguments. It returns only if that fails.
func (a *app) becomeNewProgram(path string) error {
	args := slices.Concat([]string{path}, a.Args)
	for i, arg := range args {
		if arg == "--report-ready" {
			args[i] = "--" + replacedFlag
		}
	}
	return daemon.Reexecute(args, a.Environ)
}

// stableExecutable is the path of this program that an upgrade replaces. Once
// one has, it cannot be told any more.
func (a *app) stableExecutable() string { return daemon.StablePath(a.Executable, a.Getenv("PATH")) }

// readyPipe is where the process in the background reports.
func readyPipe(o daemonStart) io.WriteCloser {
	if o.replaced {
		return nobody{}
	}
	return fleet.Detach()
}

// nobody listens.
type nobody struct{}

func (nobody) Write([]byte) (int, error) { return 0, os.ErrClosed }
func (nobody) Close() error              { return nil }

// daemonVersion is the version of a daemon with a word on one that is not ours.
func daemonVersion(s control.Status) string {
	if s.PID == 0 || s.Version == version || s.Version == "" {
		return s.Version
	}
	return s.Version + " (this bd is " + version + ")"
}
