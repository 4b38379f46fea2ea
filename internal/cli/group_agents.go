package cli

func agentsGroup() group {
	return group{groupAgents, "Agents:", []command{
		{name: "prime", build: newPrime},
		{name: "onboard", build: newOnboard},
		{name: "mcp", build: newMCP},
		{name: "interactions", aliases: []string{"interaction", "audit"}, build: newInteractions},
	}}
}
