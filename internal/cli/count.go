package cli

import (
	"strconv"

	"github.com/spf13/cobra"

	"beads/internal/projection"
)

func newCount(a *app) *cobra.Command {
	var filters filterFlags
	by := []struct {
		key, usage string
		on         bool
	}{
		{key: "status", usage: "a count for each status"},
		{key: "priority", usage: "a count for each priority"},
		{key: "type", usage: "a count for each type"},
		{key: "assignee", usage: "a count for each assignee"},
		{key: "label", usage: "a count for each label; an issue counts for each of its labels"},
		{key: "parent", usage: "a count for each parent"},
	}
	cmd := &cobra.Command{
		Use:   "count",
		Short: "Count issues",
		Long:  "Count issues, closed ones too unless a filter says otherwise.",
		Example: `  bd count
  bd count -s open -t bug
  bd count --by-status`,
		Args: arguments(0, 0, "no arguments, only flags"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			key := ""
			for _, b := range by {
				if !b.on {
					continue
				}
				if key != "" {
					return usagef("--by-%s and --by-%s exclude each other", key, b.key)
				}
				key = b.key
			}
			return a.view(cmd, func(q *projection.Query) error { return a.count(q, &filters, key) })
		},
	}
	filters.define(cmd)
	filters.defineMore(cmd)
	for n := range by {
		cmd.Flags().BoolVar(&by[n].on, "by-"+by[n].key, false, by[n].usage)
	}
	return cmd
}

// groupJSON is one line of a grouped count.
type groupJSON struct {
	Group string `json:"group"`
	Count int    `json:"count"`
}

func (a *app) count(q *projection.Query, filters *filterFlags, key string) error {
	filter, err := filters.filter(a, q)
	if err != nil {
		return err
	}
	total, err := q.Count(filter)
	if err != nil {
		return err
	}
	if key == "" {
		if a.json {
			return a.printJSON(struct {
				Count int `json:"count"`
			}{total})
		}
		a.printf("%d\n", total)
		return nil
	}
	groups, err := q.CountBy(filter, key)
	if err != nil {
		return err
	}
	if a.json {
		out := make([]groupJSON, 0, len(groups))
		for _, g := range groups {
			out = append(out, groupJSON(g))
		}
		return a.printJSON(struct {
			Total  int         `json:"total"`
			Groups []groupJSON `json:"groups"`
		}{total, out})
	}
	t := table{columns: []column{{"COUNT", firm}, {"GROUP", cuttable}}}
	for _, g := range groups {
		name := visible(g.Group)
		switch key {
		case "priority":
			name = "P" + name
		case "parent":
			name = visible(a.shortID(q, g.Group))
		}
		t.rows = append(t.rows, []cell{{strconv.Itoa(g.Count), plain}, {name, plain}})
	}
	a.printTable(t)
	a.say("%s", plural(total, "issue", "issues"))
	return nil
}
