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
	at.GitDir = dir
	format := "sha1"
	if digits == 64 {
		format = "sha256"
	}
	if _, err := at.run(ctx, call{args: []string{"init", "--quiet", "--bare", "--template=", "--object-format=" + format}}); err != nil {
		return nil, "", err
	}
	if err := at.include(filepath.Join(r.GitDir, "config")); err != nil {
		return nil, "", fmt.Errorf("configure the repository for the tip: %w", err)
	}
	_, err = at.run(ctx, call{
		args:   append(fetchArgs("--depth=1"), "--end-of-options", remote, "+"+ref+":"+tipRef),
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

// include has the repository's configuration begin with that in another file, but
// for what Git itself wrote about this one. Extensions of the other do not count:
// Git reads those without what is included.
func (r *Runner) include(file string) (err error) {
	f, err := os.OpenFile(filepath.Join(r.GitDir, "config"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(file)
	_, err = fmt.Fprintf(f, "[include]\n\tpath = \"%s\"\n[core]\n\tbare = true\n", quoted)
	return err
}
