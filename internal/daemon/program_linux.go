package daemon

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// forgetProgram gives back the pages of the program's own file: start-up, a
// rebuild and an exchange go through much code that waiting does not need, and the
// kernel maps it in large pieces. What is needed again is mapped again from the
// page cache. Only a mapping of which no page is a copy of ours is given back,
// since a copy (a relocation, a debugger's breakpoint) would be lost.
func forgetProgram() error {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return err
	}
	defer maps.Close()
	var start, end uintptr
	in := bufio.NewScanner(maps)
	for in.Scan() {
		fields := strings.Fields(in.Text())
		switch {
		case len(fields) >= 5 && !strings.HasSuffix(fields[0], ":"):
			// start-end perms offset device inode path (proc_pid_maps(5))
			start, end = 0, 0
			if len(fields) > 5 && fields[1][1] == '-' && strings.HasSuffix(in.Text(), " "+program) {
				if _, err := fmt.Sscanf(fields[0], "%x-%x", &start, &end); err != nil {
					return fmt.Errorf("read /proc/self/smaps: %w", err)
				}
			}
		case fields[0] == "Anonymous:" && fields[1] == "0" && end > start:
			if _, _, failure := unix.Syscall(unix.SYS_MADVISE, start, end-start, unix.MADV_DONTNEED); failure != 0 {
				return fmt.Errorf("madvise: %w", failure)
			}
		}
	}
	return in.Err()
}
