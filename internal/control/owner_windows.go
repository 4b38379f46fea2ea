package control

import (
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

// checkOwner asks for the owner of a directory in the user's own temporary one,
// whose access list it inherits. Administrators own what an elevated process
// makes, and could do anything anyway.
func checkOwner(dir string, _ os.FileInfo, _ int) error {
	security, err := windows.GetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("socket directory %s: %w", dir, err)
	}
	owner, _, err := security.Owner()
	if err != nil {
		return fmt.Errorf("socket directory %s: %w", dir, err)
	}
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return fmt.Errorf("the user of this process: %w", err)
	}
	if !owner.Equals(user.User.Sid) && !owner.IsWellKnown(windows.WinBuiltinAdministratorsSid) {
		return fmt.Errorf("socket directory %s belongs to another user", dir)
	}
	return nil
}
