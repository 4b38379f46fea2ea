package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/replica"
	"beads/internal/workspace"
)

// initJSON is what bd init --json prints.
type initJSON struct {
	whereJSON
	Prefix  string `json:"issue_prefix"`
	Existed bool   `json:"existed"`
	Tracked bool   `json:"tracked"`

	Import      *importResult   `json:"import,omitempty"`
	Replication *replica.Report `json:"replication,omitempty"`
}

func newInit(a *app) *cobra.Command {
	var prefix, from string
	var start, publish bool
	cmd := &cobra.Command{
		Use:   "init [--publish [REMOTE]]",
		Short: "Make a workspace here",
		Long: `Make a workspace: one for the whole repository, worktrees included, or for this
directory where there is no Git. Nothing of it shows in git status, and a workspace that
is there already stays as it is. Where the Git remote has the issues of other clones, the
workspace starts from them.`,
		Example: `  bd init
  bd init --publish origin
  bd init -p app --from-jsonl old/.beads/issues.jsonl`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && !publish {
				return usagef("bd init takes no arguments; a remote is named only with --publish").withHint("bd init --help")
			}
			return arguments(0, 1, "at most one REMOTE, with --publish")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.init(cmd, prefix, from, replica.SyncOptions{
				Publish: publish, Join: !publish, Remote: strings.Join(args, ""),
			}); err != nil || !start {
				return err
			}
			return a.initDaemon(cmd.Context())
		},
	}
	cmd.Flags().StringVarP(&prefix, "prefix", "p", "", "what the ids of new issues begin with (default bd)")
	cmd.Flags().StringVar(&from, "from-jsonl", "", "then import a snapshot or operations from `FILE`")
	cmd.Flags().BoolVar(&start, "start-daemon", false, "then start the daemon")
	cmd.Flags().BoolVar(&publish, "publish", false, "share the operations with REMOTE from now on")
	accepted(cmd, "skip-hooks", "skip-merge-driver", "skip-agents", "stealth", "setup-exclude", "non-interactive")
	return cmd
}

func (a *app) init(cmd *cobra.Command, prefix, from string, sharing replica.SyncOptions) error {
	asked := strings.TrimRight(prefix, "-")
	if given(cmd, "prefix") {
		if err := issue.ValidatePrefix(asked); err != nil {
			return invalid(err)
		}
	}
	place, err := a.place()
	if err != nil {
		return err
	}
	if err := a.checkInput(from); err != nil { // before anything is made
		return err
	}
	if asked == "" {
		asked = a.defaultPrefix(place, from)
	}
	if err := a.checkActor(place); err != nil {
		return err
	}
	// What is imported or published needs a prefix, and one that was asked for must not
	// be lost. Who else may join others first sees what they chose, and so adds nothing to
	// their history.
	atOnce := ""
	if from != "" || sharing.Publish || given(cmd, "prefix") {
		atOnce = asked
	}
	w, existed, err := workspace.Init(cmd.Context(), place, atOnce, a.options(place))
	if err != nil {
		return err
	}
	a.ws = w
	result := initJSON{whereJSON: whereOf(w.Place()), Existed: existed, Tracked: place.Tracked}
	if from != "" {
		imported, err := a.importFile(cmd, from, importOptions{})
		if err != nil {
			return err
		}
		result.Import = &imported
	}
	if result.Replication, err = a.join(cmd, w, sharing); err != nil {
		return err
	}
	if err := w.ChoosePrefix(context.WithoutCancel(cmd.Context()), asked); err != nil {
		return err
	}
	issues := 0
	err = a.view(cmd, func(q *projection.Query) error {
		settings, err := q.Settings()
		if err != nil {
			return err
		}
		result.Prefix = settings.Prefix()
		issues, err = q.Count(issue.Filter{})
		return err
	})
	if err != nil {
		return err
	}
	if given(cmd, "prefix") && asked != result.Prefix {
		a.notice("the prefix stays " + result.Prefix + "; bd rename-prefix chooses another for new ids")
	}
	if a.json {
		if err := a.printJSON(result); err != nil {
			return err
		}
	} else {
		a.tellInit(place, result, issues)
		if from != "" {
			return a.tellImport(inputName(from), *result.Import)
		}
	}
	if result.Import != nil && result.Import.Bad > 0 {
		return exitWith(exitFail)
	}
	return nil
}

