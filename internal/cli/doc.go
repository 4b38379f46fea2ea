// Package cli is the command line: one file per command, each of which parses,
// calls the workspace and prints. It decides nothing about data.
//
// How it prints, for every command:
//   - standard output carries the result and nothing else; with --json one JSON
//     value, and an empty list is [];
//   - errors are one line, "bd: error: …", and where there is a next step a
//     second, "bd: hint: …"; with --json one object {"error","code"} on standard
//     error;
//   - notices (restored, set aside, unshared) are one "bd: …" line on standard
//     error, and none with --quiet;
//   - people see abbreviated ids and local times on a terminal; pipes and JSON
//     carry whole ids, and JSON times are UTC;
//   - text that other people wrote has its control, escape and bidi characters
//     made visible;
//   - exit codes: 0 done, 1 failed, 2 wrong usage (daemon status has its own).
package cli
