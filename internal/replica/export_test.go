package replica

// RootID is for tests: the name of the first commit of every history.
func RootID(hexLength int) string { return rootID(hexLength) }

// ReadWhole is for tests: a history that is read whole is in chunks of so many lines.
func ReadWhole(o *Options, lines int) { o.whole = lines }
