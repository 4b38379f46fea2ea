package git

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// What callers branch on; every *Error wraps at most one of them.
var (
	ErrNonFastForward = errors.New("the remote has what we have not fetched")
	ErrRejected       = errors.New("the remote refuses it")
	ErrNoRemote       = errors.New("no such remote")
	ErrUnreachable    = errors.New("the remote cannot be reached")
	ErrAuthentication = errors.New("the remote asks who we are")
	ErrStale          = errors.New("the ref has moved")
	ErrLocked         = errors.New("the ref is locked by another git, or by one that died")
	ErrMissing        = errors.New("object is missing")
	ErrNotCommit      = errors.New("not a commit")
	ErrTooOld         = errors.New("git is too old: 2.34 is the least")
	ErrNoGit          = errors.New("git is not installed")
)

// Error is a call of git that failed.
type Error struct {
	Command string // the git command, such as push
	Kind    error  // one of the sentinels, ErrNotRepository, or nil
	Cause   error  // exit status, deadline, end of the context
	Stderr  string // what git said, in one line, without credentials
}

func (e *Error) Error() string {
	var parts []string
	if e.Kind != nil {
		parts = append(parts, e.Kind.Error())
	}
	if e.Stderr != "" {
		parts = append(parts, e.Stderr)
	} else if e.Cause != nil {
		parts = append(parts, e.Cause.Error())
	}
	return "git " + e.Command + ": " + strings.Join(parts, ": ")
}

// TimedOut reports whether our own patience ended, not git.
func (e *Error) TimedOut() bool {
	var deadline *deadlineError
	return errors.As(e.Cause, &deadline)
}

// Unwrap gives errors.Is the kind and the cause.
func (e *Error) Unwrap() []error {
	return slices.DeleteFunc([]error{e.Kind, e.Cause}, func(err error) bool { return err == nil })
}

// explain makes an *Error of what run saw. Errors that are not git's pass.
func (r *Runner) explain(ctx context.Context, p *process, err error) error {
	var exit *exec.ExitError
	var start *startError
	var deadline *deadlineError
	e := &Error{Command: p.args[0], Cause: err, Stderr: oneLine(p.stderr.String())}
	switch {
	case errors.As(err, &start) && errors.Is(err, exec.ErrNotFound):
		e.Kind = ErrNoGit
	case errors.As(err, &start):
	case errors.As(err, &deadline):
		e.Stderr = ""
		if p.remote {
			e.Kind = ErrUnreachable
		}
	case errors.As(err, &exit):
		e.Kind = classify(p.stderr.String(), p.remote)
		if e.Kind == nil && looksOld(p.stderr.String()) && r.old(ctx) {
			e.Kind = ErrTooOld
		}
	default:
		return err // of who wrote its input or read its output
	}
	return e
}

// classify reads the reason off what git wrote, in the C locale. Phrases are
// Git's own (connect.c, transport.c, remote-curl.c, builtin/receive-pack.c) and
// OpenSSH's.
func classify(stderr string, remote bool) error {
	says := func(phrases ...string) bool {
		return slices.ContainsFunc(phrases, func(p string) bool { return strings.Contains(stderr, p) })
	}
	switch {
	case says("not a git repository: "):
		return ErrNotRepository
	case says("No such remote", "no such remote"):
		return ErrNoRemote
	case says(".lock': File exists"):
		return ErrLocked
	case says("cannot lock ref") && says("but expected"), !remote && says("does not contain", "reference already exists"):
		return ErrStale
	case says("expected commit type"):
		return ErrNotCommit
	case says("loose object ", "is corrupt", "bad object refs/", "unable to unpack"),
		!remote && says("bad object", "unable to read tree", "Could not read ", "not a valid object name",
			"Not a valid object name", "Not a valid commit", "missing tree", "bad tree object", "bad revision", "Can't load tree"):
		return ErrMissing
	case !remote:
		return nil
	case says("Authentication failed", "Permission denied (", "could not read Username", "could not read Password",
		"terminal prompts disabled", "Host key verification failed", "returned error: 401", "Invalid username or"):
		return ErrAuthentication
	case says("returned error: 403", "Permission to ", "denied to ", "pre-receive hook declined", "hook declined"):
		return ErrRejected
	case says("Could not read from remote repository", "does not appear to be a git repository", "unable to access",
		"Could not resolve", "Connection refused", "Connection timed out", "Connection reset", "Network is unreachable",
		"hung up unexpectedly", "early EOF", "unable to connect", "unable to look up", "Repository not found", "not found",
		"transport '", "unable to find remote helper"):
		return ErrUnreachable
	}
	return nil
}

