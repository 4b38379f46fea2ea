// Command torture runs the tests that need time: simulations, kill -9, power
// losses, failing calls and fuzzing, whole, and prints what was done and what
// was lost. `make torture` runs it; `make test` runs a slice of the same tests.
//
// The parts are ordinary tests. Each says in a line that begins with "counts:"
// how often it did what it does, how many faults there were, how many operations
// were acknowledged, and how many of those were lost.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "torture: %v\n", err)
		os.Exit(1)
	}
}

// options are what the command line asks for.
type options struct {
	only    *regexp.Regexp
	list    bool
	resume  bool
	earlier bool
	scale   float64
	state   string
}

func parseOptions(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("torture", flag.ContinueOnError)
	flags.SetOutput(stderr)
	only := flags.String("only", "", "run the parts whose names match this `expression`")
	flags.BoolVar(&o.list, "list", false, "name the parts and how much of each is run")
	flags.BoolVar(&o.resume, "resume", false, "leave out what was well already at this commit")
	flags.BoolVar(&o.earlier, "earlier", false, "with -resume: what was well at another commit counts too, and the table says which")
	flags.Float64Var(&o.scale, "scale", 1, "how much of each `part` is run: 0.01 tries whether all of it works")
	flags.StringVar(&o.state, "state", "bin/torture.json", "`file` that keeps the results; what the parts print is kept beside it, below torture/")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if o.earlier && !o.resume {
		return o, errors.New("-earlier says what -resume leaves out: give both")
	}
	if o.scale <= 0 {
		return o, errors.New("want a scale above 0")
	}
	o.only, err = regexp.Compile(*only)
	return o, err
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parseOptions(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	parts, err := allParts(ctx)
	if err != nil {
		return err
	}
	machine, commit := describe(ctx)
	results, err := load(o.state)
	if err != nil {
		return err
	}
	var table []result
	for _, p := range parts {
		if !o.only.MatchString(p.name) {
			continue
		}
		if o.list {
			fmt.Fprintf(stdout, "%-40s %s\n", p.name, p.describe(o.scale))
			continue
		}
		before := results[p.name] // Verdict is "" if there is none
		same := before.Commit == commit && !strings.HasSuffix(commit, dirty)
		if o.resume && before.Machine == machine && before.Scale == o.scale && before.Verdict == well && (same || o.earlier) {
			table = append(table, before)
			continue
		}
		r := p.run(ctx, o.scale, filepath.Join(filepath.Dir(o.state), "torture", p.name+".log"), stderr)
		if ctx.Err() != nil {
			break
		}
		r.Machine, r.Commit, r.Scale = machine, commit, o.scale
		results[p.name], table = r, append(table, r)
		if err := save(o.state, results); err != nil {
			return err
		}
	}
	if len(table) > 0 {
		printTable(stdout, machine, table)
	}
	if failed := failures(table); failed > 0 {
		return fmt.Errorf("%d of %d parts failed", failed, len(table))
	}
	return ctx.Err()
}
