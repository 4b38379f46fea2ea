package cli

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"beads/internal/beadsjson"
)

// The marks between which onboard writes; everything else in the file is the
// project's.
const (
	onboardBegin = "<!-- bd: begin -->"
	onboardEnd   = "<!-- bd: end -->"
)

func newOnboard(a *app) *cobra.Command {
	var file string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "onboard",
		Short: "Tell agents about bd in AGENTS.md",
		Long: `Show a section for AGENTS.md that tells agents how to work with bd, and write it there,
or bring it up to date: what stands between its two marks is replaced, everything else
in the file stays as it is.`,
		Example: "  bd onboard --dry-run\n  bd onboard\n  bd onboard --file CLAUDE.md",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			place, err := a.existing()
			if err != nil {
				return err
			}
			path := a.path(file)
			if !given(cmd, "file") && place.Root != "" {
				path = filepath.Join(place.Root, file)
			}
			return a.onboard(path, ownFiles(place), dryRun)
		},
	}
	cmd.Flags().StringVar(&file, "file", "AGENTS.md", "write to `FILE` (by default at the top of the worktree)")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only show the section")
	return cmd
}

// onboardJSON is what onboard prints with --json.
type onboardJSON struct {
	File    string `json:"file"`
	Did     string `json:"status"` // created, added, updated or unchanged
	Section string `json:"section"`
}

func (a *app) onboard(path string, own []string, dryRun bool) error {
	section := onboardBegin + "\n## Issue tracking\n\n" + agentRules() + "\n" + onboardEnd + "\n"
	before, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	after, did, err := withSection(string(before), section)
	if err != nil {
		return failf("marks", "%s: %w", path, err).withHint("mend the marks %s and %s by hand", onboardBegin, onboardEnd)
	}
	if !dryRun && !a.json && !a.quiet {
		if _, err := io.WriteString(a.Stdout, section); err != nil {
			return err
		}
	}
	switch {
	case dryRun && !a.json:
		a.printf("%s", section)
		return nil
	case !dryRun && a.readonly:
		return failf("read_only", "bd onboard writes to %s, and --readonly was given", path)
	case !dryRun && did != "unchanged":
		err := beadsjson.WriteFile(path, own, func(w io.Writer) error {
			_, err := io.WriteString(w, after)
			return err
		})
		if err != nil {
			return err
		}
	}
	if a.json {
		return a.printJSON(onboardJSON{path, did, section})
	}
	a.say("%s: %s", visible(path), did)
	return nil
}

// withSection puts the section in the place of the one that text has, or at its
// end.
func withSection(text, section string) (after, did string, err error) {
	begin, end := strings.Index(text, onboardBegin), strings.Index(text, onboardEnd)
	switch {
	case begin < 0 && end < 0 && text == "":
		return section, "created", nil
	case begin < 0 && end < 0:
		return strings.TrimRight(text, "\n") + "\n\n" + section, "added", nil
	case begin < 0 || end < begin || strings.Count(text, onboardBegin) > 1 || strings.Count(text, onboardEnd) > 1:
		return "", "", errors.New("the marks of bd's section do not stand once, one after the other")
	}
	rest := strings.TrimPrefix(text[end+len(onboardEnd):], "\n")
	after = text[:begin] + section + rest
	if after == text {
		return text, "unchanged", nil
	}
	return after, "updated", nil
}
