package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The groups of bd --help.
const (
	groupSetup     = "setup"
	groupWrite     = "write"
	groupRead      = "read"
	groupStructure = "structure"
	groupExchange  = "exchange"
	groupDaemon    = "daemon"
	groupAgents    = "agents"
	groupOld       = "old"
)

// group is one part of bd --help.
type group struct {
	id, title string
	commands  []command
}

// command is what a command is called and what builds it.
type command struct {
	name    string
	aliases []string // as the built command says, too
	build   func(*app) *cobra.Command
}

func (c command) called(name string) bool { return c.name == name || slices.Contains(c.aliases, name) }

func groups() []group {
	return []group{setupGroup(), writeGroup(), readGroup(), structureGroup(), exchangeGroup(), daemonGroup(), agentsGroup(), oldGroup()}
}

// asked is all with nothing but the command that args name: to build every
// command takes as long as a third of an empty program's run, and a run needs
// one. Where args name none (help, completion, a slip), it is all of them.
func asked(all []group, global *pflag.FlagSet, args []string) []group {
	name := commandName(global, args)
	one := make([]group, len(all))
	found := false
	for i, g := range all {
		one[i] = group{id: g.id, title: g.title}
		if n := slices.IndexFunc(g.commands, func(c command) bool { return c.called(name) }); n >= 0 {
			one[i].commands, found = g.commands[n:n+1], true
		}
	}
	if !found {
		return all
	}
	return one
}

// commandName is the first of args that is neither a global flag nor a value of
// one; "" if there is none, or if it takes the command's own flags to tell.
func commandName(global *pflag.FlagSet, args []string) string {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if len(arg) < 2 || arg[0] != '-' {
			return arg
		}
		var flag *pflag.Flag
		valued := false // its value is in the same argument
		if long, ok := strings.CutPrefix(arg, "--"); ok {
			long, _, valued = strings.Cut(long, "=")
			flag = global.Lookup(long)
		} else if len(arg) == 2 {
			flag = global.ShorthandLookup(arg[1:])
		}
		switch {
		case flag == nil:
			return ""
		case valued || flag.NoOptDefVal != "":
		case len(args) > 0:
			args = args[1:]
		}
	}
	return ""
}
