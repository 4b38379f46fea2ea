package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"beads/internal/projection"
)

func newSearch(a *app) *cobra.Command {
	var filters filterFlags
	var order sortFlags
	var form listing
	var query string
	cmd := &cobra.Command{
		Use:   "search TEXT",
		Short: "Find issues by their text",
		Long: `Find issues that hold TEXT in their id, title, description, design, acceptance criteria
or notes, whatever its case. Closed issues are searched too; -s narrows.`,
		Example: `  bd search "login fails"
  bd search timeout -s open -l auth --sort updated`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			text := strings.Join(args, " ")
			if query != "" && text != "" {
				return usagef("give the TEXT as an argument or with --query, not both")
			}
			if filters.text = text + query; strings.TrimSpace(filters.text) == "" {
				return usagef("the TEXT to search for is missing").withHint("bd search --help")
			}
			form.empty = "Nothing found."
			return a.view(cmd, func(q *projection.Query) error {
				filter, err := filters.filter(a, q)
				if err != nil {
					return err
				}
				return a.list(q, filter, order, form)
			})
		},
	}
	filters.define(cmd)
	filters.defineMore(cmd)
	order.define(cmd, 50)
	flags := cmd.Flags()
	flags.StringVar(&query, "query", "", "the text, for scripts")
	form.define(cmd)
	hide(cmd, "query", "text")
	return cmd
}
