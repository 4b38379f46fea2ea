package daemon

import "errors"

const canReexecute = false

// Reexecute always fails: a process cannot become another program here.
func Reexecute(_, _ []string) error { return errors.ErrUnsupported }
