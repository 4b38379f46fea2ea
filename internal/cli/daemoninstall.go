package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"beads/internal/service"
	"beads/internal/workspace"
)

// lingerDir is where systemd notes whose services run without a login.
const lingerDir = "/var/lib/systemd/linger"

// serviceJSON is what install and uninstall print with --json.
type serviceJSON struct {
	Name     string   `json:"name"`
	Path     string   `json:"path"`
	Content  string   `json:"content,omitempty"`
	Changed  bool     `json:"changed"`
	Enabled  bool     `json:"enabled"`  // the supervisor took it up, or let go of it
	Commands []string `json:"commands"` // left for the user to run
}

func newDaemonInstall(a *app) *cobra.Command {
	var show bool
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Have systemd or launchd keep the daemon running",
		Long: `Write a systemd user unit, or a launchd agent on macOS, that starts the daemon of this
workspace at every login, and start it now. A daemon that runs already is stopped first.
Run it again after bd was moved or a setting of the environment has changed.`,
		Example: "  bd daemon install --print\n  bd daemon install",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			place, plan, err := a.servicePlan()
			if err != nil {
				return err
			}
			if show {
				return a.showService(plan)
			}
			return a.installService(cmd.Context(), place, plan)
		},
	}
	cmd.Flags().BoolVar(&show, "print", false, "print the file and change nothing")
	return cmd
}

func newDaemonUninstall(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "uninstall",
		Short:   "Undo bd daemon install",
		Long:    "Have systemd or launchd stop the daemon of this workspace, and remove what install wrote.",
		Example: "  bd daemon uninstall",
		Args:    arguments(0, 0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, plan, err := a.servicePlan()
			if err != nil {
				return err
			}
			result, err := plan.Uninstall(cmd.Context(), a.Environ)
			if err != nil {
				return serviceFailure(err)
			}
			if a.json {
				return a.printJSON(serviceReport(plan, result))
			}
			a.say("Removed %s", visible(plan.Path))
			a.sayCommands("Run this to make it known:", result.Left)
			return nil
		},
	}
}

// servicePlan is what this system's supervisor needs for the daemon of the
// workspace.
func (a *app) servicePlan() (workspace.Place, service.Plan, error) {
	place, err := a.place()
	if err != nil {
		return place, service.Plan{}, err
	}
	if a.readonly {
		return place, service.Plan{}, workspace.ErrReadOnly
	}
	if !filepath.IsAbs(a.Home) {
		return place, service.Plan{}, failf("no_home", "the home directory is not known")
	}
	args := a.daemonCommand(place, daemonStart{})
	args[0] = a.stableExecutable()
	args[slices.Index(args, "--report-ready")] = "--foreground"
	s := service.Service{Workspace: place.Dir, Args: args, Dir: daemonDir(place), Environ: a.serviceEnviron()}
	if s.Dir == "" {
		s.Dir = place.Dir
	}
	var plan service.Plan
	switch runtime.GOOS {
	case "linux":
		config := a.Getenv("XDG_CONFIG_HOME")
		if !filepath.IsAbs(config) {
			config = filepath.Join(a.Home, ".config")
		}
		plan, err = service.Systemd(s, config)
	case "darwin":
		plan, err = service.Launchd(s, a.Home, os.Getuid())
	default:
		err = failf("unsupported", "bd daemon install knows systemd and launchd only, and %s has neither", runtime.GOOS)
	}
	return place, plan, err
}

// serviceEnviron is what decides where the daemon finds git and keeps its files,
// and is not set where a supervisor starts it.
func (a *app) serviceEnviron() (environ []string) {
	search := slices.DeleteFunc(filepath.SplitList(a.Getenv("PATH")), func(dir string) bool { return !filepath.IsAbs(dir) })
	if len(search) > 0 {
		environ = append(environ, "PATH="+strings.Join(search, string(filepath.ListSeparator)))
	}
	for _, key := range []string{"XDG_CONFIG_HOME", "XDG_STATE_HOME"} {
		if value := a.Getenv(key); filepath.IsAbs(value) {
			environ = append(environ, key+"="+value)
		}
	}
	return environ
}

// showService is bd daemon install --print.
func (a *app) showService(plan service.Plan) error {
	if a.json {
		return a.printJSON(serviceReport(plan, service.Result{Left: plan.Enable}))
	}
	a.printf("%s", plan.Content)
	return nil
}

func (a *app) installService(ctx context.Context, place workspace.Place, plan service.Plan) error {
	// What would not start is not installed.
	if _, err := a.daemonConfig(place, daemonStart{}); err != nil {
		return err
	}
	result, err := plan.Install(ctx, a.Environ, func() error { return a.stopDaemon(ctx, place) })
	if err != nil {
		return serviceFailure(err)
	}
	if a.json {
		return a.printJSON(serviceReport(plan, result))
	}
	if result.Changed {
		a.say("Wrote %s:\n\n%s", visible(plan.Path), strings.TrimSuffix(indent(plan.Content), "\n"))
		a.say("")
	} else {
		a.say("%s is as it should be", visible(plan.Path))
	}
	if !result.Enabled {
		a.sayCommands("Nothing here answers that could start it. Where you are logged in, run:", result.Left)
		return nil
	}
	a.say("%s runs, and starts at every login", plan.Name)
	if runtime.GOOS == "linux" {
		a.say("its log: journalctl --user -u %s", plan.Name)
		if _, err := os.Stat(filepath.Join(lingerDir, a.Login())); errors.Is(err, fs.ErrNotExist) {
			a.say("to have it without a login, and after you have logged out: loginctl enable-linger")
		}
	}
	return nil
}

// indent sets a file apart from what is said about it.
func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("  " + strings.TrimSuffix(visible(strings.TrimSuffix(line, "\n")), " ") + "\n")
	}
	return b.String()
}

// sayCommands lists commands for the user to run.
func (a *app) sayCommands(intro string, commands [][]string) {
	if len(commands) == 0 {
		return
	}
	a.say("%s", intro)
	for _, command := range commands {
		a.say("  %s", shellWords(command))
	}
}

// shellWords is a command line that a shell takes apart into the same words.
func shellWords(command []string) string {
	words := slices.Clone(command)
	for i, word := range words {
		if strings.ContainsAny(word, " \t\"'\\$&|;<>()*?[]{}~#!`") {
			words[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

func serviceReport(plan service.Plan, result service.Result) serviceJSON {
	report := serviceJSON{
		Name: plan.Name, Path: plan.Path, Content: plan.Content,
		Changed: result.Changed, Enabled: result.Enabled, Commands: []string{},
	}
	for _, command := range result.Left {
		report.Commands = append(report.Commands, shellWords(command))
	}
	return report
}

// serviceFailure gives the errors of package service their codes and hints.
func serviceFailure(err error) error {
	switch {
	case errors.Is(err, service.ErrMissing):
		return failf("service_missing", "%w", err).withHint("bd daemon install")
	case errors.Is(err, service.ErrForeign):
		return failf("service_foreign", "%w", err).withHint("move it away, or keep it and do without install")
	}
	return fmt.Errorf("service: %w", err)
}
