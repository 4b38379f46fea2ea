// Command bd is a local-first issue tracker for people and coding agents. This
// file only collects what the process has and hands it to package cli.
package main

import (
	"context"
	"crypto/rand"
	"os"
	"os/signal"
	"os/user"
	"syscall"
	"time"

	"golang.org/x/term"

	"beads/internal/cli"
)

func main() {
	os.Exit(run())
}

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
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
	return cli.Run(ctx, cli.Process{
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
	})
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
