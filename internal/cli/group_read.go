package cli

func readGroup() group {
	return group{groupRead, "Read:", []command{
		{name: "show", build: newShow, aliases: []string{"view"}},
		{name: "list", build: newList, aliases: []string{"ls"}},
		{name: "ready", build: newReady},
		{name: "blocked", build: newBlocked},
		{name: "children", build: newChildren},
		{name: "epic", build: newEpic},
		{name: "stale", build: newStale},
		{name: "search", build: newSearch},
		{name: "query", build: newQuery},
		{name: "count", build: newCount},
		{name: "status", build: newStatus, aliases: []string{"stats"}},
		{name: "history", build: newHistory, aliases: []string{"log"}},
		{name: "types", build: newTypes},
		{name: "activity", build: newActivity},
	}}
}
