package git

import "strings"

// environment is what a git process of ours gets: the caller's, without what
// would lead it to another repository, index or identity (a hook or an alias
// sets those), without anything that asks a person, and in English, since
// errors are told apart by their text. What leads to the network is kept.
func environment(env []string, sshConfigured bool) []string {
	kept := make([]string, 0, len(env)+16)
	for _, entry := range env {
		name, _, _ := strings.Cut(entry, "=")
		switch {
		case strings.HasPrefix(name, "GIT_"):
			if !keptGit(name) {
				continue
			}
			sshConfigured = sshConfigured || name == "GIT_SSH" || name == "GIT_SSH_COMMAND"
		case name == "LANG", name == "LANGUAGE", strings.HasPrefix(name, "LC_"),
			name == "SSH_ASKPASS", name == "SSH_ASKPASS_REQUIRE", name == "GCM_INTERACTIVE":
			continue
		}
		kept = append(kept, entry)
	}
	kept = append(kept,
		"LC_ALL=C",
		"GIT_TERMINAL_PROMPT=0",
		"GIT_ASKPASS=", // set and empty: neither core.askPass nor SSH_ASKPASS is asked
		"SSH_ASKPASS_REQUIRE=never",
		"GCM_INTERACTIVE=never",
		"GIT_OPTIONAL_LOCKS=0",
		"GIT_NO_REPLACE_OBJECTS=1",
		"GIT_LITERAL_PATHSPECS=1",
		"GIT_NO_LAZY_FETCH=1", // an object that a partial clone lacks is not worth the network
	)
	if !sshConfigured {
		kept = append(kept, "GIT_SSH_COMMAND=ssh -oBatchMode=yes")
	}
	return kept
}

// keptGit reports whether a variable of Git's says how to reach the network, or
// where Git's programs and the user's configuration are.
func keptGit(name string) bool {
	switch name {
	case "GIT_EXEC_PATH", "GIT_ALLOW_PROTOCOL", "GIT_PROTOCOL_FROM_USER", "GIT_PROXY_COMMAND", "GIT_PROXY_SSL_CERT",
		"GIT_PROXY_SSL_KEY", "GIT_PROXY_SSL_CAINFO", "GIT_HTTP_USER_AGENT", "GIT_HTTP_LOW_SPEED_LIMIT",
		"GIT_HTTP_LOW_SPEED_TIME", "GIT_HTTP_PROXY_AUTHMETHOD", "GIT_CURL_FTP_NO_EPSV":
		return true
	}
	for _, prefix := range []string{"GIT_SSH", "GIT_SSL_", "GIT_CONFIG_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// globalOptions stand before every command.
func (r *Runner) globalOptions(durable bool) []string {
	options := []string{
		"--git-dir=" + r.GitDir, "--no-pager",
		"-c", "core.hooksPath=/dev/null",
		"-c", "core.fsmonitor=false",
		"-c", "core.logAllRefUpdates=false",
		"-c", "safe.bareRepository=explicit",
		"-c", "protocol.ext.allow=never",
		"-c", "gc.auto=0",
		"-c", "maintenance.auto=false",
		"-c", "advice.objectNameWarning=false",
	}
	if durable {
		options = append(options,
			"-c", "core.fsync=all",
			// Few objects stay loose: a pack for every publish would
			// have the user's git repack for ever.
			"-c", "fastimport.unpackLimit=100",
			"-c", "fetch.unpackLimit=100")
	}
	return options
}
