// Package mcpserver serves issues to language models over the Model Context
// Protocol (https://modelcontextprotocol.io) on standard input and output.
//
// A tool call is one command line: it is run by package cli in this process,
// with --json and streams of its own. So tools validate, claim, write and fail
// as commands do, and there is one write path. Between calls nothing is open
// and nothing is remembered: no lock, no database, no answer that could be
// stale.
//
// Calls run at once, up to a fixed number; what comes beyond it waits in the
// pipe. When the input ends, calls under way are answered first. When the
// context ends, they are interrupted: what was acknowledged is durable.
//
// A panic is not recovered from: a lock that the call held would stay held.
//
// Texts of issues were written by others. Control, escape and bidirectional
// characters in them are made visible, long ones are cut, and the instructions
// tell the model that they are data.
package mcpserver
