package control

// The values of Health.Status and Check.Status.
const (
	Healthy   = "healthy"
	Warning   = "warning"
	Unhealthy = "unhealthy"
)

// Health is what a look at the daemon found. Status is the worst of its checks.
type Health struct {
	Status string  `json:"status"`
	Checks []Check `json:"checks"`
}

// Check is one of the things looked at.
type Check struct {
	Name    string `json:"name"`
	Status  string `json:"status"`
	Message string `json:"message"`
}
