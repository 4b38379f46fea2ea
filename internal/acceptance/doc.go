// Package acceptance has no code of its own: its tests build bd once and drive
// it as a user does, as processes in clones of a bare remote, with daemons that
// are stopped and killed. Run whole, they are the proof of what the documents
// promise about replication, faults and threats:
//
//	go test ./internal/acceptance -rounds=20 -operations=200 -history=50000 \
//		-linear=40 -whole -files=1000000 -timeout=2h
//
// Tests of faults need a Linux machine and some of them root, for mounting, for
// other users and for choosing a PID; elsewhere they are skipped and say why.
package acceptance
