package cli

func structureGroup() group {
	return group{groupStructure, "Structure:", []command{
		{name: "dep", build: newDep, aliases: []string{"deps"}},
		{name: "label", build: newLabel, aliases: []string{"labels"}},
		{name: "comments", build: newComments},
		{name: "comment", build: newComment},
		{name: "duplicate", build: newDuplicate},
		{name: "supersede", build: newSupersede},
		{name: "graph", build: newGraph},
		{name: "rename-prefix", build: newRenamePrefix},
	}}
}
