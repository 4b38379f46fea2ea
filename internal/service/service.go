// Package service hands a workspace's daemon to what supervises a user's
// processes: a systemd user unit, or a launchd agent. Systemd and Launchd only
// compute; [Plan.Install] and [Plan.Uninstall] write one file and run the
// supervisor's own program, if it is there and answers.
//
// A file that this package did not write, as its first lines say, is neither
// replaced nor removed. Installing twice is the same as once.
package service

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strings"
	"unicode"
)

// Service is a daemon to be supervised.
type Service struct {
	Workspace string   // the directory with the log: what makes the service unique
	Args      []string // the command line; Args[0] is absolute
	Dir       string   // where it runs
	Environ   []string // KEY=VALUE that the supervisor would not have by itself
}

// Plan is all that installing a service takes. Commands are command lines, run
// in their order.
type Plan struct {
	Name    string // of the service, as the supervisor knows it
	Path    string // of the file
	Content string

	Answers []string   // succeeds if the supervisor can be talked to
	Active  []string   // succeeds if the service runs
	Enable  [][]string // after the file was written
	Disable [][]string // before the file is removed
	Forget  [][]string // after it was removed
	Link    string     // what enabling leaves beside the file; "" if nothing
}

// marker is on the first lines of every file that this package writes.
const marker = "Written by bd daemon install"

// name is unique for the workspace and says to people which it is.
func (s Service) name() string {
	sum := sha256.Sum256([]byte(s.Workspace))
	return "bd-" + plain(filepath.Base(s.Dir)) + "-" + hex.EncodeToString(sum[:4])
}

// plain keeps what is allowed in every name of a unit or a label.
func plain(name string) string {
	const most = 40
	kept := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		}
		return '_'
	}, name)
	return kept[:min(len(kept), most)]
}

// check refuses what the files cannot express.
func (s Service) check() error {
	for _, word := range append(append([]string{s.Workspace, s.Dir}, s.Args...), s.Environ...) {
		if strings.IndexFunc(word, unicode.IsControl) >= 0 || !isText(word) {
			return fmt.Errorf("%q cannot be written into a service: it has control characters", word)
		}
	}
	if s.Dir != strings.TrimSpace(s.Dir) || strings.HasSuffix(s.Dir, `\`) {
		return fmt.Errorf("%q cannot be written into a service: it ends in a blank or a backslash", s.Dir)
	}
	return nil
}

func isText(word string) bool { return strings.ToValidUTF8(word, "") == word }