// checkInput fails if a file to import cannot be read. Of what can be read only once
// that is seen when it is.
func (a *app) checkInput(name string) error {
	if name == "" || name == "-" || readOnce(a.path(name)) {
		return nil
	}
	in, _, err := a.openInput(name)
	if err != nil {
		return err
	}
	return in.Close()
}

// join starts from the operations that the remote has, or shares ours if that
// was asked for. A remote that cannot be asked does not keep a workspace from
// being made.
func (a *app) join(cmd *cobra.Command, w *workspace.Workspace, want replica.SyncOptions) (*replica.Report, error) {
	runner := replica.NewRunner(w.Place(), a.Environ, a.Home)
	if !want.Publish && (runner == nil || len(runner.Remotes()) == 0) {
		return nil, nil
	}
	report, err := a.exchange(cmd, w, want)
	if err != nil && !want.Publish {
		a.notice("the remote could not be asked for issues; bd sync tries again: " + err.Error())
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &report, nil
}

// tellInit explains, the first time, what was made and why it is where it is.
func (a *app) tellInit(place workspace.Place, result initJSON, issues int) {
	if result.Existed {
		a.say("The workspace is there already: %s (prefix %s, %s)", visible(result.Path), visible(result.Prefix), plural(issues, "issue", "issues"))
		return
	}
	a.say("Made a workspace in %s (prefix %s)", visible(result.Path), visible(result.Prefix))
	switch {
	case place.Tracked:
		a.say("Git tracks .beads in this repository, so bd keeps its files in Git's own directory and never writes the tracked ones.")
		if place.Source != "" {
			a.say("%s came from %s; what changes there, by git pull for example, is taken over.", plural(issues, "issue", "issues"), visible(place.Source))
		}
		a.say("To keep the issues in .beads instead: git rm -r --cached .beads, and commit that.")
	case place.CommonDir == "":
		a.say("There is no Git repository here, so there is no second copy of the log: keep .beads in your backup.")
	}
	if r := result.Replication; r != nil && r.Remote != "" && r.Fetched > 0 {
		a.say("%s came from %s (%s).", plural(r.Fetched, "operation", "operations"), visible(r.Remote), visible(r.URL))
	} else if r != nil && r.Remote != "" {
		a.say("Shared with %s (%s).", visible(r.Remote), visible(r.URL))
	}
	if issues == 0 {
		a.say("Next: bd create \"My first issue\"")
	}
}

// defaultPrefix is that of config.yaml, else the one that the snapshot to import
// uses, else the same everywhere, so that clones that initialise on their own agree.
func (a *app) defaultPrefix(place workspace.Place, from string) string {
	if key, err := findKey(op.SettingPrefix); err == nil {
		if files, err := a.layers(place); err == nil {
			if found := a.local(files, key); found.Source != sourceDefault {
				if prefix := strings.TrimRight(found.Value, "-"); issue.ValidatePrefix(prefix) == nil {
					return prefix
				}
			}
		}
	}
	for _, snapshot := range []string{from, place.Source} {
		if snapshot == "" || snapshot == "-" {
			continue
		}
		if prefix := snapshotPrefix(a.path(snapshot)); prefix != "" {
			return prefix
		}
	}
	return op.DefaultPrefix
}

// readOnce reports whether path names a pipe or the like: who opens it takes from it.
func readOnce(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir() && !info.Mode().IsRegular()
}

// snapshotPrefix is what the first id in a snapshot begins with, "" if that
// cannot be told. What can be read only once is left to who imports it.
func snapshotPrefix(path string) string {
	if readOnce(path) {
		return ""
	}
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	line, err := bufio.NewReaderSize(io.LimitReader(file, op.MaxLine), 64<<10).ReadBytes('\n')
	if err != nil && err != io.EOF {
		return ""
	}
	var record struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(line, &record) != nil {
		return ""
	}
	dash := strings.LastIndexByte(record.ID, '-')
	if dash <= 0 || issue.ValidatePrefix(record.ID[:dash]) != nil {
		return ""
	}
	return record.ID[:dash]
}
