package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"

	"beads/internal/config"
	"beads/internal/git"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/replica"
	"beads/internal/workspace"
)

// Exit codes. The daemon's status has two of its own, daemon.go.
const (
	exitDone  = 0
	exitFail  = 1
	exitUsage = 2
)

// failure is an error with what a program (Code) and a person (Hint) do next.
type failure struct {
	code   string
	hint   string
	exit   int
	silent bool // already told; only the exit code remains
	err    error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// failf makes an error with a code.
func failf(code, format string, args ...any) *failure {
	return &failure{code: code, exit: exitFail, err: fmt.Errorf(format, args...)}
}

// usagef makes an error about how the command was called; the exit code is 2.
func usagef(format string, args ...any) *failure {
	return &failure{code: "usage", exit: exitUsage, err: fmt.Errorf(format, args...)}
}

// withHint adds the next step.
func (f *failure) withHint(format string, args ...any) *failure {
	f.hint = fmt.Sprintf(format, args...)
	return f
}

// exitWith ends a command whose output already says everything.
func exitWith(code int) error {
	return &failure{exit: code, silent: true, err: fmt.Errorf("exit %d", code)}
}

// report prints err as this package's doc says and returns the exit code. It is
// the one place where errors become exit codes.
func (a *app) report(err error) int {
	if err == nil || closedPipe(err) {
		return exitDone
	}
	f := asFailure(err)
	if f.silent {
		return f.exit
	}
	message := visible(strings.ReplaceAll(f.Error(), "\n", "; "))
	if a.json {
		encoder := json.NewEncoder(&escapingWriter{out: a.Stderr})
		encoder.SetEscapeHTML(false)
		_ = encoder.Encode(struct { // if standard error is gone, nobody can be told
			Error string `json:"error"`
			Code  string `json:"code"`
			Hint  string `json:"hint,omitempty"`
		}{message, f.code, f.hint})
		return f.exit
	}
	fmt.Fprintf(a.Stderr, "bd: error: %s\n", message)
	if f.hint != "" {
		fmt.Fprintf(a.Stderr, "bd: hint: %s\n", visible(f.hint))
	}
	return f.exit
}

// asFailure gives every error its code, hint and exit code.
func asFailure(err error) *failure {
	var f *failure
	var notFound *projection.NotFoundError
	var ambiguous *projection.AmbiguousError
	var locked *workspace.LockedError
	var noInteraction *projection.NoInteractionError
	var badConfig *config.Error
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &notFound):
		f = failf("not_found", "%w", err)
		if notFound.Deleted {
			f.code = "deleted"
			_ = f.withHint("bd restore %s", notFound.Input)
		}
	case errors.As(err, &noInteraction):
		f = failf("not_found", "%w", err).withHint("bd interactions list shows the ids")
		if noInteraction.Fitting > 0 {
			f.code = "ambiguous"
		}
	case errors.As(err, &ambiguous):
		f = failf("ambiguous", "%w", err).withHint("%s", candidates(ambiguous))
	case errors.As(err, &locked):
		f = failf("locked", "%w", err).withHint("wait for it, or give more time with --lock-timeout")
	case errors.As(err, &badConfig):
		f = failf("config", "%w", err)
	case errors.Is(err, workspace.ErrNoWorkspace):
		f = failf("no_workspace", "%w", err).withHint("run: bd init")
	case errors.Is(err, workspace.ErrReadOnly):
		f = failf("read_only", "%w", err)
	case errors.Is(err, workspace.ErrVoid):
		f = failf("condition", "%w", err)
	case errors.Is(err, op.ErrClockExhausted):
		f = failf("clock_exhausted", "%w", err)
	case errors.Is(err, projection.ErrNewer):
		f = failf("newer_database", "%w", err).withHint("update bd; this one does not touch what a newer one wrote")
	case gitFailure(err) != nil:
		f = gitFailure(err)
	case errors.Is(err, context.Canceled):
		f = failf("interrupted", "interrupted")
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		f = failf("permission", "%w", err)
	case errors.Is(err, syscall.ENOSPC):
		f = failf("disk_full", "%w", err)
	default:
		f = failf("failed", "%w", err)
	}
	return f
}

// gitFailure gives a failure of replication its code and hint; nil for any
// other error. Where the error itself names the next step there is no hint.
func gitFailure(err error) *failure {
	const later = "local work goes on; the next bd sync goes on from here"
	const elsewhere = "another ref there may do: bd config set git.ref refs/heads/beads-ops, then bd sync --publish"
	for _, kind := range []struct {
		err        error
		code, hint string
	}{
		{replica.ErrDeleted, "ref_deleted", ""},
		{replica.ErrMoved, "remote_moved", ""},
		{replica.ErrForeign, "foreign_ref", elsewhere},
		{replica.ErrNewer, "newer_ref", ""},
		{replica.ErrFlood, "too_much", "what was read is kept; the next bd sync goes on from here"},
		{replica.ErrNotPinned, "not_shared", "bd sync --publish"},
		{git.ErrNonFastForward, "non_fast_forward", "bd sync"},
		{git.ErrLocked, "ref_locked", "try again; if no git is at work there, remove the lock"},
		{git.ErrRejected, "rejected", elsewhere},
		{git.ErrNoRemote, "no_remote", "bd sync --publish NAME shares with another one"},
		{git.ErrAuthentication, "authentication", "let git get in without asking a person (a key, a credential helper); " + later},
		{git.ErrUnreachable, "unreachable", later},
		{git.ErrNotRepository, "no_repository", ""},
		{git.ErrTooOld, "git_too_old", ""},
		{git.ErrNoGit, "no_git", "install git, 2.34 or newer"},
	} {
		if errors.Is(err, kind.err) {
			f := failf(kind.code, "%w", err)
			f.hint = kind.hint
			return f
		}
	}
	return nil
}

// candidates lists what an ambiguous id may mean, in one line.
func candidates(e *projection.AmbiguousError) string {
	var b strings.Builder
	b.WriteString("one of ")
	for i, c := range e.Candidates {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s (%s)", c.Short, c.Title)
	}
	if more := e.Total - len(e.Candidates); more > 0 {
		fmt.Fprintf(&b, " and %d more", more)
	}
	return b.String()
}

// closedPipe reports whether the reader of our output went away, as head does:
// no error of ours.
func closedPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)
}
