package mcpserver

import (
	"encoding/json"
	"strings"
)

// problem is why a call failed, for a model to act upon: an error of bd with its
// code and hint, and the next step in terms of tools. Its text is JSON.
type problem struct {
	Message string `json:"error"`
	Code    string `json:"code"`
	Hint    string `json:"hint,omitempty"`
	Next    string `json:"next"`
}

// newProblem gives an error of bd its next step.
func newProblem(code, message, hint string) *problem {
	if strings.HasSuffix(hint, " --help") {
		hint = "" // of the command line, which the model does not see
	}
	return &problem{Message: message, Code: code, Hint: hint, Next: nextStep(code)}
}

func (p *problem) Error() string {
	text, err := json.Marshal(p)
	if err != nil {
		return p.Message // not reached: four strings always have a JSON form
	}
	return string(text)
}

// nextStep is what to do about an error of this code.
func nextStep(code string) string {
	switch code {
	case "claimed", "claim_lost":
		return "Leave this issue alone and take another: claim without issue_id gives you the next free one, ready lists them."
	case "closed":
		return "It is done. Take another with ready; if it is not really done, reopen it first."
	case "nothing_ready":
		return "Nothing is free. blocked shows what waits for what, list with status in_progress who works on what; try again later."
	case "ambiguous":
		return "Call again with one of the whole ids that the hint or the message names."
	case "not_found":
		return "Check the id: search finds issues by their text, list shows them."
	case "deleted":
		return "It was deleted on purpose. If it is needed after all, ask a person to run the command in the hint."
	case "cycle":
		return "Nothing in a cycle ever becomes ready. Look at both issues with show; dep with remove takes a link out, dep_type related links without waiting."
	case "no_workspace":
		return "Pass workspace_root, the absolute path of a directory that has a workspace, or ask a person to run bd init in this project."
	case "several_workspaces":
		return "Call once for the issues of each workspace; links do not lead from one to another. Nothing was written."
	case "locked":
		return "Another writer is at work. Call again in a moment; nothing was written."
	case "read_only":
		return "This server only reads. Tell the person what you wanted to write."
	case "usage", "invalid", "too_long", "exists":
		return "Correct the argument that the message is about and call again; nothing was written."
	case "interrupted":
		return "The call was cancelled. Before you repeat a write, look with show whether it was done."
	case "refused":
		return "Read the message; it says what stands against it. Nothing was written."
	}
	return "Nothing you can change in the arguments helps. Tell the person the message; bd doctor looks into it."
}
