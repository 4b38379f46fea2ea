package git

import (
	"fmt"
	"path/filepath"
	"strconv"
)

// OwnerCheck decides whether a repository may be used. The zero value accepts
// everyone's.
type OwnerCheck struct {
	UID    int                 // our user; the check is off when Getenv is nil
	Getenv func(string) string // SUDO_UID, and where Git's configuration is
	Home   string
	Owner  func(path string) (int, error) // nil: the file system's answer
}

// check follows Git: the owner of the worktree and of the git directory must be
// us (or, for root, who called sudo), or safe.directory must name the place.
func (c OwnerCheck) check(repo Repository) error {
	if c.Getenv == nil {
		return nil
	}
	owner := c.Owner
	if owner == nil {
		owner = FileOwner
	}
	place := repo.Worktree
	if place == "" {
		place = repo.GitDir
	}
	for _, path := range []string{repo.Worktree, repo.GitDir} {
		if path == "" {
			continue
		}
		uid, err := owner(path)
		if err != nil {
			return fmt.Errorf("owner of %s: %w", path, err)
		}
		if uid == c.UID || uid < 0 || c.sudo(uid) {
			continue
		}
		if c.safe(place) {
			return nil
		}
		return fmt.Errorf("%s belongs to another user; to trust it: git config --global --add safe.directory %s", path, place)
	}
	return nil
}

func (c OwnerCheck) sudo(uid int) bool {
	return c.UID == 0 && c.Getenv("SUDO_UID") == strconv.Itoa(uid)
}

// safe reads safe.directory from the system's and the user's configuration
// only: a repository cannot vouch for itself.
func (c OwnerCheck) safe(place string) bool {
	config := userConfig(c.Home, c.Getenv, nil)
	trusted := false
	for _, value := range config["safe.directory"] {
		switch {
		case value == "":
			trusted = false
		case value == "*", filepath.Clean(expandHome(value, c.Home)) == place, underAny(value, place):
			trusted = true
		}
	}
	return trusted
}

// underAny handles the form "/path/*": everything below.
func underAny(value, place string) bool {
	if base := filepath.Base(value); base != "*" {
		return false
	}
	rel, err := filepath.Rel(filepath.Dir(value), place)
	return err == nil && filepath.IsLocal(rel)
}
