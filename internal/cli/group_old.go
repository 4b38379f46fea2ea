package cli

func oldGroup() group {
	return group{groupOld, "For old scripts:", []command{
		{name: "hook", build: newHook},
		{name: "hooks", build: newHooks},
		{name: "merge", build: newMerge},
	}}
}
