package registry

import "io/fs"

// noFollow: there are no such flags here, and making links takes a privilege.
const noFollow = 0

// private accepts: a profile's directory lets in its owner alone, and modes say
// nothing here.
func (r Registry) private(fs.FileInfo) error { return nil }
