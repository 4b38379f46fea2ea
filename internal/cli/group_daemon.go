package cli

func daemonGroup() group {
	return group{groupDaemon, "Daemon:", []command{
		{name: "daemon", build: newDaemon},
		{name: "daemons", build: newDaemons},
	}}
}
