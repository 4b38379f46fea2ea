// Package terminal runs the programs that take a person's terminal over for a
// while: an editor on a text, and a pager for what is longer than the screen.
// Which program that is comes from the environment, as Git has it, never from a
// workspace: those may be hostile.
//
// Both wait for the program's end; a Pager belongs to one goroutine.
package terminal
