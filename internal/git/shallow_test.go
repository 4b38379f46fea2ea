package git

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The tip of a ref comes alone, and nothing of it to the runner's own repository,
// however that is configured to reach the remote.
func TestFetchTip(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		digits int
		init   []string
		config [][2]string // of the runner's repository; REMOTE stands for where the remote is
	}{
		"a path":                {40, nil, [][2]string{{"remote.origin.url", "REMOTE"}}},
		"a path from the top":   {40, nil, [][2]string{{"remote.origin.url", "../remote"}}},
		"an alias":              {40, nil, [][2]string{{"remote.origin.url", "short:remote"}, {"url.TOP/.insteadOf", "short:"}}},
		"SHA-256":               {64, []string{"--object-format=sha256"}, [][2]string{{"remote.origin.url", "REMOTE"}}},
		"a partial clone":       {40, nil, [][2]string{{"remote.origin.url", "REMOTE"}, {"remote.origin.promisor", "true"}, {"remote.origin.partialclonefilter", "blob:none"}}},
		"a worktree elsewhere":  {40, nil, [][2]string{{"remote.origin.url", "REMOTE"}, {"core.worktree", "/nowhere"}}},
		"fetches much else":     {40, nil, [][2]string{{"remote.origin.url", "REMOTE"}, {"remote.origin.fetch", "+refs/*:refs/*"}, {"remote.origin.tagOpt", "--tags"}}},
		"objects are checked":   {40, nil, [][2]string{{"remote.origin.url", "REMOTE"}, {"transfer.fsckObjects", "true"}}},
		"settings per worktree": {40, nil, [][2]string{{"extensions.worktreeConfig", "true"}, {"--worktree", ""}, {"remote.origin.url", "REMOTE"}}},
		"no worktree":           {40, nil, [][2]string{{"remote.origin.url", "../../remote"}, {"core.bare", "true"}}},
	} {
		t.Run(name, func(t *testing.T) {
			top := filepath.Join(sandbox(t), `odd "name"\ of a top`)
			remote, dir := filepath.Join(top, "remote"), filepath.Join(top, "repo")
			commitFile(t, remote, c.init...)
			write(t, filepath.Join(remote, "b.txt"), "b\n")
			runGit(t, remote, "add", "b.txt")
			runGit(t, remote, "commit", "-qm", "two")
			runGit(t, remote, "tag", "there")
			commitFile(t, dir, c.init...)
			where := "--local"
			for _, set := range c.config {
				if set[1] == "" {
					where = set[0]
					continue
				}
				place := strings.NewReplacer("REMOTE", "file://"+remote, "TOP", top)
				runGit(t, dir, "config", where, "--add", place.Replace(set[0]), place.Replace(set[1]))
			}
			worktree := dir
			if name == "no worktree" {
				worktree = ""
			}
			r := &Runner{GitDir: filepath.Join(dir, ".git"), Dir: worktree, Env: append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null")}
			before := contents(t, r.GitDir)
			at, tip, err := r.FetchTip(t.Context(), t.TempDir(), "origin", "refs/heads/main", c.digits)
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.TrimSpace(runGit(t, remote, "rev-parse", "main")); tip != want {
				t.Errorf("the tip is %s, want %s", tip, want)
			}
			var paths []string
			err = at.Diff(t.Context(), "", tip, func(c TreeChange) error {
				paths = append(paths, c.Path)
				return nil
			})
			if err != nil || strings.Join(paths, " ") != "a.txt b.txt" {
				t.Errorf("the tree has %q, %v", paths, err)
			}
			if n := strings.TrimSpace(runGit(t, at.GitDir, "rev-list", "--all", "--count")); n != "1" {
				t.Errorf("%s commits came", n)
			}
			if got := at.Config().Get("remote.origin.url"); got != r.Config().Get("remote.origin.url") {
				t.Errorf("the remote is %q there", got)
			}
			if after := contents(t, r.GitDir); after != before {
				t.Errorf("the repository was changed:\n%s\nnow\n%s", before, after)
			}
		})
	}
}

// contents are the names and sizes of all files below dir.
func contents(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all.WriteString(path + " " + string(data) + "\n")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// A remote, a ref or a git that is not there is told as it is anywhere else.
func TestFetchTipFails(t *testing.T) {
	t.Parallel()
	r := newRunner(t)
	top := filepath.Dir(r.Dir)
	runGit(t, r.Dir, "config", "remote.gone.url", filepath.Join(top, "gone"))
	runGit(t, r.Dir, "config", "remote.self.url", r.Dir)
	for name, c := range map[string]struct {
		remote, ref string
		want        error
	}{
		"no such place":  {"gone", "refs/heads/main", ErrUnreachable},
		"no such remote": {"other", "refs/heads/main", ErrUnreachable},
		"no such ref":    {"self", "refs/heads/other", nil},
	} {
		_, _, err := r.FetchTip(t.Context(), t.TempDir(), c.remote, c.ref, 40)
		var failure *Error
		if !errors.As(err, &failure) || !errors.Is(failure.Kind, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r.Program = filepath.Join(top, "no git")
	if _, _, err := r.FetchTip(t.Context(), t.TempDir(), "self", "refs/heads/main", 40); err == nil {
		t.Error("it fetched without a git")
	}
}
