package cli

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"beads/internal/beadsjson"
	"beads/internal/interrupt"
	"beads/internal/issue"
	"beads/internal/projection"
	"beads/internal/workspace"
)

func newExport(a *app) *cobra.Command {
	var output string
	var statuses, types, labels, ids []string
	var format string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write issues in the snapshot format of upstream beads",
		Long: `Write every issue by id, one JSON object a line; a deleted one as a tombstone, so that
who imports the file deletes it too. With --status, --type, --label or --id only what
they select is written, and no tombstone unless --status asks for it. The same issues
always give the same bytes. With -o the file is replaced as a whole or not at all;
the workspace's own files are refused.`,
		Example: `  bd export -o backup.jsonl
  bd export -s open | jq -r .title`,
		Args: arguments(0, 0, "no arguments, only flags"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if format != "jsonl" {
				return usagef("unknown format %q; there is jsonl", format)
			}
			e := exporter{a: a, cmd: cmd, statuses: splitList(statuses), types: splitList(types), labels: splitList(labels), inputs: splitList(ids)}
			if output == "" || output == "-" {
				if a.StdoutTerminal {
					return e.write(a.dataOutput())
				}
				return e.write(a.out) // the bytes that -o writes
			}
			place, err := a.place()
			if err != nil {
				return err
			}
			interrupt.Catch(cmd.Context()) // what is begun beside the file goes
			err = beadsjson.WriteFile(a.path(output), ownFiles(place), e.write)
			if errors.Is(err, beadsjson.ErrProtected) {
				return failf("refused", "exporting to %w", err).withHint("choose another file; the log already holds everything")
			}
			if err != nil {
				return fmt.Errorf("exporting: %w", err)
			}
			if a.json {
				return a.printJSON(struct {
					Exported   int    `json:"exported"`
					Tombstones int    `json:"tombstones"`
					Output     string `json:"output"`
				}{e.count, e.tombstones, a.path(output)})
			}
			deleted := ""
			if e.tombstones > 0 {
				deleted = " and " + plural(e.tombstones, "deleted one", "deleted ones")
			}
			a.say("Exported %s%s to %s.", plural(e.count, "issue", "issues"), deleted, visible(output))
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&output, "output", "o", "", "write `FILE`; - is standard output, the default")
	listFlag(cmd, &statuses, "status", "s", "only with this status (several with commas)")
	listFlag(cmd, &types, "type", "t", "only of this type (several with commas)")
	listFlag(cmd, &labels, "label", "l", "only with all of these labels")
	listFlag(cmd, &ids, "id", "", "only these ids")
	flags.StringVarP(&format, "format", "f", "jsonl", "jsonl")
	hide(cmd, "format")
	accepted(cmd, "force")
	return cmd
}

// ownFiles are the files that an export must not replace.
func ownFiles(p workspace.Place) []string {
	files := []string{p.DB, p.DB + "-wal", p.DB + "-shm", p.LogPath(), p.LockPath(), p.DaemonLock()}
	for _, dir := range []string{p.Dir, p.Guard} {
		if dir == "" {
			continue
		}
		for _, name := range []string{"issues.jsonl", "interactions.jsonl", "routes.jsonl", "config.yaml", "daemon.yaml", ".gitignore"} {
			files = append(files, filepath.Join(dir, name))
		}
	}
	return files
}

type exporter struct {
	a                       *app
	cmd                     *cobra.Command
	statuses, types, labels []string
	inputs                  []string // ids as typed
	count, tombstones       int      // written: issues, and deleted ones
}

// tombstoneStatus is what upstream says for the status of a deleted issue.
const tombstoneStatus = "tombstone"

func (e *exporter) write(to io.Writer) error {
	return e.a.view(e.cmd, func(q *projection.Query) error {
		defer e.a.endProgress()
		return e.snapshot(q, to, e.a.progress())
	})
}

// checkNames refuses a slip, which would select nothing and pass for a backup.
func (e *exporter) checkNames(q *projection.Query) error {
	for _, status := range e.statuses {
		if status == tombstoneStatus {
			continue
		}
		if err := checkStatus(q, status); err != nil {
			return err
		}
	}
	for _, kind := range e.types {
		if err := checkType(q, kind); err != nil {
			return err
		}
	}
	return nil
}

// snapshot writes what is wanted of the issues that q sees. report, if there is
// one, is told how far it is.
func (e *exporter) snapshot(q *projection.Query, to io.Writer, report func(string, int64, int64)) error {
	ids, err := e.a.resolveAll(q, e.inputs, false)
	if err != nil {
		return err
	}
	if err := e.checkNames(q); err != nil {
		return err
	}
	e.count, e.tombstones = 0, 0
	total, err := q.Count(issue.Filter{})
	if err != nil {
		return err
	}
	w := beadsjson.NewWriter(to)
	seen := 0
	err = q.EachExisting(func(i issue.Issue, deleted bool) error {
		if deleted {
			return e.deleted(q, w, i, ids)
		}
		if seen++; report != nil && seen%100 == 0 {
			report("exporting", int64(seen), int64(total))
		}
		if !e.wants(i, ids) {
			return nil
		}
		e.count++
		return w.Write(i)
	})
	return errors.Join(err, w.Flush())
}

// deleted writes a deleted issue, if such ones are wanted: in a whole snapshot,
// or by their status.
func (e *exporter) deleted(q *projection.Query, w *beadsjson.Writer, i issue.Issue, ids []string) error {
	whole := len(e.statuses)+len(e.types)+len(e.labels)+len(ids) == 0
	if i.Status = tombstoneStatus; !whole && (len(e.statuses) == 0 || !e.wants(i, ids)) {
		return nil
	}
	deletion, ok, err := q.Deletion(i.ID)
	if err != nil || !ok {
		return err
	}
	e.tombstones++
	return w.WriteTombstone(i, deletion)
}

func (e *exporter) wants(i issue.Issue, ids []string) bool {
	for _, label := range e.labels {
		if !slices.Contains(i.Labels, label) {
			return false
		}
	}
	return (len(e.statuses) == 0 || slices.Contains(e.statuses, i.Status)) &&
		(len(e.types) == 0 || slices.Contains(e.types, i.Type)) &&
		(len(ids) == 0 || slices.Contains(ids, i.ID))
}
