// Command bench measures the built bd as its users meet it: whole processes,
// against the run of an empty Go program on the same machine at the same time.
// Ratios to that floor can be compared between machines; milliseconds cannot.
//
// Run it with `make bench`. Everything happens in a scratch directory that is
// removed again; daemons that it starts, it stops. Work is made by a seeded
// generator, so two runs measure the same tracker. The program's budgets are the
// limits and goals of the rows.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// options are what the command line asks for.
type options struct {
	sizes   []int    // issues in the tracker
	only    []string // parts to measure; empty: all
	runs    int      // of each command
	writers int      // at once
	creates int      // by each writer
	idle    time.Duration
	million int    // operations of the longest log
	batches int    // files of the longest history
	list    string // snapshot to import
	peer    string // another program with bd's command line
	format  string // text, json or markdown
	chart   string // file for a drawing of cost against size
	check   bool   // fail when a limit is passed
	keep    bool
}

func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	sizes := flags.String("sizes", "1000,10000,100000", "numbers of `issues`, with commas")
	only := flags.String("only", "", "measure these `parts`, with commas: "+strings.Join(partNames(), " "))
	flags.IntVar(&o.runs, "runs", 31, "runs of each command; the median counts")
	flags.IntVar(&o.writers, "writers", 50, "processes that write at once")
	flags.IntVar(&o.creates, "creates", 20, "issues that each of them creates")
	flags.DurationVar(&o.idle, "idle", time.Minute, "how long an idle daemon is watched")
	flags.IntVar(&o.million, "million", 1_000_000, "`operations` of the longest log")
	flags.IntVar(&o.batches, "batches", 20_000, "`files` of the longest history in Git, five operations each")
	flags.StringVar(&o.list, "list", "", "snapshot `file` to import (default: the sample)")
	flags.StringVar(&o.peer, "peer", os.Getenv("PEER"), "compare with this `program` (default: PEER)")
	flags.StringVar(&o.format, "format", "text", "text, json or markdown")
	flags.StringVar(&o.chart, "chart", "", "draw cost against size into this SVG `file`")
	flags.BoolVar(&o.check, "check", false, "fail when a limit is passed")
	flags.BoolVar(&o.keep, "keep", false, "keep the scratch directory")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	for text := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 100 {
			return o, fmt.Errorf("size %q: want a number of at least 100", text)
		}
		o.sizes = append(o.sizes, n)
	}
	slices.Sort(o.sizes)
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	for _, name := range o.only {
		if !slices.Contains(partNames(), name) {
			return o, fmt.Errorf("no part is called %q", name)
		}
	}
	if !slices.Contains([]string{"text", "json", "markdown"}, o.format) {
		return o, fmt.Errorf("format %q: want text, json or markdown", o.format)
	}
	if o.runs < 3 || o.writers < 1 || o.creates < 1 || o.million < 1000 || o.batches < 100 || o.idle < time.Second {
		return o, fmt.Errorf("want at least 3 runs, 1 writer, 1 create, 1000 operations, 100 batches and 1s")
	}
	return o, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parseOptions(args, stderr)
	if err != nil {
		return err
	}
	b, err := newBench(ctx, o, stderr)
	if err != nil {
		return err
	}
	defer func() {
		if o.keep {
			fmt.Fprintf(stderr, "kept: %s\n", b.dir)
		} else if e := os.RemoveAll(b.dir); e != nil && err == nil {
			err = e
		}
	}()
	rows, unmeasured := b.measure(ctx) // what was measured counts all the same
	switch o.format {
	case "json":
		encoder := json.NewEncoder(stdout)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(rows)
	case "markdown":
		err = printMarkdown(stdout, rows)
	default:
		err = printTable(stdout, rows)
	}
	if err == nil && o.chart != "" {
		err = os.WriteFile(o.chart, chart(rows), 0o644)
	}
	if err = errors.Join(unmeasured, err); err != nil {
		return err
	}
	if over := overLimit(rows); o.check && len(over) > 0 {
		return fmt.Errorf("over the limit: %s", strings.Join(over, ", "))
	}
	return nil
}
