package cli

func exchangeGroup() group {
	return group{groupExchange, "Exchange:", []command{
		{name: "import", build: newImport},
		{name: "export", build: newExport},
		{name: "sync", build: newSync},
		{name: "recover", build: newRecover},
	}}
}
