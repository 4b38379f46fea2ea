package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// RemoteURL is where a remote of Git's configuration points: where it is pushed
// to, and where it is fetched from. It fails with ErrNoRemote if there is none
// of that name, and refuses what could be an option or runs a program.
func (r *Runner) RemoteURL(name string) (push, fetch string, err error) {
	if err := CheckRemote(name); err != nil {
		return "", "", err
	}
	config := r.Config()
	urls := config["remote."+name+".url"]
	if len(urls) == 0 {
		return "", "", fmt.Errorf("%w: %s", ErrNoRemote, name)
	}
	pushes := config["remote."+name+".pushurl"]
	if len(pushes) == 0 {
		pushes = urls
	}
	for _, url := range append(slices.Clone(urls), pushes...) {
		if url == "" || url[0] == '-' || strings.HasPrefix(url, "ext::") {
			return "", "", fmt.Errorf("remote %s: its URL %q is not used", name, Redact(url))
		}
	}
	// With several URLs git pushes to all of them, and all are shown.
	return strings.Join(pushes, " "), urls[0], nil
}

// Remotes lists the remotes of Git's configuration, sorted.
func (r *Runner) Remotes() []string {
	var names []string
	for key := range r.Config() {
		name, ok := strings.CutPrefix(key, "remote.")
		if name, ok2 := strings.CutSuffix(name, ".url"); ok && ok2 && CheckRemote(name) == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// LsRemote asks a remote where a ref is; "" if it has none of that name.
func (r *Runner) LsRemote(ctx context.Context, remote, ref string) (string, error) {
	out, err := r.run(ctx, call{args: []string{"ls-remote", "--refs", "--quiet", remote, ref}, remote: true, asks: true})
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(out)) {
		// The pattern also fits refs whose names only end like that.
		if id, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t"); name == ref && validID(id) {
			return id, nil
		}
	}
	return "", nil
}

// Fetch brings one ref of a remote, and what it needs, to the ref to, whatever
// that was before. Nothing else is fetched, updated, pruned or recorded, however
// the remote is configured.
func (r *Runner) Fetch(ctx context.Context, remote, ref, to string) error {
	_, err := r.run(ctx, call{
		args:   fetchArgs(remote, ref, to),
		remote: true, durable: true, writes: true, receives: true,
	})
	return err
}

// fetchArgs are a git fetch of one ref and nothing else, with more options.
func fetchArgs(remote, ref, to string, more ...string) []string {
	args := append([]string{"fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--no-prune", "--no-filter",
		"--no-recurse-submodules", "--no-write-commit-graph", "--refmap="}, more...)
	return append(args, "--end-of-options", remote, "+"+ref+":"+to)
}

// Push offers a commit for a ref of a remote, never by force. It fails with
// ErrNonFastForward when the remote has something else by now, with ErrLocked
// while another push holds the ref, and with ErrRejected when a hook, a rule or a
// missing permission refuses it.
func (r *Runner) Push(ctx context.Context, remote, commit, ref string) error {
	return r.push(ctx, remote, commit, ref, nil)
}

// PushTracked is Push which, once the remote has taken the commit, makes the ref
// tracking name it too, from old ("": it is made). It fails like UpdateRefs when
// only that does not succeed.
func (r *Runner) PushTracked(ctx context.Context, remote, commit, ref, tracking, old string) error {
	// What git would do for a ref that it is configured to fetch, it does in
	// the process that pushes.
	err := r.push(ctx, remote, commit, ref, []string{"remote." + remote + ".fetch=" + ref + ":" + tracking})
	if err != nil {
		return err
	}
	// A line of the user's configuration that comes first counts instead, and a
	// failure is no failure of the push.
	if tips, err := r.Tips(ctx, tracking); err != nil || tips[tracking] == commit {
		return err
	}
	return r.UpdateRefs(ctx, RefChange{Ref: tracking, Old: old, New: commit})
}

func (r *Runner) push(ctx context.Context, remote, commit, ref string, config []string) error {
	var said []byte
	_, err := r.run(ctx, call{
		// A mirror would push everything, and by force.
		config: append(config, "remote."+remote+".mirror=false"),
		args: []string{"push", "--porcelain", "--quiet", "--no-verify", "--no-signed", "--no-follow-tags",
			"--no-recurse-submodules", "--end-of-options", remote, commit + ":" + ref},
		output: collect(&said), remote: true, durable: len(config) > 0,
	})
	var failure *Error
	if err == nil || !errors.As(err, &failure) {
		return err
	}
	for line := range strings.Lines(string(said)) {
		// flag TAB from:to TAB summary (reason)
		fields := strings.SplitN(strings.TrimRight(line, "\n"), "\t", 3)
		if len(fields) != 3 || fields[0] != "!" || !strings.HasSuffix(fields[1], ":"+ref) {
			continue
		}
		if failure.Kind != ErrLocked {
			failure.Kind = pushFailure(fields[2])
		}
		failure.Stderr = strings.TrimPrefix(failure.Stderr+"; "+Redact(fields[2]), "; ")
	}
	return err
}

// pushFailure tells a lost race, which is tried again, from a refusal.
func pushFailure(summary string) error {
	if strings.HasPrefix(summary, "[rejected]") {
		return ErrNonFastForward
	}
	for _, race := range []string{"cannot lock ref", "failed to update ref", "incorrect old value", "reference already exists",
		"non-fast-forward", "fetch first"} {
		if strings.Contains(summary, race) {
			return ErrNonFastForward
		}
	}
	return ErrRejected
}

// validID reports whether s is the hexadecimal name of an object.
func validID(s string) bool {
	if len(s) != 40 && len(s) != 64 {
		return false
	}
	return strings.Trim(s, "0123456789abcdef") == ""
}

// Identity is who the user is to Git: user.name and user.email, "" if unset.
// What would break the line of a commit is removed.
func (r *Runner) Identity() (name, email string) {
	config := r.Config()
	clean := func(s string) string {
		return strings.TrimSpace(string(bytes.Map(func(c rune) rune {
			if c < ' ' || c == '<' || c == '>' {
				return -1
			}
			return c
		}, []byte(s))))
	}
	return clean(config.Get("user.name")), clean(config.Get("user.email"))
}
