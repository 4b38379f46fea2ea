package git

// FileOwner knows no user ids on this system; -1 accepts.
func FileOwner(string) (int, error) { return -1, nil }
