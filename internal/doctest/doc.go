// Package doctest holds nothing but a test that runs the commands which README
// and docs show, so that what they show stays true.
//
// Blocks marked ```console of one file run in order, in one shell, in a fresh
// Git repository. Lines that begin with "$ " are commands ("> " continues one);
// what follows a command is its output, stdout and stderr together, and is
// compared if there is any:
//
//   - … stands for anything within a line, and alone on a line for any lines;
//   - runs of blanks count as one;
//   - ids are made anew at every run. An id in the text, such as bd-x7k2, is
//     tied to the one that stands in its place, and is replaced by it in the
//     commands that follow. A short form stands for a whole id;
//   - where curl or jq is not installed, the first command that needs it and
//     those after it are skipped, and the test says so;
//   - a command must succeed, unless its output is shown and has "bd: error:".
package doctest
