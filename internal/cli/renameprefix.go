package cli

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// renamedJSON is what rename-prefix prints with --json.
type renamedJSON struct {
	Prefix  string   `json:"issue_prefix"`
	Aliases []string `json:"prefix_aliases"`
}

func newRenamePrefix(a *app) *cobra.Command {
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "rename-prefix PREFIX",
		Short: "Let new ids begin with another prefix",
		Long: `Let the ids of new issues begin with another prefix, here and in every clone. Ids that
exist never change: other clones, commits and chats name them. The old prefix stays
known, so that what follows it may still be typed alone.`,
		Example: "  bd rename-prefix lh --dry-run\n  bd rename-prefix lh",
		Args:    arguments(1, 1, "one PREFIX"),
		RunE: func(cmd *cobra.Command, args []string) error {
			prefix := strings.TrimSuffix(args[0], "-") // upstream wants it with the dash
			if err := issue.ValidatePrefix(prefix); err != nil {
				return invalid(err)
			}
			return a.renamePrefix(cmd, prefix, dryRun)
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would change and write nothing")
	return cmd
}

func (a *app) renamePrefix(cmd *cobra.Command, prefix string, dryRun bool) error {
	var before string
	var after renamedJSON
	decide := func(q *projection.Query) error {
		settings, err := q.Settings()
		if err != nil {
			return err
		}
		before = settings.Prefix()
		after = renamedJSON{prefix, settings.Aliases()}
		if before != prefix {
			after.Aliases = append(slices.DeleteFunc(after.Aliases, func(s string) bool { return s == prefix }), before)
			slices.Sort(after.Aliases)
			after.Aliases = slices.Compact(after.Aliases)
		}
		return nil
	}
	var err error
	if dryRun {
		err = a.view(cmd, decide)
	} else {
		_, err = a.commit(cmd, func(tx *workspace.Tx) ([]workspace.Draft, error) {
			if err := decide(tx.Query); err != nil || before == prefix {
				return nil, err
			}
			aliases, err := json.Marshal(after.Aliases)
			if err != nil {
				return nil, err
			}
			return []workspace.Draft{draft(&op.Operation{Do: op.DoConfig, Set: map[string]json.RawMessage{
				op.SettingPrefix: op.Str(prefix), op.SettingAliases: aliases,
			}})}, nil
		})
	}
	switch {
	case err != nil:
		return err
	case a.json:
		after.Aliases = list(after.Aliases)
		return a.printJSON(after)
	case before == prefix:
		a.say("New ids begin with %s- already.", prefix)
	case dryRun:
		a.printf("New ids would begin with %s- instead of %s-; existing ids would stay.\n", prefix, before)
	default:
		a.say("New ids begin with %s- instead of %s-; existing ids stay.", prefix, before)
	}
	return nil
}
