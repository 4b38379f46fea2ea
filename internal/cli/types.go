package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/projection"
)

// coreType is a type of issue that every workspace knows.
type coreType struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

// coreTypes are knownTypes with what they are for.
func coreTypes() []coreType {
	purpose := map[string]string{
		issue.TypeTask:    "work to be done",
		issue.TypeBug:     "something that is wrong",
		issue.TypeFeature: "something that is new",
		issue.TypeEpic:    "a whole that other issues are the parts of",
		issue.TypeChore:   "upkeep that nobody sees from outside",
		"decision":        "a choice and its reasons",
		"message":         "a word from one to another",
		"molecule":        "work made from a template of upstream's",
		"gate":            "something outside that others wait for",
		"event":           "something that happened",
		"merge-request":   "a change to be taken in",
	}
	var types []coreType
	for _, name := range knownTypes() {
		types = append(types, coreType{name, purpose[name]})
	}
	return types
}

func newTypes(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "types",
		Short: "List the types of issues",
		Long: `List the types of issues: those that every workspace knows, those that the setting
types.custom declares, and whatever else issues here have.`,
		Example: "  bd types\n  bd types --json",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.view(cmd, func(q *projection.Query) error {
				custom, err := customTypes(q)
				if err != nil {
					return err
				}
				if a.json {
					return a.printJSON(struct {
						Core   []coreType `json:"core_types"`
						Custom []string   `json:"custom_types"`
					}{coreTypes(), custom})
				}
				for _, t := range coreTypes() {
					a.printf("%-13s  %s\n", t.Name, t.Description)
				}
				if len(custom) > 0 {
					a.printf("Here also: %s\n", visible(strings.Join(custom, ", ")))
				}
				return nil
			})
		},
	}
}

// customTypes are the declared and the used ones beside knownTypes, sorted.
func customTypes(q *projection.Query) ([]string, error) {
	settings, err := q.Settings()
	if err != nil {
		return nil, err
	}
	groups, err := q.CountBy(issue.Filter{}, "type")
	if err != nil {
		return nil, err
	}
	names := append([]string{}, settings.CustomTypes()...)
	for _, g := range groups {
		names = append(names, g.Group)
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(name string) bool {
		return slices.Contains(knownTypes(), name)
	}), nil
}
