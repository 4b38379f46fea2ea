package service

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Systemd plans a unit of the user's own systemd; config is its configuration's
// directory, $XDG_CONFIG_HOME or ~/.config.
func Systemd(s Service, config string) (Plan, error) {
	if err := s.check(); err != nil {
		return Plan{}, err
	}
	if strings.ContainsAny(s.Args[0], `"'\`) {
		return Plan{}, fmt.Errorf("systemd runs no program whose path has quotes or backslashes: %s", s.Args[0])
	}
	unit := s.name() + ".service"
	dir := filepath.Join(config, "systemd", "user")
	systemctl := func(args ...string) []string { return append([]string{"systemctl", "--user"}, args...) }
	return Plan{
		Name: unit, Path: filepath.Join(dir, unit), Content: s.unit(),
		Answers: systemctl("show-environment"),
		Active:  systemctl("is-active", "--quiet", unit),
		Enable:  [][]string{systemctl("daemon-reload"), systemctl("enable", "--now", unit)},
		Disable: [][]string{systemctl("disable", "--now", unit)},
		Forget:  [][]string{systemctl("daemon-reload")},
		Link:    filepath.Join(dir, "default.target.wants", unit),
	}, nil
}

// unit is the text of the unit. A clean stop takes up to 5 s. RestartSteps and
// RestartMaxDelaySec let the delay grow; before systemd 254 they are ignored
// with a warning, and the start limit ends the attempts.
func (s Service) unit() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# %s; bd daemon uninstall removes it; an edited file is replaced by the next install.", marker)
	line("[Unit]")
	line("Description=bd daemon for %s", specifiers(s.Workspace))
	line("ConditionPathExists=%s", specifiers(s.Workspace))
	line("StartLimitIntervalSec=10min")
	line("StartLimitBurst=10")
	line("")
	line("[Service]")
	line("Type=exec")
	line("ExecStart=%s", commandLine(s.Args))
	line("ExecReload=/bin/kill -HUP $MAINPID")
	line("WorkingDirectory=%s", specifiers(s.Dir))
	for _, variable := range s.Environ {
		line("Environment=%s", quoted(variable))
	}
	line("KillSignal=SIGTERM")
	line("TimeoutStopSec=10s")
	line("Restart=on-failure")
	line("RestartSec=5s")
	line("RestartSteps=6")
	line("RestartMaxDelaySec=5min")
	line("")
	line("[Install]")
	line("WantedBy=default.target")
	return b.String()
}

// commandLine quotes as systemd.service(5) wants it. Variables are replaced in
// every word but the program's path.
func commandLine(args []string) string {
	words := []string{quoted(args[0])}
	for _, arg := range args[1:] {
		words = append(words, quoted(strings.ReplaceAll(arg, "$", "$$")))
	}
	return strings.Join(words, " ")
}

// quoted is a word as in systemd.syntax(7), in quotes only where they matter.
func quoted(word string) string {
	escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(specifiers(word))
	if escaped == word && word != "" && !strings.ContainsAny(word, " ';") {
		return word
	}
	return `"` + escaped + `"`
}

// specifiers keeps a % from being the beginning of one.
func specifiers(text string) string { return strings.ReplaceAll(text, "%", "%%") }
