// Package acceptance has no code of its own: its tests build bd once and drive
// it as a user does, as processes in clones of a bare remote, with daemons that
// are stopped and killed. Run whole, they are the proof of what the documents
// promise about replication:
//
//	go test ./internal/acceptance -rounds=20 -operations=200 -history=50000 -timeout=2h
package acceptance
