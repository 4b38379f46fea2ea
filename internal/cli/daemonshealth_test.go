package cli

import (
	"testing"
	"time"

	"beads/internal/control"
	"beads/internal/fleet"
)

// bd daemons health and bd daemon health must not contradict each other.
func TestFleetHealthIsTheDaemons(t *testing.T) {
	a := &app{Process: Process{Location: time.UTC}}
	for _, test := range []struct {
		name   string
		status control.Status
		check  string
		why    string
	}{
		{"healthy", control.Status{Status: control.Running, Version: version, Health: control.Healthy}, checkOK, "running"},
		{"no check was made yet", control.Status{Status: control.Running, Version: version}, checkOK, "running"},
		{"a warning", control.Status{Status: control.Running, Version: version, Health: control.Warning, HealthReason: "disk space is low"}, checkWarning, "disk space is low"},
		{"unhealthy for the first time", control.Status{Status: control.Running, Version: version, Health: control.Unhealthy, HealthReason: "database connection failed: x"}, checkError, "database connection failed: x"},
		{"an error of a step says more", control.Status{Status: control.Failing, Version: version, LastError: "no space left", Health: control.Warning, HealthReason: "y"}, checkError, "no space left"},
	} {
		got := a.healthOf(fleet.Member{State: fleet.Answering, Status: test.status})
		if got.Check != test.check || got.Why != test.why {
			t.Errorf("%s: %s %q, want %s %q", test.name, got.Check, got.Why, test.check, test.why)
		}
	}
}
