package daemon

import "context"

const (
	problemsShown = 20     // in the log for each cycle
	problemsKept  = 10_000 // so many are told apart
)

// problems are the operations that could not be applied as they are, as far as
// the log has told of them.
type problems struct {
	told  map[string]bool
	begun bool
}

// tellProblems writes into the log which operations, new since the last time,
// could not be applied or not wholly. Those that are there when a daemon starts
// were told by the one before; bd doctor shows them all.
func (d *Daemon) tellProblems(ctx context.Context) {
	p := &d.problems
	found, err := d.ws.Problems(ctx)
	if err != nil {
		return // the next health check meets it too
	}
	if p.told == nil || len(p.told) > problemsKept {
		p.told, p.begun = map[string]bool{}, false
	}
	shown := 0
	for _, problem := range found {
		key := problem.Op.String() + " " + problem.Issue + " " + problem.Kind + " " + problem.Detail
		if p.told[key] {
			continue
		}
		p.told[key] = true
		if !p.begun {
			continue
		}
		if shown++; shown <= problemsShown {
			d.log.Error("Failed to apply operation "+problem.Op.String()+": "+problem.Detail,
				"operation", "apply", "issue", problem.Issue, "kind", problem.Kind)
		}
	}
	if more := shown - problemsShown; more > 0 {
		d.log.Error("More operations failed to apply; see: bd doctor", "operation", "apply", "more", more)
	}
	p.begun = true
}
