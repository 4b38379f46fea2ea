package mcpserver

import "errors"

// addTools offers the tools. Their names and arguments are those of upstream's
// server where it has them.
func (s *server) addTools() error {
	return errors.Join(
		add(s, tool{name: "ready", title: "What can be worked on",
			about: "List open issues that nothing blocks, the most urgent first. To take one, call claim."}, s.ready),
		add(s, tool{name: "list", title: "List issues",
			about: "List issues by status, type, priority, assignee, labels or title; without arguments all that are not closed."}, s.listIssues),
		add(s, tool{name: "show", title: "Show an issue",
			about: "Show one issue with its texts, dependencies, dependents and comments."}, s.show),
		add(s, tool{name: "search", title: "Search issues",
			about: "Find issues by their text, closed ones too."}, s.search),
		add(s, tool{name: "blocked", title: "What waits",
			about: "List issues that wait for others, each with blocked_by."}, s.blocked),
		add(s, tool{name: "stats", title: "Numbers",
			about: "Count issues: open, in progress, ready, blocked, closed and others."}, s.stats),
		add(s, tool{name: "create", title: "Create an issue", writes: true,
			about: "Create an issue, with its labels and dependencies, and return it with its id. Search first, lest there is one already."}, s.create),
		add(s, tool{name: "update", title: "Change issues", writes: true, overwrites: true,
			about: `Change the fields that are given; "" clears one. To take an issue use claim, to finish it close.`}, s.update),
		add(s, tool{name: "claim", title: "Take an issue", writes: true,
			about: "Take an issue to work on: it becomes yours and in_progress, unless somebody else has it. Of many that try at once one gets it. Without issue_id the next ready one."}, s.claim),
		add(s, tool{name: "unclaim", title: "Give an issue back", writes: true, idempotent: true,
			about: "Give back an issue that you cannot go on with: nobody has it, and it is open again."}, s.unclaim),
		add(s, tool{name: "close", title: "Close issues", writes: true, idempotent: true,
			about: "Close issues that are done, with a reason that says what was done."}, s.close),
		add(s, tool{name: "reopen", title: "Reopen issues", writes: true, idempotent: true,
			about: "Open closed issues again."}, s.reopen),
		add(s, tool{name: "dep", title: "Link two issues", writes: true, overwrites: true, idempotent: true,
			about: "Make issue_id depend on depends_on_id. What would close a cycle is refused."}, s.dep),
		add(s, tool{name: "comment", title: "Comment on an issue", writes: true,
			about: "Add a comment to an issue: progress, findings, questions."}, s.comment),
	)
}
