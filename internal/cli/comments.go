package cli

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"beads/internal/issue"
	"beads/internal/op"
	"beads/internal/projection"
	"beads/internal/workspace"
)

func newComments(a *app) *cobra.Command {
	listRun := func(cmd *cobra.Command, args []string) error { return a.listComments(cmd, args[0]) }
	cmd := &cobra.Command{
		Use:   "comments ID",
		Short: "Comments of an issue",
		Long:  "List the comments of an issue, oldest first. The subcommands add, edit and delete them.",
		Example: `  bd comments bd-x7k2
  bd comments add bd-x7k2 "reproduced on main"
  git log -1 | bd comments add bd-x7k2 -`,
		Args:              arguments(1, 1, "one ID, or a subcommand"),
		ValidArgsFunction: a.completeIDs,
		RunE:              listRun,
	}
	accepted(cmd, "local-time")
	cmd.AddCommand(&cobra.Command{
		Use:               "list ID",
		Short:             "List the comments of an issue",
		Long:              "List the comments of an issue, oldest first, with the numbers that edit and delete take.",
		Example:           "  bd comments list bd-x7k2",
		Args:              arguments(1, 1, "one ID"),
		ValidArgsFunction: a.completeIDs,
		RunE:              listRun,
	}, newCommentAdd(a), newCommentEdit(a), newCommentDelete(a))
	return cmd
}

func (a *app) listComments(cmd *cobra.Command, input string) error {
	return a.view(cmd, func(q *projection.Query) error {
		id, err := a.resolve(q, input, false)
		if err != nil {
			return err
		}
		found, err := q.Issue(id)
		if err != nil {
			return err
		}
		if a.json {
			return a.printJSON(commentsJSON(id, found.Comments))
		}
		if len(found.Comments) == 0 {
			a.say("No comments on %s.", a.shortID(q, id))
		}
		for i, c := range found.Comments {
			a.printComment(i+1, c)
		}
		return nil
	})
}

func commentsJSON(issueID string, comments []issue.Comment) []json.RawMessage {
	objects := make([]json.RawMessage, 0, len(comments))
	for i := range comments {
		objects = append(objects, comments[i].AppendJSON(nil, issueID))
	}
	return objects
}

// printComment shows a comment with the number that edit and delete take.
func (a *app) printComment(n int, c issue.Comment) {
	edited := ""
	if !c.UpdatedAt.IsZero() {
		edited = ", edited " + a.localTime(c.UpdatedAt)
	}
	a.printf("%d. %s, %s%s\n", n, visible(c.Author), a.localTime(c.CreatedAt), edited)
	for line := range strings.SplitSeq(VisibleText(c.Text), "\n") {
		a.printf("   %s\n", line)
	}
}

// commentText takes the text from the argument, a file, or standard input.
func (a *app) commentText(args []string, file string) (string, error) {
	var text string
	var err error
	switch {
	case len(args) > 0 && file != "":
		return "", usagef("a TEXT and --file exclude each other")
	case file != "":
		text, err = a.readText(file)
	case len(args) == 0:
		return "", usagef("the comment needs a TEXT").withHint("bd %s --help", a.command)
	case args[0] == "-":
		text, err = a.readText("-")
	default:
		text = args[0]
	}
	if err != nil {
		return "", err
	}
	if strings.TrimSpace(text) == "" {
		return "", usagef("the comment must not be empty")
	}
	if err := issue.ValidateText("comment", text); err != nil {
		return "", invalid(err)
	}
	return text, nil
}

// newComment is comments add under the name that front ends use.
func newComment(a *app) *cobra.Command {
	cmd := newCommentAdd(a)
	cmd.Use = "comment ID TEXT"
	cmd.Example = `  bd comment bd-x7k2 "reproduced on main"
  git log -1 | bd comment bd-x7k2 --stdin`
	return cmd
}

func newCommentAdd(a *app) *cobra.Command {
	var file, author string
	cmd := &cobra.Command{
		Use:   "add ID TEXT",
		Short: "Comment on an issue",
		Long: `Add a comment. TEXT is one argument; - reads it from standard input, and --file from a
file.`,
		Example: `  bd comments add bd-x7k2 "reproduced on main"
  bd comments add bd-x7k2 -f notes.md`,
		Args:              arguments(1, 2, "an ID and a TEXT (quote it if it has blanks)"),
		ValidArgsFunction: a.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if author != "" {
				a.actor = author
			}
			text, err := a.commentText(args[1:], file)
			if err != nil {
				return err
			}
			made, err := a.commit(cmd, func(tx *workspace.Tx) ([]workspace.Draft, error) {
				id, err := a.resolve(tx.Query, args[0], false)
				if err != nil {
					return nil, err
				}
				return []workspace.Draft{draft(&op.Operation{Do: op.DoComment, Issue: id, Comment: &op.CommentText{Text: text}})}, nil
			})
			if err != nil {
				return err
			}
			if len(made) != 1 {
				return failf("failed", "the comment was not written")
			}
			return a.tellComment(cmd, made[0].Issue, made[0].ID.String(), "Commented on")
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "read the text from `FILE`; - reads standard input")
	cmd.Flags().StringVarP(&author, "author", "a", "", "comment as `NAME`, like --actor")
	stdinFlag(cmd, "file")
	return cmd
}

