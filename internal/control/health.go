package control

// The values of Health.Status and Check.Status.
const (
	Healthy   = "healthy"
	Warning   = "warning"
	Unhealthy = "unhealthy"
)

// Health says how a daemon is; its status is the worst of its checks'.
type Health struct {
	Status string  `json:"status"`
	Checks []Check `json:"checks"`
}

// Check is what was found about one thing.
type Check struct {
	Name    string `json:"name"`
	Status  string `json:"status"`
	Message string `json:"message"`
}

// HealthOf sums up checks.
func HealthOf(checks []Check) Health {
	h := Health{Status: Healthy, Checks: checks}
	for _, c := range checks {
		if c.Status == Unhealthy || c.Status == Warning && h.Status == Healthy {
			h.Status = c.Status
		}
	}
	return h
}