// looksOld reports whether git complained about how it was called.
func looksOld(stderr string) bool {
	for _, phrase := range []string{"unknown option", "usage: git", "unknown switch", "invalid option", "is not a git command"} {
		if strings.Contains(stderr, phrase) {
			return true
		}
	}
	return false
}

// old asks git's version; only when something failed, since it costs a process.
func (r *Runner) old(ctx context.Context) bool {
	out, err := exec.CommandContext(ctx, r.program(), "version").Output()
	return err == nil && olderThan(string(out), 2, 34)
}

// olderThan reads the output of git version. What it cannot read is not old.
func olderThan(version string, major, minor int) bool {
	var a, b int
	if _, err := fmt.Sscanf(version, "git version %d.%d", &a, &b); err != nil {
		return false
	}
	return a < major || a == major && b < minor
}

const maxReason = 600 // bytes of an error's text

// oneLine folds what git wrote into one line: its errors without prefixes and
// hints, what the remote said included, credentials removed.
func oneLine(stderr string) string {
	var said, other []string
	advice := false // what git says at length about a lock
	for line := range strings.FieldsFuncSeq(stderr, func(c rune) bool { return c == '\n' || c == '\r' }) {
		line = strings.TrimSpace(line)
		lower := strings.TrimSpace(strings.TrimPrefix(line, "remote:"))
		if advice = advice || strings.HasPrefix(lower, "Another git process seems to be running"); advice {
			advice = lower != "remove the file manually to continue."
			continue
		}
		switch {
		case lower == "" || strings.HasPrefix(line, "hint:") || strings.HasPrefix(line, "fast-import: dumping"),
			strings.HasPrefix(line, "error: failed to push some refs to "): // it follows the reason
			continue
		case strings.HasPrefix(line, "fatal: "), strings.HasPrefix(line, "error: "), strings.HasPrefix(line, "remote: "):
			_, line, _ = strings.Cut(line, ": ")
			if line = strings.TrimSpace(line); !slices.Contains(said, line) {
				said = append(said, line)
			}
		default:
			other = append(other, line)
		}
	}
	if len(said) == 0 {
		said = other
	}
	text := Redact(strings.Join(said, "; "))
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "") + "…"
	}
	return text
}

// Redact removes user names, passwords and tokens from the URLs in text:
// scheme://user:secret@host/path?token=secret becomes scheme://***@host/path?***.
func Redact(text string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "://")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("://")
		end := strings.IndexAny(rest, "/?# \t\n'\"<>")
		if end < 0 {
			end = len(rest)
		}
		if at := strings.LastIndexByte(rest[:end], '@'); at >= 0 {
			b.WriteString("***")
			rest = rest[at:]
		}
		end = strings.IndexAny(rest, " \t\n'\"<>")
		if end < 0 {
			end = len(rest)
		}
		if at := strings.IndexByte(rest[:end], '?'); at >= 0 {
			b.WriteString(rest[:at] + "?***")
			rest = rest[end:]
		}
		text = rest
	}
}

// SameURL reports whether two URLs name one place, whatever the credentials.
func SameURL(a, b string) bool {
	clean := func(s string) string { return strings.TrimRight(Redact(s), string(filepath.Separator)) }
	return clean(a) == clean(b)
}
