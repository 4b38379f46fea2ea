package fleet

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"beads/internal/workspace"
)

func TestStateSurvivesGarbage(t *testing.T) {
	p := workspace.Place{Dir: t.TempDir()}
	for _, text := range []string{"", "{", `{"pid":"x"}`, "[]"} {
		if err := os.WriteFile(filepath.Join(p.Dir, StateName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if s := LoadState(p); s != (State{}) {
			t.Errorf("%q: %+v", text, s)
		}
	}
	if err := (State{SyncCount: 3}).Save(p); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(p.Dir, StateName))
	var members map[string]any
	if err == nil {
		err = json.Unmarshal(data, &members)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"pid", "start_time", "last_sync", "sync_count", "status", "last_error"} {
		if _, ok := members[key]; !ok {
			t.Errorf("no %s in %s", key, data)
		}
	}
	if err := os.RemoveAll(p.Dir); err != nil {
		t.Fatal(err)
	}
	if err := (State{}).Save(p); err == nil || regular(p.Dir) {
		t.Errorf("a state for a workspace that is gone: %v", err)
	}
}
