package git

// fileOwner knows no user ids on this system; -1 accepts.
func fileOwner(string) (int, error) { return -1, nil }
