package git

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sandbox is a directory with resolved symbolic links and an environment in
// which git sees no configuration of the machine's.
func sandbox(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func runGit(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=t", "GIT_AUTHOR_EMAIL=t@invalid", "GIT_COMMITTER_NAME=t", "GIT_COMMITTER_EMAIL=t@invalid",
		"GIT_ALLOW_PROTOCOL=file")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// commitFile makes a repository at dir with one commit.
func commitFile(t *testing.T, dir string, initArgs ...string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	runGit(t, dir, append([]string{"init", "-q", "-b", "main"}, initArgs...)...)
	write(t, filepath.Join(dir, "a.txt"), "a\n")
	runGit(t, dir, "add", "a.txt")
	runGit(t, dir, "commit", "-qm", "one")
}

func TestFindKnowsEveryLayout(t *testing.T) {
	top := sandbox(t)
	plain := filepath.Join(top, "plain")
	commitFile(t, plain)
	runGit(t, plain, "worktree", "add", "-q", filepath.Join(top, "linked"))

	bare := filepath.Join(top, "bare.git")
	runGit(t, top, "clone", "-q", "--bare", plain, bare)
	runGit(t, bare, "worktree", "add", "-q", filepath.Join(top, "ofbare"), "main")

	separate := filepath.Join(top, "separate")
	commitFile(t, separate, "--separate-git-dir", filepath.Join(top, "elsewhere"))

	super := filepath.Join(top, "super")
	commitFile(t, super)
	runGit(t, super, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", plain, "sub")
	sub := filepath.Join(super, "sub")
	runGit(t, sub, "worktree", "add", "-q", "-b", "other", filepath.Join(top, "ofsub"))
	if err := os.MkdirAll(filepath.Join(plain, "deep", "er"), 0o755); err != nil {
		t.Fatal(err)
	}
	module := filepath.Join(super, ".git", "modules", "sub")

	tests := []struct {
		name string
		from string
		want Repository
	}{
		{"top of a worktree", plain, Repository{Worktree: plain, GitDir: plain + "/.git", CommonDir: plain + "/.git", Main: plain}},
		{"below it", plain + "/deep/er", Repository{Worktree: plain, GitDir: plain + "/.git", CommonDir: plain + "/.git", Main: plain}},
		{"inside .git", plain + "/.git/refs", Repository{GitDir: plain + "/.git", CommonDir: plain + "/.git", Main: plain}},
		{"linked worktree", top + "/linked", Repository{Worktree: top + "/linked", GitDir: plain + "/.git/worktrees/linked", CommonDir: plain + "/.git", Main: plain}},
		{"bare repository", bare, Repository{GitDir: bare, CommonDir: bare}},
		{"worktree of a bare repository", top + "/ofbare", Repository{Worktree: top + "/ofbare", GitDir: bare + "/worktrees/ofbare", CommonDir: bare}},
		{"separate git directory", separate, Repository{Worktree: separate, GitDir: top + "/elsewhere", CommonDir: top + "/elsewhere", Main: separate}},
		{"submodule", sub, Repository{Worktree: sub, GitDir: module, CommonDir: module, Main: sub, Submodule: true}},
		{"linked worktree of a submodule", top + "/ofsub", Repository{Worktree: top + "/ofsub", GitDir: module + "/worktrees/ofsub", CommonDir: module, Main: sub, Submodule: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Find(tt.from, OwnerCheck{})
			if err != nil {
				t.Fatal(err)
			}
			got.hashSize = 0
			if got != tt.want {
				t.Errorf("Find(%s) =\n%+v, want\n%+v", tt.from, got, tt.want)
			}
		})
	}
}

func TestFindOutsideAndBroken(t *testing.T) {
	top := sandbox(t)
	if _, err := Find(top, OwnerCheck{}); !errors.Is(err, ErrNotRepository) {
		t.Errorf("outside: %v, want ErrNotRepository", err)
	}
	write(t, filepath.Join(top, "gone", ".git"), "gitdir: ../nowhere\n")
	if _, err := Find(filepath.Join(top, "gone"), OwnerCheck{}); err == nil || errors.Is(err, ErrNotRepository) {
		t.Errorf(".git file to nowhere: %v, want an error that names it", err)
	}
}

func TestOwner(t *testing.T) {
	top := sandbox(t)
	repo := filepath.Join(top, "repo")
	commitFile(t, repo)
	config := filepath.Join(top, "config")
	tests := []struct {
		name     string
		owner    int
		sudo     string
		config   string
		accepted bool
	}{
		{"ours", 1000, "", "", true},
		{"a stranger's", 1001, "", "", false},
		{"named as safe", 1001, "", "[safe]\n\tdirectory = " + repo + "\n", true},
		{"everything is safe", 1001, "", "[safe]\n\tdirectory = *\n", true},
		{"safe below", 1001, "", "[safe]\n\tdirectory = " + top + "/*\n", true},
		{"taken back", 1001, "", "[safe]\n\tdirectory = *\n\tdirectory =\n", false},
		{"another place is safe", 1001, "", "[safe]\n\tdirectory = /elsewhere\n", false},
		{"sudo helps root only", 1001, "1001", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			write(t, config, tt.config)
			env := map[string]string{"GIT_CONFIG_GLOBAL": config, "GIT_CONFIG_NOSYSTEM": "1", "SUDO_UID": tt.sudo}
			_, err := Find(repo, OwnerCheck{
				UID: 1000, Getenv: func(k string) string { return env[k] },
				Owner: func(string) (int, error) { return tt.owner, nil },
			})
			if accepted := err == nil; accepted != tt.accepted {
				t.Errorf("accepted = %v (%v), want %v", accepted, err, tt.accepted)
			}
		})
	}
}

func TestTrackedReadsEveryIndexFormat(t *testing.T) {
	tests := []struct {
		name  string
		setup func(t *testing.T, dir string)
		init  []string
	}{
		{"version 2", func(t *testing.T, dir string) { runGit(t, dir, "update-index", "--index-version", "2") }, nil},
		{"version 3, intent to add", func(t *testing.T, dir string) {
			write(t, filepath.Join(dir, ".a"), "x")
			runGit(t, dir, "add", "-N", ".a")
		}, nil},
		{"version 4", func(t *testing.T, dir string) { runGit(t, dir, "update-index", "--index-version", "4") }, nil},
		{"split index", func(t *testing.T, dir string) { runGit(t, dir, "update-index", "--split-index") }, nil},
		{"SHA-256", func(*testing.T, string) {}, []string{"--object-format=sha256"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := sandbox(t)
			commitFile(t, dir, tt.init...)
			for _, name := range []string{".aa/1", ".beads.txt", ".beads/config.yaml", ".beads/issues.jsonl", ".beadsx/1", "z"} {
				write(t, filepath.Join(dir, name), "x\n")
			}
			runGit(t, dir, "add", ".")
			tt.setup(t, dir)
			repo, err := Find(dir, OwnerCheck{})
			if err != nil {
				t.Fatal(err)
			}
			got, err := repo.Tracked(".beads")
			if err != nil {
				t.Fatal(err)
			}
			if want := []string{".beads/config.yaml", ".beads/issues.jsonl"}; !slices.Equal(got, want) {
				t.Errorf("Tracked = %q, want %q", got, want)
			}
			runGit(t, dir, "rm", "-q", "-r", "--cached", ".beads")
			if tt.name == "split index" {
				return // the base index may still name them: erring on the side of tracked
			}
			if got, err := repo.Tracked(".beads"); err != nil || len(got) > 0 {
				t.Errorf("after git rm: Tracked = %q, %v; want none", got, err)
			}
		})
	}
}

func TestTrackedRefusesRubbish(t *testing.T) {
	dir := sandbox(t)
	commitFile(t, dir)
	repo, err := Find(dir, OwnerCheck{})
	if err != nil {
		t.Fatal(err)
	}
	for _, content := range []string{"", "DIRC", "JUNKJUNKJUNK", "DIRC\x00\x00\x00\x09\x00\x00\x00\x01"} {
		write(t, filepath.Join(dir, ".git", "index"), content)
		if _, err := repo.Tracked(".beads"); err == nil {
			t.Errorf("index %q: no error", content)
		}
	}
}

func TestUserNameAgreesWithGit(t *testing.T) {
	tests := []struct {
		name          string
		global, local string
		files         map[string]string // beside the global file
		want          string
	}{
		{"nothing", "", "", nil, ""},
		{"global", "[user]\n\tname = Ann\n", "", nil, "Ann"},
		{"local wins", "[user]\nname=Ann\n", "[user]\n\tname = Bob B.\n", nil, "Bob B."},
		{"quotes, escapes, comments", "[user]\n\tname = \"A \\\"x\\\" # no\" B ; comment\n", "", nil, `A "x" # no B`},
		{"continuation", "[user]\n\tname = An\\\n  na\n", "", nil, "An  na"},
		{"on the section's line", "[user] name = Ann\n", "", nil, "Ann"},
		{"any case", "[USER]\n\tNAME = Ann\n", "", nil, "Ann"},
		{"include", "[include]\n\tpath = more\n", "", map[string]string{"more": "[user]\n\tname = Inc\n"}, "Inc"},
		{"includeIf gitdir matches", "[user]\nname=Ann\n[includeIf \"gitdir:**/repo/\"]\n\tpath = more\n", "", map[string]string{"more": "[user]\n\tname = Work\n"}, "Work"},
		{"includeIf gitdir does not", "[user]\nname=Ann\n[includeIf \"gitdir:/nowhere/\"]\n\tpath = more\n", "", map[string]string{"more": "[user]\n\tname = Work\n"}, "Ann"},
		{"subsection is not the section", "[user \"x\"]\n\tname = Sub\n", "", nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			top := sandbox(t)
			repo := filepath.Join(top, "repo")
			commitFile(t, repo)
			global := filepath.Join(top, "global")
			write(t, global, tt.global)
			for name, content := range tt.files {
				write(t, filepath.Join(top, name), content)
			}
			if tt.local != "" {
				f, err := os.OpenFile(filepath.Join(repo, ".git", "config"), os.O_APPEND|os.O_WRONLY, 0)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := f.WriteString(tt.local); err != nil {
					t.Fatal(err)
				}
				f.Close()
			}
			env := map[string]string{"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": global}
			gitDir := filepath.Join(repo, ".git")
			got := UserName(gitDir, gitDir, top, func(k string) string { return env[k] })
			if got != tt.want {
				t.Errorf("UserName = %q, want %q", got, tt.want)
			}
			cmd := exec.Command("git", "config", "user.name")
			cmd.Dir = repo
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + top, "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + global}
			out, _ := cmd.Output() // unset exits 1
			if name := strings.TrimSuffix(string(out), "\n"); name != got {
				t.Errorf("git says %q, UserName %q", name, got)
			}
		})
	}
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte("DIRC\x00\x00\x00\x02\x00\x00\x00\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "index")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		paths, err := trackedIn(path, ".beads", 20)
		for _, p := range paths {
			if err == nil && !strings.HasPrefix(p, ".beads/") {
				t.Errorf("path %q is not below the folder", p)
			}
		}
	})
}
