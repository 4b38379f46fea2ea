// Package control is the daemon's local interface: HTTP/1.1 with JSON on a Unix
// socket, one request a connection, and its client. It knows nothing of issues:
// it serves what a [Handler] answers.
//
//	GET  /v1/status    Status
//	GET  /v1/health    looks at everything, answers Health
//	GET  /v1/metrics   OpenMetrics text; a metrics.Snapshot with ?format=json
//	GET  /v1/events    server-sent events from now on, without an end
//	POST /v1/sync      does one whole cycle now, answers its SyncResult
//	POST /v1/reload    reads the settings again, or says what is wrong with them
//	POST /v1/stop      begins a clean stop and answers at once
//
// A failed request answers {"error":"…"}. The socket lies in a directory that
// belongs to this user alone (0700), and both sides ask the kernel who the other
// is: another user's process is neither served nor believed. Nothing in bd
// depends on an answer: a client waits at most one second to connect, and every
// call ends with its context.
//
// The part of HTTP that this needs is written here rather than taken from
// net/http: linking net/http costs every bd command 0.6 ms of start-up (4.5 ms
// instead of 3.9 ms for a program with cobra, median of 800 runs) and 5 MB,
// while package net is linked by the SQLite library anyway. What is on the wire
// is ordinary HTTP, so that curl --unix-socket works.
//
// Events are lost rather than waited for: who does not read them is cut off when
// 64 wait for it, so that no reader can hold up the daemon.
//
// Concurrency: a Handler is called from several goroutines; a Client may be
// used by several.
package control
