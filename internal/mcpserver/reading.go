package mcpserver

import (
	"context"
	"strconv"
)

const (
	mostListed  = 100
	fewListed   = 10 // by ready
	usualListed = 20
)

func defaultLimit(tool string) int {
	if tool == "ready" {
		return fewListed
	}
	return usualListed
}

// where is an argument of every tool.
type where struct {
	Root string `json:"workspace_root,omitempty"`
}

// summary is an issue in a list.
type summary struct {
	ID             string   `json:"id"`
	Title          string   `json:"title"`
	Status         string   `json:"status"`
	Priority       int      `json:"priority"`
	Type           string   `json:"issue_type"`
	Assignee       string   `json:"assignee,omitempty"`
	Labels         []string `json:"labels,omitempty"`
	DeferUntil     string   `json:"defer_until,omitempty"`
	DueAt          string   `json:"due_at,omitempty"`
	BlockedBy      []string `json:"blocked_by,omitempty"`
	Dependencies   int      `json:"dependency_count,omitempty"`
	Dependents     int      `json:"dependent_count,omitempty"`
	Comments       int      `json:"comment_count,omitempty"`
	DependencyType string   `json:"dependency_type,omitempty"`
}

// listed is the result of tools that list.
type listed struct {
	Issues []summary `json:"issues"`
	More   bool      `json:"more" jsonschema:"there are more: narrow the filters, or raise limit (100 at most)"`
}

type readyArguments struct {
	Limit      int      `json:"limit,omitempty"`
	Priority   *int     `json:"priority,omitempty"`
	Type       string   `json:"issue_type,omitempty"`
	Assignee   string   `json:"assignee,omitempty" jsonschema:"only of this assignee"`
	Unassigned bool     `json:"unassigned,omitempty" jsonschema:"only what nobody has"`
	Labels     []string `json:"labels,omitempty" jsonschema:"with all of these labels"`
	LabelsAny  []string `json:"labels_any,omitempty" jsonschema:"with any of these labels"`
	Parent     string   `json:"parent,omitempty" jsonschema:"only children of this issue"`
	where
}

func (in readyArguments) filters(words ...string) line {
	return command(words...).number("priority", in.Priority).with("type", in.Type).with("assignee", in.Assignee).
		on("unassigned", in.Unassigned).each("label", in.Labels).each("label-any", in.LabelsAny).with("parent", in.Parent)
}

func (s *server) ready(ctx context.Context, in readyArguments) (listed, error) {
	return s.list(ctx, in.Root, in.filters("ready"), in.Limit)
}

func (s *server) blocked(ctx context.Context, in struct {
	Limit  int    `json:"limit,omitempty"`
	Parent string `json:"parent,omitempty" jsonschema:"only children of this issue"`
	where
}) (listed, error) {
	return s.list(ctx, in.Root, command("blocked").with("parent", in.Parent), in.Limit)
}

type listArguments struct {
	readyArguments
	Status string `json:"status,omitempty" jsonschema:"only this status; without it all that are not closed"`
	Mine   bool   `json:"mine,omitempty" jsonschema:"only what is assigned to you"`
	Query  string `json:"query,omitempty" jsonschema:"only with this text in the title"`
}

func (s *server) listIssues(ctx context.Context, in listArguments) (listed, error) {
	if in.Mine {
		me, err := read[struct{ Actor string }](ctx, s, in.Root, command("prime"))
		if err != nil {
			return listed{}, err
		}
		in.Assignee = me.Actor
	}
	return s.list(ctx, in.Root, in.filters("list").with("status", in.Status).with("title-contains", in.Query), in.Limit)
}

func (s *server) search(ctx context.Context, in struct {
	Query string `json:"query" jsonschema:"text in the id, title, description, design, acceptance criteria or notes, whatever its case"`
	listFilters
	where
}) (listed, error) {
	args := command("search").with("status", in.Status).number("priority", in.Priority).with("type", in.Type).
		each("label", in.Labels).with("query", in.Query)
	return s.list(ctx, in.Root, args, in.Limit)
}

// listFilters narrow a search.
type listFilters struct {
	Status   string   `json:"status,omitempty" jsonschema:"only this status; without it closed ones too"`
	Priority *int     `json:"priority,omitempty"`
	Type     string   `json:"issue_type,omitempty"`
	Labels   []string `json:"labels,omitempty" jsonschema:"with all of these labels"`
	Limit    int      `json:"limit,omitempty"`
}

// list asks for one issue more than wanted, which tells whether there are more.
func (s *server) list(ctx context.Context, root string, args line, limit int) (listed, error) {
	issues, err := read[[]summary](ctx, s, root, args.with("limit", strconv.Itoa(limit+1)))
	if err != nil {
		return listed{}, err
	}
	return listed{Issues: issues[:min(len(issues), limit)], More: len(issues) > limit}, nil
}

// counted is the result of stats.
type counted struct {
	Summary map[string]float64 `json:"summary"`
}

func (s *server) stats(ctx context.Context, in where) (counted, error) {
	return read[counted](ctx, s, in.Root, command("stats"))
}
