package git

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// tipRef is what FetchTip brings, in the repository that it makes.
const tipRef = "refs/heads/tip"

// FetchTip brings what a ref of a remote names, without the history before it, to a
// repository that it makes in the empty directory dir, and returns a runner for that.
// The runner's own repository only says how the remote is reached: it gets no objects,
// and no mark that a history ends there, which all of Git would heed from then on
// (Git's technical/shallow). digits is how many an object's name has there.
//
// The new repository is to be read at once: nothing in it is fsynced. The caller
// removes it, after an error too. A remote that serves no part of a history (a web
// server with files alone) fails.
func (r *Runner) FetchTip(ctx context.Context, dir, remote, ref string, digits int) (at *Runner, tip string, err error) {
	own := *r
	at = &own
	at.GitDir, at.Dir = dir, r.workingDir()
	format := "sha1"
	if digits == 64 {
		format = "sha256"
	}
	if _, err := at.run(ctx, call{args: []string{"init", "--quiet", "--bare", "--template=", "--object-format=" + format}}); err != nil {
		return nil, "", err
	}
	files := []string{filepath.Join(r.GitDir, "config")}
	if r.Config().Bool("extensions.worktreeconfig") {
		files = append(files, filepath.Join(r.GitDir, "config.worktree"))
	}
	if err := at.include(files); err != nil {
		return nil, "", fmt.Errorf("configure the repository for the tip: %w", err)
	}
	_, err = at.run(ctx, call{
		args:   fetchArgs(remote, ref, tipRef, "--depth=1"),
		remote: true, receives: true,
	})
	if err != nil {
		return nil, "", err
	}
	tips, err := at.Tips(ctx, tipRef)
	if err != nil {
		return nil, "", err
	}
	return at, tips[tipRef], nil
}

// include adds the configuration in other files, which Git leaves out if they are not
// there, to the repository's own. Extensions in them do not count: Git reads those
// without what is included.
func (r *Runner) include(files []string) (err error) {
	f, err := os.OpenFile(filepath.Join(r.GitDir, "config"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var text strings.Builder
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`)
	for _, file := range files {
		fmt.Fprintf(&text, "[include]\n\tpath = \"%s\"\n", quote.Replace(file))
	}
	_, err = f.WriteString(text.String() + "[core]\n\tbare = true\n")
	return err
}
