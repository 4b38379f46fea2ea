package cli

func writeGroup() group {
	return group{groupWrite, "Write:", []command{
		{name: "create", build: newCreate, aliases: []string{"new"}},
		{name: "q", build: newQuick},
		{name: "update", build: newUpdate},
		{name: "edit", build: newEdit},
		{name: "unclaim", build: newUnclaim},
		{name: "close", build: newClose, aliases: []string{"done"}},
		{name: "reopen", build: newReopen},
		{name: "defer", build: newDefer},
		{name: "undefer", build: newUndefer},
		{name: "delete", build: newDelete},
		{name: "restore", build: newRestore},
	}}
}
