package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"beads/internal/beadsjson"
	"beads/internal/issue"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/workspace"
)

// importChunk is how many records go into one commit: enough to make the two
// fsyncs cheap, few enough that other writers need not wait long.
const importChunk = 1000

// shownBadLines bounds what is printed of bad lines; JSON has them all up to
// keptBadLines.
const (
	shownBadLines = 10
	keptBadLines  = 1000
)

// importOptions are choices of an import.
type importOptions struct {
	dryRun       bool // write nothing
	skipExisting bool // leave out records of issues that are here already
}

// importResult says what an import did, or would do.
type importResult struct {
	Created    int                 `json:"created"`    // issues that were not there before
	Updated    int                 `json:"updated"`    // issues that were, and changed
	Records    int                 `json:"records"`    // records read
	Operations int                 `json:"operations"` // lines written
	Skipped    int                 `json:"skipped"`    // records that were held already, or left out
	Bad        int                 `json:"bad"`        // lines that could not be read
	Errors     []beadsjson.BadLine `json:"errors,omitempty"`
	DryRun     bool                `json:"dry_run,omitempty"`
}

// importFile imports snapshot records and operations from a file, or standard
// input if name is "-". Bad lines are left out and counted; everything else is
// committed chunk by chunk, so that an interrupted import has the chunks before
// and can be run again.
func (a *app) importFile(cmd *cobra.Command, name string, o importOptions) (importResult, error) {
	in, size, err := a.openInput(name)
	if err != nil {
		return importResult{}, err
	}
	defer in.Close()
	im := importer{a: a, cmd: cmd, options: o, reader: beadsjson.NewReader(in), size: size, planned: map[plannedRecord]bool{}}
	im.result.DryRun = o.dryRun
	for {
		err := im.step(cmd.Context())
		switch {
		case errors.Is(err, io.EOF):
			return im.result, nil
		case err != nil:
			return im.result, err
		}
	}
}

// openInput opens a file for import. size is 0 if it is not known.
func (a *app) openInput(name string) (in io.ReadCloser, size int64, err error) {
	if name == "-" {
		return io.NopCloser(a.input), 0, nil
	}
	if in, size, err = a.openFile(name); err != nil {
		return nil, 0, fmt.Errorf("importing: %w", err)
	}
	return in, size, nil
}

type importer struct {
	a       *app
	cmd     *cobra.Command
	options importOptions
	reader  *beadsjson.Reader
	size    int64
	result  importResult
	planned map[plannedRecord]bool // of a dry run, which leaves nothing in the database to compare with
}

// plannedRecord tells records of an issue apart: the lower half of the
// operation's id is a digest of the record.
type plannedRecord struct {
	issue string
	low   [8]byte
}

// step imports one chunk.
func (im *importer) step(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	chunk, err := im.reader.Next(importChunk)
	if err != nil {
		return err
	}
	im.keepBad(chunk.Bad)
	im.result.Records += len(chunk.Records)
	var ids []string
	var before, written, planned int
	made, err := im.a.commit(im.cmd, func(tx *workspace.Tx) ([]workspace.Draft, error) {
		drafts, err := im.drafts(tx, chunk.Records)
		if err != nil {
			return nil, err
		}
		planned, ids = len(drafts), issueIDs(drafts)
		if before, err = countOf(tx.Query, ids); err != nil || im.options.dryRun {
			return nil, err
		}
		return drafts, nil
	})
	if err != nil {
		return err
	}
	if written = len(made); im.options.dryRun {
		written = planned
	}
	im.result.Operations += written
	im.result.Skipped += len(chunk.Records) - written
	im.result.Updated += before
	if err := im.countCreated(ids, before); err != nil {
		return err
	}
	if report := im.a.progress(); report != nil {
		report("importing", chunk.Bytes, im.size)
	}
	return nil
}

// drafts are what has to be written for the records.
func (im *importer) drafts(tx *workspace.Tx, records []op.Record) ([]workspace.Draft, error) {
	drafts, err := tx.Drafts(records)
	if err != nil {
		return nil, err
	}
	kept := drafts[:0]
	for _, d := range drafts {
		if im.options.skipExisting {
			state, err := tx.State(d.Op.Issue)
			if err != nil {
				return nil, err
			}
			if state.Exists {
				continue
			}
		}
		if im.options.dryRun {
			key := plannedRecord{d.Op.Issue, [8]byte(d.Op.ID[8:])}
			if im.planned[key] {
				continue
			}
			im.planned[key] = true
		}
		kept = append(kept, d)
	}
	return kept, nil
}

// countCreated counts the issues of a chunk that came to be. A record may also
// delete one (a tombstone), so the drafts alone do not tell.
func (im *importer) countCreated(ids []string, before int) error {
	if im.options.dryRun {
		im.result.Created += len(ids) - before
		return nil
	}
	if len(ids) == 0 {
		return nil
	}
	return im.a.view(im.cmd, func(q *projection.Query) error {
		after, err := countOf(q, ids)
		im.result.Created += max(0, after-before)
		return err
	})
}

func (im *importer) keepBad(bad []beadsjson.BadLine) {
	im.result.Bad += len(bad)
	if room := keptBadLines - len(im.result.Errors); room > 0 {
		im.result.Errors = append(im.result.Errors, bad[:min(room, len(bad))]...)
	}
}

// countOf is how many of the issues are there and not deleted.
func countOf(q *projection.Query, ids []string) (int, error) {
	if len(ids) == 0 {
		return 0, nil // an empty filter would select every issue
	}
	return q.Count(issue.Filter{IDs: ids})
}

// issueIDs are the issues that drafts are about, each once.
func issueIDs(drafts []workspace.Draft) []string {
	var ids []string
	seen := make(map[string]bool, len(drafts))
	for _, d := range drafts {
		if id := d.Op.Issue; id != "" && !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}

// tellImport prints what an import did; it fails if there were bad lines.
func (a *app) tellImport(name string, r importResult) error {
	a.endProgress()
	if a.json {
		encoded, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if err := a.printJSON(json.RawMessage(encoded)); err != nil {
			return err
		}
	} else if r.DryRun || !a.quiet {
		verb, would := "Imported", ""
		if r.DryRun {
			verb, would = "Would import", "would be "
		}
		a.printf("%s %s: %s, %d %screated, %d %schanged, %d already here.\n", verb, visible(name),
			plural(r.Records, "record", "records"), r.Created, would, r.Updated, would, r.Skipped)
	}
	if r.Bad == 0 {
		return nil
	}
	if err := a.out.Flush(); err != nil {
		return err
	}
	for n, bad := range r.Errors {
		if n == shownBadLines {
			a.notice(fmt.Sprintf("and %d more", r.Bad-n))
			break
		}
		if !a.json {
			a.notice(fmt.Sprintf("%s:%d: %s", name, bad.Line, bad.Reason))
		}
	}
	f := failf("bad_lines", "%s could not be read; everything else is in", plural(r.Bad, "line", "lines"))
	switch {
	case r.Records == 0:
		f = failf("bad_lines", "%s could not be read, and no other is there", plural(r.Bad, "line", "lines")).
			withHint("one JSON object a line is expected, as bd export writes them; jq -c '.[]' makes that of a list")
	case r.DryRun:
		f = failf("bad_lines", "%s could not be read; everything else would go in", plural(r.Bad, "line", "lines"))
	}
	return f
}
