package main

import (
	"bytes"
	"testing"

	"beads/internal/op"
)

func TestGeneratorIsSeeded(t *testing.T) {
	logs := make([]string, 3)
	for i, seed := range []byte{1, 1, 2} {
		var log bytes.Buffer
		if err := newGenerator(seed).write(&log, 200); err != nil {
			t.Fatal(err)
		}
		logs[i] = log.String()
	}
	if logs[0] != logs[1] {
		t.Error("the same seed gave two different logs")
	}
	if logs[0] == logs[2] {
		t.Error("two seeds gave the same log")
	}
}

func TestGeneratedOperationsTakeEffect(t *testing.T) {
	const issues = 300
	var log bytes.Buffer
	if err := newGenerator(1).write(&log, issues); err != nil {
		t.Fatal(err)
	}
	byIssue := map[string][]*op.Operation{}
	var last op.ID
	for line := range bytes.Lines(log.Bytes()) {
		record, err := op.Read(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil || record.Op == nil || !record.Sum {
			t.Fatalf("line %q: operation %v, sum %t, error %v", line, record.Op, record.Sum, err)
		}
		if record.Op.ID.Compare(last) <= 0 {
			t.Fatalf("operation %s does not follow %s", record.Op.ID, last)
		}
		last = record.Op.ID
		byIssue[record.Op.Issue] = append(byIssue[record.Op.Issue], record.Op)
	}
	if len(byIssue) != issues {
		t.Errorf("%d issues, want %d", len(byIssue), issues)
	}
	for id, ops := range byIssue {
		state, problems := op.Fold(id, ops)
		if !state.Exists || len(problems) > 0 {
			t.Errorf("%s: exists %t, problems %v", id, state.Exists, problems)
		}
	}
}
