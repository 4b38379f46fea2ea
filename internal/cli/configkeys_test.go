package cli

import (
	"strings"
	"testing"
)

func TestConfigKeys(t *testing.T) {
	for _, key := range configKeys() {
		if key.meaning == "" || key.kind == "" {
			t.Errorf("%s says too little", key.name)
		}
		if key.def == "" {
			continue
		}
		if err := key.check(key.def); err != nil {
			t.Errorf("the default of %s is refused: %v", key.name, err)
		}
	}
	if _, err := findKey("sync-branch"); err == nil || !strings.Contains(err.Error(), "without effect") {
		t.Errorf("sync-branch: %v", err)
	}
	if key, err := findKey("issue-prefix"); err != nil || key.name != "issue_prefix" {
		t.Errorf("issue-prefix: %q, %v", key.name, err)
	}
}
