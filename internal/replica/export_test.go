package replica

// RootID is for tests: the name of the first commit of every history.
func RootID(hexLength int) string { return rootID(hexLength) }
