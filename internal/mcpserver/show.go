package mcpserver

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	jsonx "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// What of an issue is shown unless it is asked for whole.
const (
	linksShown    = 30
	commentsShown = 20
)

type showArguments struct {
	ID    string `json:"issue_id"`
	Whole bool   `json:"whole,omitempty" jsonschema:"also what is cut otherwise: long texts, old comments, many links"`
	where
}

// shown is the result of show.
type shown struct {
	Issue   json.RawMessage `json:"issue"`
	LeftOut string          `json:"left_out,omitempty" jsonschema:"what was cut"`
}

// details are the members of an issue that are shortened; all others pass.
type details struct {
	Others       jsontext.Value   `json:",embed"`
	Dependencies []summary        `json:"dependencies"`
	Dependents   []summary        `json:"dependents"`
	Comments     []jsontext.Value `json:"comments"`
}

func (s *server) show(ctx context.Context, in showArguments) (shown, error) {
	limit := textLimit
	if in.Whole {
		limit = 0
	}
	text, err := s.run(ctx, in.Root, command("show").operands(in.ID), limit)
	if err != nil {
		return shown{}, err
	}
	var found []details
	if err := jsonx.Unmarshal(text, &found); err != nil {
		return shown{}, fmt.Errorf("read the answer of bd show: %w", err)
	}
	if len(found) != 1 {
		return shown{}, fmt.Errorf("bd show answered with %d issues instead of one", len(found))
	}
	d, result := &found[0], shown{}
	if !in.Whole {
		result.LeftOut = d.shorten()
	}
	result.Issue, err = jsonx.Marshal(d)
	return result, err
}

// shorten cuts long lists and says so; of comments the latest stay.
func (d *details) shorten() string {
	on, by, said := len(d.Dependencies), len(d.Dependents), len(d.Comments)
	d.Dependencies = d.Dependencies[:min(on, linksShown)]
	d.Dependents = d.Dependents[:min(by, linksShown)]
	d.Comments = slices.Clone(d.Comments[max(0, said-commentsShown):])
	on, by, said = on-len(d.Dependencies), by-len(d.Dependents), said-len(d.Comments)
	if on+by+said == 0 {
		return ""
	}
	return fmt.Sprintf("%d dependencies, %d dependents and %d older comments; show with whole=true has them", on, by, said)
}
