package mcpserver

import (
	"encoding/json"
	"reflect"
	"strconv"

	"github.com/google/jsonschema-go/jsonschema"

	"beads/internal/issue"
)

// An argument has one meaning, and one schema, in every tool that takes it:
// refine completes what Go types cannot say. Numbers are those that bd checks.
func refine(tool string, input *jsonschema.Schema) {
	withoutNull(input) // see withoutNulls
	for name, property := range input.Properties {
		facet(tool, name, property)
	}
}

// withoutNull makes the members of an object what they are when they are there:
// Go's pointers and slices may be nil, but those are left out.
func withoutNull(object *jsonschema.Schema) {
	for _, property := range object.Properties {
		if len(property.Types) == 2 && property.Types[0] == "null" {
			property.Type, property.Types = property.Types[1], nil
		}
	}
}

func facet(tool, name string, s *jsonschema.Schema) {
	switch name {
	case "workspace_root":
		describe(s, "absolute path of a directory of another project, to work on its issues instead")
	case "issue_id":
		describe(s, "id of the issue; may be abbreviated")
		s.MinLength, s.MaxLength = ptr(1), ptr(issue.MaxForeignID)
	case "issue_ids":
		describe(s, "ids, for several issues at once: all of them or none")
		s.MaxItems = ptr(100)
	case "priority":
		describe(s, "0 is most urgent, 4 least")
		s.Minimum, s.Maximum = ptr(0.0), ptr(4.0)
		if tool == "create" {
			s.Default = json.RawMessage("2")
		}
	case "issue_type":
		names(s, "type of the issue", issue.TypeTask, issue.TypeBug, issue.TypeFeature, issue.TypeEpic, issue.TypeChore, "decision")
		if tool == "create" {
			s.Default = json.RawMessage(`"task"`)
		}
	case "status":
		known := []string{issue.StatusOpen, issue.StatusInProgress, issue.StatusBlocked, issue.StatusDeferred, issue.StatusClosed}
		if tool == "list" || tool == "search" {
			known = append(known, "all")
		}
		names(s, "status", known...)
	case "dep_type":
		names(s, "blocks and parent-child make issue_id wait; the others only inform", issue.DepBlocks, issue.DepParentChild, "related", "discovered-from", "duplicates", "supersedes")
		s.Default = json.RawMessage(strconv.Quote(issue.DepBlocks))
	case "limit":
		describe(s, "at most this many issues")
		s.Minimum, s.Maximum = ptr(1.0), ptr(float64(mostListed))
		s.Default = json.RawMessage(strconv.Itoa(defaultLimit(tool)))
	case "title":
		describe(s, "one line")
		s.MinLength, s.MaxLength = ptr(1), ptr(issue.MaxTitle)
	case "labels", "labels_any", "add_labels", "remove_labels":
		s.Items.MinLength, s.Items.MaxLength = ptr(1), ptr(issue.MaxLabel)
	case "description", "design", "acceptance", "acceptance_criteria", "notes", "append_notes", "text", "reason":
		s.MaxLength = ptr(issue.MaxText)
	case "assignee", "external_ref":
		s.MaxLength = ptr(issue.MaxShort)
	}
}

// describe sets a description unless the tool has its own.
func describe(s *jsonschema.Schema, text string) {
	if s.Description == "" {
		s.Description = text
	}
}

// names are the known values; a workspace may declare more.
func names(s *jsonschema.Schema, about string, known ...string) {
	describe(s, about)
	values := make([]any, len(known))
	for n, name := range known {
		values[n] = name
	}
	s.AnyOf = []*jsonschema.Schema{
		{Enum: values},
		{Description: "a name that this workspace has declared", MaxLength: ptr(issue.MaxName)},
	}
}

// resultTypes are the schemas of what results hold: JSON objects that bd
// printed, as they are, and issues, of which only what is always there is named.
// Clients keep schemas in the model's memory, so they are short.
func resultTypes() map[reflect.Type]*jsonschema.Schema {
	text := &jsonschema.Schema{Type: "string"}
	always := []string{"id", "title", "status", "priority", "issue_type"}
	return map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[json.RawMessage](): {Type: "object"},
		reflect.TypeFor[summary](): {
			Type: "object", Required: always, PropertyOrder: always,
			Properties: map[string]*jsonschema.Schema{
				"id": text, "title": text, "status": text, "priority": {Type: "integer"}, "issue_type": text,
			},
		},
	}
}

func ptr[T any](v T) *T { return &v }
