package cli

func setupGroup() group {
	return group{groupSetup, "Set-up:", []command{
		{name: "init", build: newInit},
		{name: "info", build: newInfo},
		{name: "where", build: newWhere},
		{name: "version", build: newVersion},
		{name: "config", build: newConfig},
		{name: "completion", build: newCompletion},
		{name: "doctor", build: newDoctor},
		{name: "reset", build: newReset},
	}}
}
