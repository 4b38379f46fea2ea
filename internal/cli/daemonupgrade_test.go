package cli

import (
	"testing"

	"beads/internal/control"
)

func TestDaemonVersion(t *testing.T) {
	for _, test := range []struct {
		name   string
		status control.Status
		want   string
	}{
		{"ours", control.Status{PID: 7, Version: version}, version},
		{"another", control.Status{PID: 7, Version: "9.9.9"}, "9.9.9 (this bd is " + version + ")"},
		{"another's remains", control.Status{Version: "9.9.9"}, "9.9.9"},
		{"none yet", control.Status{}, ""},
	} {
		if got := daemonVersion(test.status); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
