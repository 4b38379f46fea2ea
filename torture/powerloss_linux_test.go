package main

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

var powerLosses = flag.Int("powerlosses", 4, "how many power losses TestPowerLoss makes")

const (
	// shutdownIoctl is EXT4_IOC_SHUTDOWN: the file system takes nothing more from
	// then on, and without a flush of the journal it holds what was fsynced.
	shutdownIoctl = 0x8004587d
	noFlush       = 2

	lossesPerDisk = 51 // cycles until a new file system is made
	diskSize      = 64 // MiB
	disksAtOnce   = 6  // they wait most of the time
)

// The power goes while commands write and publish, on a file system of its own
// in a file. When it is back, every acknowledged operation is in the log and in
// the guard copy before anything has repaired them; the database is what the log
// makes; git fsck finds nothing, and no lock is in the way.
//
// The test runs itself again in a mount namespace of its own: what it mounts
// there goes with the process, whatever becomes of it.
func TestPowerLoss(t *testing.T) {
	if testing.Short() {
		t.Skip("builds bd")
	}
	if why := cannotMount(); why != "" {
		t.Skip(why)
	}
	if os.Getenv("TORTURE_BD") != "" {
		losePowerOften(t)
		return
	}
	cmd := exec.Command(os.Args[0], append(os.Args[1:], "-test.run=^TestPowerLoss$", "-test.v", fmt.Sprintf("-test.parallel=%d", disksAtOnce))...)
	cmd.Env = append(os.Environ(), "TORTURE_BD="+program)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGTERM}
	out, err := cmd.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if _, numbers, ok := strings.Cut(line, "counts: "); ok {
			t.Logf("counts: %s", numbers)
		}
		if _, who, ok := strings.Cut(line, "held by "); ok {
			t.Logf("a disk was held by %s", who)
		}
	}
	if err != nil {
		t.Errorf("%v\n%s", err, strings.ReplaceAll(string(out), "counts: ", "")) // which were counted above
	}
}

// cannotMount says why file systems cannot be mounted here; "" if they can.
func cannotMount() string {
	if os.Getuid() != 0 {
		return "only root can mount a file system"
	}
	for _, tool := range []string{"mkfs.ext4", "mount", "umount"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "no " + tool
		}
	}
	if _, err := os.Stat("/dev/loop-control"); err != nil {
		return "no loop devices"
	}
	return ""
}

// A disk is a file system in a file.
type disk struct {
	testing.TB
	image, at string
}

func newDisk(t testing.TB) *disk {
	dir, err := os.MkdirTemp("", "disk")
	must(t, err)
	undo.add(func() { // the mount itself goes with the namespace
		_ = exec.Command("umount", "-l", filepath.Join(dir, "at")).Run()
		_ = os.RemoveAll(dir)
	})
	d := &disk{TB: t, image: filepath.Join(dir, "image"), at: filepath.Join(dir, "at")}
	must(t, os.Mkdir(d.at, 0o700))
	must(t, os.WriteFile(d.image, nil, 0o600))
	must(t, os.Truncate(d.image, diskSize<<20))
	d.do("mkfs.ext4", "-q", "-F", "-b", "4096", d.image)
	d.mount()
	t.Cleanup(func() { d.unmount(); must(t, os.RemoveAll(dir)) })
	return d
}

func (d *disk) do(args ...string) {
	d.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		d.Fatalf("%q: %v\n%s", args, err, out)
	}
}

func (d *disk) mount() { d.Helper(); d.do("mount", "-o", "loop", d.image, d.at) }

// unmount waits for what still holds the disk. A command waits for its git, but not
// for what that has started for the other end of a fetch or a push, which may notice
// a moment later that nobody listens any more.
func (d *disk) unmount() {
	d.Helper()
	told := false
	eventually(d, "nothing holds "+d.at, func() bool {
		out, err := exec.Command("umount", d.at).CombinedOutput()
		if err != nil && !bytes.Contains(out, []byte("busy")) {
			d.Fatalf("umount: %v\n%s", err, out)
		}
		if err != nil && !told {
			d.Logf("%sheld by %q", out, holders(d.at))
			told = true
		}
		return err == nil
	})
}