// tellComment prints one comment, or what happened to it.
func (a *app) tellComment(cmd *cobra.Command, issueID, commentID, did string) error {
	if a.quiet && !a.json {
		return nil
	}
	return a.view(cmd, func(q *projection.Query) error {
		if !a.json {
			a.say("%s %s", did, a.shortID(q, issueID))
			return nil
		}
		found, err := q.Issue(issueID)
		if err != nil {
			return err
		}
		for _, c := range found.Comments {
			if c.ID == commentID {
				return a.printJSON(json.RawMessage(c.AppendJSON(nil, issueID)))
			}
		}
		return failf("failed", "comment %s is not there", commentID)
	})
}

// findComment takes the number that the list shows, a whole id, or the unique
// start of one.
func findComment(comments []issue.Comment, typed string) (issue.Comment, error) {
	if n, err := strconv.Atoi(typed); err == nil && n >= 1 && n <= len(comments) && len(typed) < 10 {
		return comments[n-1], nil
	}
	var found []issue.Comment
	for _, c := range comments {
		if c.ID == typed {
			return c, nil
		}
		if typed != "" && strings.HasPrefix(strings.ToLower(c.ID), strings.ToLower(typed)) {
			found = append(found, c)
		}
	}
	switch len(found) {
	case 0:
		return issue.Comment{}, failf("not_found", "no comment %q on this issue", typed)
	case 1:
		return found[0], nil
	}
	return issue.Comment{}, failf("ambiguous", "%q may be %d comments", typed, len(found))
}

func newCommentEdit(a *app) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:               "edit ID COMMENT TEXT",
		Short:             "Change the text of a comment",
		Long:              "Change the text of a comment, named by its number in the list or by its id.",
		Example:           `  bd comments edit bd-x7k2 1 "reproduced on main and 1.2"`,
		Args:              arguments(2, 3, "an ID, a COMMENT and a TEXT"),
		ValidArgsFunction: a.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := a.commentText(args[2:], file)
			if err != nil {
				return err
			}
			issueID, comment, err := a.changeComment(cmd, args[0], args[1], func(c issue.Comment, o *op.Operation) bool {
				o.CommentEdit = &op.CommentText{Ref: c.ID, Text: text}
				return c.Text != text
			})
			if err != nil {
				return err
			}
			return a.tellComment(cmd, issueID, comment.ID, "Edited a comment on")
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "read the text from `FILE`; - reads standard input")
	return cmd
}

func newCommentDelete(a *app) *cobra.Command {
	return &cobra.Command{
		Use:               "delete ID COMMENT",
		Aliases:           []string{"remove", "rm"},
		Short:             "Delete a comment",
		Long:              "Delete a comment, named by its number in the list or by its id.",
		Example:           "  bd comments delete bd-x7k2 1",
		Args:              arguments(2, 2, "an ID and a COMMENT"),
		ValidArgsFunction: a.completeIDs,
		RunE: func(cmd *cobra.Command, args []string) error {
			issueID, comment, err := a.changeComment(cmd, args[0], args[1], func(c issue.Comment, o *op.Operation) bool {
				o.CommentDelete = &op.CommentText{Ref: c.ID}
				return true
			})
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(struct {
					Status  string `json:"status"`
					IssueID string `json:"issue_id"`
					ID      string `json:"id"`
				}{"deleted", issueID, comment.ID})
			}
			return a.tellComment(cmd, issueID, comment.ID, "Deleted a comment on")
		},
	}
}

// changeComment finds a comment and writes the operation that fill completes,
// unless fill says that nothing changes.
func (a *app) changeComment(cmd *cobra.Command, issueInput, commentInput string, fill func(issue.Comment, *op.Operation) bool) (string, issue.Comment, error) {
	var id string
	var comment issue.Comment
	_, err := a.commit(cmd, func(tx *workspace.Tx) ([]workspace.Draft, error) {
		var err error
		if id, err = a.resolve(tx.Query, issueInput, false); err != nil {
			return nil, err
		}
		found, err := tx.Issue(id)
		if err != nil {
			return nil, err
		}
		if comment, err = findComment(found.Comments, commentInput); err != nil {
			return nil, err
		}
		o := &op.Operation{Do: op.DoComment, Issue: id}
		if !fill(comment, o) {
			return nil, nil
		}
		return []workspace.Draft{draft(o)}, nil
	})
	return id, comment, err
}
