package service

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Launchd plans an agent of the user with this home and user id.
func Launchd(s Service, home string, uid int) (Plan, error) {
	if err := s.check(); err != nil {
		return Plan{}, err
	}
	label := s.name()
	path := filepath.Join(home, "Library", "LaunchAgents", label+".plist")
	domain := fmt.Sprintf("gui/%d", uid)
	return Plan{
		Name: label, Path: path, Content: s.agent(label),
		Answers: []string{"launchctl", "print", domain},
		Active:  []string{"launchctl", "print", domain + "/" + label},
		Enable:  [][]string{{"launchctl", "bootstrap", domain, path}},
		Disable: [][]string{{"launchctl", "bootout", domain + "/" + label}},
	}, nil
}

// agent is the text of the property list. launchd has no growing delay: a
// daemon that fails is started again after a minute. It throws standard error
// away unless it is told where to put it.
func (s Service) agent(label string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line(`<?xml version="1.0" encoding="UTF-8"?>`)
	line("<!-- %s; bd daemon uninstall removes it; an edited file is replaced by the next install. -->", marker)
	line(`<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">`)
	line(`<plist version="1.0">`)
	line("<dict>")
	text := func(key, value string) {
		line("\t<key>%s</key>", key)
		line("\t<string>%s</string>", escaped(value))
	}
	text("Label", label)
	line("\t<key>ProgramArguments</key>")
	line("\t<array>")
	for _, arg := range s.Args {
		line("\t\t<string>%s</string>", escaped(arg))
	}
	line("\t</array>")
	text("WorkingDirectory", s.Dir)
	line("\t<key>EnvironmentVariables</key>")
	line("\t<dict>")
	for _, variable := range s.Environ {
		key, value, _ := strings.Cut(variable, "=")
		line("\t\t<key>%s</key>", escaped(key))
		line("\t\t<string>%s</string>", escaped(value))
	}
	line("\t</dict>")
	text("StandardErrorPath", filepath.Join(s.Workspace, "daemon.log"))
	line("\t<key>RunAtLoad</key>")
	line("\t<true/>")
	line("\t<key>KeepAlive</key>")
	line("\t<dict>")
	line("\t\t<key>SuccessfulExit</key>")
	line("\t\t<false/>")
	line("\t</dict>")
	for _, setting := range []struct {
		key     string
		seconds int
	}{{"ThrottleInterval", 60}, {"ExitTimeOut", 10}} {
		line("\t<key>%s</key>", setting.key)
		line("\t<integer>%d</integer>", setting.seconds)
	}
	text("ProcessType", "Background")
	line("</dict>")
	line("</plist>")
	return b.String()
}

// escaped is text in an element of XML.
func escaped(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}
