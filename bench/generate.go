package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"beads/internal/op"
)

// start is when the made-up tracker begins: long enough ago that its clock is
// behind every real one.
func start() time.Time { return time.Date(2024, 1, 1, 8, 0, 0, 0, time.UTC) }

// A generator writes the log of a made-up tracker. The same seed gives the same
// bytes.
type generator struct {
	random *rand.Rand
	bytes  *rand.ChaCha8
	now    time.Time
	last   op.ID
	ids    []string // of all issues
	open   []string // of those that are not closed
}

func newGenerator(seed byte) *generator {
	key := [32]byte{seed}
	return &generator{
		random: rand.New(rand.NewChaCha8(key)),
		bytes:  rand.NewChaCha8([32]byte{seed, 1}),
		now:    start(),
	}
}

// write writes the operations of n issues: each is created, about half are
// edited, a third closed, some have labels, comments and dependencies on
// earlier issues.
func (g *generator) write(w io.Writer, n int) error {
	out := bufio.NewWriter(w)
	for range n {
		ops, err := g.issue()
		if err != nil {
			return err
		}
		for _, o := range ops {
			line, err := g.line(o)
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintf(out, "%s\n", line); err != nil {
				return err
			}
		}
	}
	return out.Flush()
}

// line dates an operation, encodes it and moves the clock on.
func (g *generator) line(o *op.Operation) ([]byte, error) {
	g.now = g.now.Add(time.Duration(1+g.random.IntN(2000)) * time.Millisecond)
	clock := op.Clock{Now: func() time.Time { return g.now }, Rand: g.bytes}
	id, err := clock.Next(g.last)
	if err != nil {
		return nil, err
	}
	g.last = id
	o.ID, o.V, o.At = id, op.Version, g.now
	o.By = pick(g, "ada", "grace", "edsger", "barbara", "donald")
	return op.Encode(o)
}

// issue makes the operations of one issue, in order and not yet dated.
func (g *generator) issue() ([]*op.Operation, error) {
	id, err := op.NewIssueID("bd", g.bytes)
	if err != nil {
		return nil, err
	}
	create := &op.Operation{Do: op.DoCreate, Issue: id, Set: map[string]json.RawMessage{
		"title":       op.Str(g.title()),
		"description": op.Str(g.text(20 + g.random.IntN(60))),
		"issue_type":  op.Str(pick(g, "task", "task", "task", "bug", "bug", "feature", "chore", "epic")),
		"priority":    op.Int(g.random.IntN(5)),
	}}
	add := &op.Elements{}
	if g.random.IntN(3) == 0 {
		add.Labels = []string{pick(g, "backend", "cli", "docs", "frontend", "search", "storage")}
	}
	if len(g.ids) > 0 && g.random.IntN(3) == 0 {
		// To an earlier issue only, so that there are no cycles.
		to := g.ids[g.random.IntN(len(g.ids))]
		add.Deps = []op.Dep{{To: to, Type: pick(g, "blocks", "blocks", "parent-child", "related", "discovered-from")}}
	}
	if len(add.Labels)+len(add.Deps) > 0 {
		create.Add = add
	}
	g.ids = append(g.ids, id)
	ops := []*op.Operation{create}
	if g.random.IntN(2) == 0 {
		ops = append(ops, &op.Operation{Do: op.DoUpdate, Issue: id, Set: map[string]json.RawMessage{
			"assignee": op.Str(pick(g, "ada", "grace", "edsger")),
			"notes":    op.Str(g.text(15)),
		}})
	}
	if g.random.IntN(5) == 0 {
		ops = append(ops, &op.Operation{Do: op.DoComment, Issue: id, Comment: &op.CommentText{Text: g.text(25)}})
	}
	if g.random.IntN(3) == 0 {
		ops = append(ops, &op.Operation{Do: op.DoClose, Issue: id, Set: map[string]json.RawMessage{
			"status":       op.Str("closed"),
			"close_reason": op.Str(g.text(6)),
		}})
	} else {
		g.open = append(g.open, id)
	}
	return ops, nil
}

func (g *generator) title() string {
	return pick(g, "Add", "Fix", "Remove", "Speed up", "Document", "Test", "Rename", "Split") + " " +
		pick(g, "the", "a missing", "the broken", "the slow", "an old") + " " +
		pick(g, "parser", "login page", "cache", "report", "index", "scheduler", "export", "upload", "theme", "queue")
}

// text is n words.
func (g *generator) text(n int) string {
	words := make([]byte, 0, n*7)
	for i := range n {
		if i > 0 {
			words = append(words, ' ')
		}
		words = append(words, pick(g,
			"when", "users", "open", "the", "page", "twice", "it", "shows", "old", "data", "because", "nobody",
			"clears", "cache", "after", "reload", "we", "should", "check", "order", "of", "events", "before",
			"writing", "and", "report", "what", "went", "wrong", "instead")...)
	}
	return string(words)
}

func pick(g *generator, choices ...string) string { return choices[g.random.IntN(len(choices))] }
