package git

import (
	"os"
	"path/filepath"
)

// maxWorktrees bounds how many linked worktrees are read.
const maxWorktrees = 1000

// Worktrees are the tops of the linked worktrees that the repository at
// commonDir knows, as "git worktree list" has them: also those that are gone by
// now and wait for "git worktree prune". What cannot be read is left out.
func Worktrees(commonDir string) []string {
	if commonDir == "" {
		return nil
	}
	dir := filepath.Join(commonDir, "worktrees")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var tops []string
	for _, entry := range entries[:min(len(entries), maxWorktrees)] {
		// gitdir names the worktree's .git file, which points back.
		path, err := pointed(filepath.Join(dir, entry.Name(), "gitdir"), "")
		if err == nil && filepath.Base(path) == ".git" {
			tops = append(tops, filepath.Dir(path))
		}
	}
	return tops
}