// holders are the command lines of the processes that have something below dir open.
func holders(dir string) (found []string) {
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	places, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, link := range append(links, places...) {
		if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, dir) {
			line, _ := os.ReadFile(filepath.Join("/proc", strings.Split(link, "/")[2], "cmdline"))
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// cut takes the power away: what was not fsynced is lost with the memory.
func (d *disk) cut() {
	d.Helper()
	file, err := os.Open(d.at)
	must(d, err)
	defer file.Close()
	how := uint32(noFlush)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, file.Fd(), shutdownIoctl, uintptr(unsafe.Pointer(&how))); errno != 0 {
		d.Fatalf("shut the file system down: %v", errno)
	}
}

func losePowerOften(t *testing.T) {
	for from := 0; from < *powerLosses; from += lossesPerDisk {
		r := chance(1<<24 + uint64(from))
		t.Run(fmt.Sprintf("from %d", from), func(t *testing.T) {
			t.Parallel()
			loseDisk(t, r, min(lossesPerDisk, *powerLosses-from))
		})
	}
}

// loseDisk takes the power from one file system so many times.
func loseDisk(t *testing.T, r *rand.Rand, times int) {
	d := newDisk(t)
	s := newSiteIn(t, d.at)
	d.do("sync", "-f", d.at)
	begun := time.Now()
	s.must("q", "to see how long it takes")
	longest := 12 * time.Since(begun)
	total, lost := 0, 0
	for ; total < times && !t.Failed(); total++ {
		lost += s.losePower(d, r, time.Duration(r.Int64N(int64(longest))), total%5 == 0)
	}
	counts(t, total, total, len(s.acked), lost)
}

// losePower is one cycle, in which work goes on for a time. The database and the
// remote are looked at only if the whole is asked for: what was lost stays lost.
func (s *site) losePower(d *disk, r *rand.Rand, after time.Duration, whole bool) (lost int) {
	s.Helper()
	var off sync.WaitGroup
	stop := make(chan struct{})
	for worker := range 2 {
		own := rand.New(rand.NewPCG(r.Uint64(), uint64(worker)))
		off.Go(func() { s.workUntil(stop, func(token string) command { return s.oneOf(own, token) }) })
	}
	off.Go(func() { s.workUntil(stop, func(string) command { return s.command("sync", "-q") }) })
	<-time.After(after)
	close(stop)
	d.cut()
	off.Wait()
	d.unmount()
	d.mount()
	when := fmt.Sprintf("power lost after %s", after)
	lost = s.held()
	if out, err := s.tryGit(s.dir, "fsck", "--strict", "--no-progress", "--no-dangling"); err != nil {
		s.Errorf("%s: git fsck: %v\n%s", when, err, out)
	}
	if result := s.run(s.command("count")); result.code != 0 {
		s.Errorf("%s: bd count: exit code %d\n%s", when, result.code, result.stderr)
	}
	if !whole {
		return lost
	}
	for _, args := range [][]string{{"doctor"}, {"sync", "-q"}} {
		if result := s.run(s.command(args...)); result.code != 0 {
			s.Errorf("%s: bd %s: exit code %d\n%s%s", when, strings.Join(args, " "), result.code, result.stdout, result.stderr)
		}
	}
	if here, there := s.git(s.dir, "rev-parse", "refs/beads/ops"), s.git(s.bare, "rev-parse", "refs/beads/ops"); here != there {
		s.Errorf("%s: after a sync the ref is at %s here and at %s there", when, here, there)
	}
	return lost
}

// workUntil runs commands until the power goes. What ends after that counts for
// nothing: nobody would have been told, and while the kernel shuts the file system
// down, which takes it a moment, an fsync may still succeed in vain.
func (s *site) workUntil(stop <-chan struct{}, next func(token string) command) {
	for {
		token := s.token()
		c := next(token)
		result := s.run(c.as(token))
		select {
		case <-stop:
			return
		default:
		}
		if result.code != 0 {
			s.Errorf("%q: exit code %d\n%s", c.args[1:], result.code, result.stderr)
			return
		}
		if c.args[1] != "sync" {
			s.acknowledge(token)
		}
	}
}
