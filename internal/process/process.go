// Package process collects what a run takes from its surroundings: arguments,
// directory, environment, streams, terminal, clock, randomness. It is the one
// place that reads them, for every program of this module.
package process

import (
	"crypto/rand"
	"os"
	"os/user"
	"time"

	"golang.org/x/term"

	"beads/internal/cli"
)

// Current describes this process.
func Current() cli.Process {
	dir, err := os.Getwd()
	if err != nil {
		dir = "."
	}
	executable, err := os.Executable()
	if err != nil {
		executable = os.Args[0]
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = ""
	}
	width, height := 0, 0
	stdout := term.IsTerminal(int(os.Stdout.Fd()))
	if stdout {
		if w, h, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
			width, height = w, h
		}
	}
	return cli.Process{
		Args:           os.Args[1:],
		Dir:            dir,
		Environ:        os.Environ(),
		Getenv:         os.Getenv,
		Stdin:          os.Stdin,
		Stdout:         os.Stdout,
		Stderr:         os.Stderr,
		StdoutTerminal: stdout,
		StderrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
		Width:          width,
		Height:         height,
		Set:            set,
		Executable:     executable,
		Login:          login,
		Home:           home,
		Now:            time.Now,
		Rand:           rand.Reader,
		Location:       time.Local,
	}
}

// set reports whether a variable is set, also to nothing.
func set(name string) bool {
	_, found := os.LookupEnv(name)
	return found
}

// login is the login name, "" if the system cannot tell.
func login() string {
	if name := os.Getenv("LOGNAME"); name != "" {
		return name
	}
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}
