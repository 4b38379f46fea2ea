package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// canTrace: programs can be stopped at their system calls here.
const canTrace = true

// tracer follows a program, its threads and its children, and stops them at their
// system calls on files.
type tracer struct {
	pid     int
	under   string
	spared  string // a directory below it whose processes and files are others'
	decide  func(call) verdict
	leaders map[int]int // the process of each thread
	result  traced
}

// tracers are the goroutines that trace. Each has a thread of the operating system
// to itself from the beginning: the kernel takes orders from the thread that
// started the program alone, and what else that thread had started, it would take
// for the program's.
var tracers = make(chan func())

// prepareTracers is called before anything else starts a process.
func prepareTracers() {
	for range max(2, runtime.GOMAXPROCS(0)) {
		go func() {
			runtime.LockOSThread()
			for do := range tracers {
				do()
			}
		}()
	}
}

// trace runs a program to its end and asks decide before each system call on a
// file below one directory and not below another. What it printed is in the result.
func trace(c command, under, spared string, decide func(call) verdict) (result traced, err error) {
	done := make(chan struct{})
	tracers <- func() {
		defer close(done)
		result, err = traceHere(c, under, spared, decide)
	}
	<-done
	return result, err
}

func traceHere(c command, under, spared string, decide func(call) verdict) (traced, error) {
	var files [2]*os.File
	for n := range files {
		file, err := os.CreateTemp("", "torture")
		if err != nil {
			return traced{}, err
		}
		defer os.Remove(file.Name())
		defer file.Close()
		files[n] = file
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return traced{}, err
	}
	defer null.Close()
	pid, err := syscall.ForkExec(c.args[0], c.args, &syscall.ProcAttr{
		Dir: c.dir, Env: c.env, Files: []uintptr{null.Fd(), files[0].Fd(), files[1].Fd()}, Sys: &syscall.SysProcAttr{Ptrace: true},
	})
	if err != nil {
		return traced{}, err
	}
	t := &tracer{pid: pid, under: under, spared: spared, decide: decide, leaders: map[int]int{pid: pid}}
	if err := t.begin(); err != nil {
		return traced{}, err
	}
	stop := t.limit()
	err = t.follow()
	t.result.hung = stop()
	for n, text := range []*string{&t.result.stdout, &t.result.stderr} {
		data, readErr := os.ReadFile(files[n].Name())
		*text, err = string(data), errors.Join(err, readErr)
	}
	return t.result, err
}

func (t *tracer) begin() error {
	if err := t.stopped(); err != nil {
		return err
	}
	const options = unix.PTRACE_O_TRACESECCOMP | syscall.PTRACE_O_TRACECLONE | syscall.PTRACE_O_TRACEFORK |
		syscall.PTRACE_O_TRACEVFORK | syscall.PTRACE_O_TRACEEXEC | unix.PTRACE_O_EXITKILL
	if err := syscall.PtraceSetOptions(t.pid, options); err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	if err := t.filter(); err != nil {
		return fmt.Errorf("let the program stop at calls on files: %w", err)
	}
	return syscall.PtraceCont(t.pid, 0)
}

// stopped waits until the program, which has one thread yet, stops.
func (t *tracer) stopped() error {
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(t.pid, &status, syscall.WALL, nil); err != nil {
		return fmt.Errorf("wait for the program to begin: %w", err)
	}
	return nil
}

// filter makes the program, which has not run its first instruction, call
// seccomp: it and its children then stop at the calls of kinds and at no others,
// which are three times as many.
func (t *tracer) filter() error {
	var saved syscall.PtraceRegs
	if err := syscall.PtraceGetRegs(t.pid, &saved); err != nil {
		return err
	}
	code := uintptr(saved.Rip)
	instructions := make([]byte, 2)
	if _, err := syscall.PtracePeekText(t.pid, code, instructions); err != nil {
		return err
	}
	program := filterProgram()
	at := saved.Rsp&^15 - 8192 // of the stack, which has nothing there yet
	data := binary.LittleEndian.AppendUint64(nil, uint64(len(program)/8))
	data = binary.LittleEndian.AppendUint64(data, at+16)
	if _, err := syscall.PtracePokeData(t.pid, uintptr(at), append(data, program...)); err != nil {
		return err
	}
	if _, err := syscall.PtracePokeText(t.pid, code, []byte{0x0f, 0x05}); err != nil { // syscall
		return err
	}
	for _, call := range [][4]uint64{
		{unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0},
		{unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, at},
	} {
		regs := saved
		regs.Rax, regs.Rdi, regs.Rsi, regs.Rdx, regs.R10, regs.R8 = call[0], call[1], call[2], call[3], 0, 0
		if err := syscall.PtraceSetRegs(t.pid, &regs); err != nil {
			return err
		}
		if err := syscall.PtraceSingleStep(t.pid); err != nil {
			return err
		}
		if err := t.stopped(); err != nil {
			return err
		}
		if err := syscall.PtraceGetRegs(t.pid, &regs); err != nil {
			return err
		}
		if result := int64(regs.Rax); result < 0 {
			return syscall.Errno(-result)
		}
	}
	if _, err := syscall.PtracePokeText(t.pid, code, instructions); err != nil {
		return err
	}
	return syscall.PtraceSetRegs(t.pid, &saved)
}

// filterProgram says which calls stop, in the kernel's language.
func filterProgram() (program []byte) {
	add := func(code uint16, yes, no uint8, k uint32) {
		program = binary.LittleEndian.AppendUint16(program, code)
		program = append(program, yes, no)
		program = binary.LittleEndian.AppendUint32(program, k)
	}
	add(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, 0, 0, 0) // the call's number
	left := len(kinds)
	for number := range kinds {
		add(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, uint8(left), 0, uint32(number))
		left--
	}
	add(unix.BPF_RET|unix.BPF_K, 0, 0, unix.SECCOMP_RET_ALLOW)
	add(unix.BPF_RET|unix.BPF_K, 0, 0, unix.SECCOMP_RET_TRACE)
	return program
}

// limit ends a program that does not. The function it returns ends that and says
// where the program's threads were if it happened.
func (t *tracer) limit() (stop func() string) {
	var mu sync.Mutex
	ended, hung := false, ""
	quit := time.AfterFunc(waitLimit, func() {
		mu.Lock()
		defer mu.Unlock()
		if !ended {
			hung = threads(t.pid)
			_ = syscall.Kill(t.pid, syscall.SIGQUIT) // bd says where its goroutines are, and ends
		}
	})
	kill := time.AfterFunc(waitLimit+waitLimit/4, func() {
		mu.Lock()
		defer mu.Unlock()
		if !ended {
			_ = syscall.Kill(t.pid, syscall.SIGKILL)
		}
	})
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		ended = true
		quit.Stop()
		kill.Stop()
		return hung
	}
}

// threads says what each thread of a process is doing.
func threads(pid int) string {
	said := "its threads:"
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	for _, task := range tasks {
		status, _ := os.ReadFile(filepath.Join(task, "status"))
		_, state, _ := strings.Cut(string(status), "State:\t")
		state, _, _ = strings.Cut(state, "\n")
		call, _ := os.ReadFile(filepath.Join(task, "syscall"))
		said += fmt.Sprintf("\n%s: %s, system call %s", filepath.Base(task), state, strings.TrimSpace(string(call)))
	}
	return said
}

// follow returns when the program and all that it started have ended.
func (t *tracer) follow() error {
	for len(t.leaders) > 0 {
		var status syscall.WaitStatus
		tid, err := syscall.Wait4(-1, &status, syscall.WALL|syscall.WNOTHREAD, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("wait: %w", err)
		case status.Exited() || status.Signaled():
			delete(t.leaders, tid)
			if tid == t.pid {
				t.result.code, t.result.killed = status.ExitStatus(), status.Signaled()
			}
			continue
		}
		signal := status.StopSignal()
		switch {
		case signal == syscall.SIGTRAP && status.TrapCause() == unix.PTRACE_EVENT_SECCOMP:
			err, signal = t.atCall(tid), 0
		case signal == syscall.SIGTRAP && status.TrapCause() > 0:
			signal = 0
		case t.leaders[tid] == 0: // a new thread or process stops once
			t.leaders[tid], signal = leader(tid), 0
		case signal == syscall.SIGSTOP: // late, after another signal; it must not stop the program
			signal = 0
		}
		if err == nil {
			err = syscall.PtraceCont(tid, int(signal))
		}
		if err != nil && !errors.Is(err, syscall.ESRCH) { // it was killed meanwhile
			return fmt.Errorf("trace: %w", err)
		}
	}
	return nil
}

// leader is the process of a thread.
func leader(tid int) int {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", tid))
	_, rest, _ := strings.Cut(string(data), "\nTgid:\t")
	first, _, _ := strings.Cut(rest, "\n")
	if n, err := strconv.Atoi(first); err == nil {
		return n
	}
	return tid
}

// atCall decides on the call that a thread is about to make.
func (t *tracer) atCall(tid int) error {
	var regs syscall.PtraceRegs
	if err := syscall.PtraceGetRegs(tid, &regs); err != nil {
		return err
	}
	kind := kinds[regs.Orig_rax]
	args := [2]uint64{regs.Rdi, regs.Rsi}
	var path string
	if kind.path < 0 {
		path, _ = os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", tid, int32(args[0])))
	} else {
		path = t.pathAt(tid, args, kind)
	}
	if !below(path, t.under) || below(path, t.spared) {
		return nil
	}
	t.result.calls++
	process := t.leaders[tid]
	if process == t.pid {
		t.result.own++
	}
	c := call{n: t.result.calls, own: t.result.own, name: kind.name, path: path, child: process != t.pid, returns: kind.returned(&regs)}
	v := t.decide(c)
	switch {
	case v.kill && v.children:
		for _, pid := range t.leaders {
			if dir, _ := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)); !below(dir, t.spared) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	case v.kill:
		_ = syscall.Kill(t.pid, syscall.SIGKILL)
	case v.errno != 0:
		t.result.struck++
		t.result.unsynced = t.result.unsynced || kind.name == "fsync" && strings.HasSuffix(path, ".jsonl")
		regs.Orig_rax, regs.Rax = ^uint64(0), -uint64(v.errno) // a call that there is not, and what it returns
		return syscall.PtraceSetRegs(tid, &regs)
	}
	return nil
}

func below(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

// pathAt reads the path that a call names.
func (t *tracer) pathAt(tid int, args [2]uint64, kind kind) string {
	var buffer [4096]byte
	local := []unix.Iovec{{Base: &buffer[0], Len: uint64(len(buffer))}}
	n, err := unix.ProcessVMReadv(tid, local, []unix.RemoteIovec{{Base: uintptr(args[kind.path]), Len: 1}}, 0)
	if err == nil { // to the end of the page, which may be the last one that is mapped
		size := 4096 - int(args[kind.path]%4096)
		local[0].Len = uint64(size)
		n, err = unix.ProcessVMReadv(tid, local, []unix.RemoteIovec{{Base: uintptr(args[kind.path]), Len: size}}, 0)
	}
	if err != nil {
		return ""
	}
	text, _, _ := bytes.Cut(buffer[:n], []byte{0})
	path := string(text)
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	base := fmt.Sprintf("/proc/%d/cwd", tid)
	if kind.path > 0 && int32(args[0]) != unix.AT_FDCWD {
		base = fmt.Sprintf("/proc/%d/fd/%d", tid, int32(args[0]))
	}
	dir, _ := os.Readlink(base)
	return filepath.Join(dir, path)
}

// A kind is a system call on a file.
type kind struct {
	name    string
	path    int // which argument names the file; -1: the first one is a descriptor
	returns []syscall.Errno
}

var (
	reading  = []syscall.Errno{syscall.EIO}
	writing  = []syscall.Errno{syscall.EIO, syscall.ENOSPC}
	looking  = []syscall.Errno{syscall.EIO, syscall.EACCES}
	altering = []syscall.Errno{syscall.EIO, syscall.EACCES, syscall.EROFS}
	naming   = []syscall.Errno{syscall.EIO, syscall.EACCES, syscall.EROFS, syscall.ENOSPC}
	opening  = []syscall.Errno{syscall.EIO, syscall.EACCES, syscall.EMFILE}
	creating = []syscall.Errno{syscall.EIO, syscall.EACCES, syscall.EMFILE, syscall.EROFS, syscall.ENOSPC}
)

// kinds are the calls that can fail by what the disk, the file system or the
// limits of a process do, and what they then return. Those that only lock or
// close are left out.
var kinds = map[uint64]kind{
	syscall.SYS_READ: {"read", -1, reading}, syscall.SYS_PREAD64: {"pread64", -1, reading}, syscall.SYS_FSTAT: {"fstat", -1, reading},
	syscall.SYS_GETDENTS64: {"getdents64", -1, reading}, syscall.SYS_WRITE: {"write", -1, writing}, syscall.SYS_PWRITE64: {"pwrite64", -1, writing},
	syscall.SYS_FSYNC: {"fsync", -1, writing}, syscall.SYS_FDATASYNC: {"fdatasync", -1, writing}, syscall.SYS_FALLOCATE: {"fallocate", -1, writing},
	syscall.SYS_FTRUNCATE: {"ftruncate", -1, writing}, syscall.SYS_FCHMOD: {"fchmod", -1, altering}, syscall.SYS_FCHOWN: {"fchown", -1, altering},
	syscall.SYS_OPEN: {"open", 0, opening}, syscall.SYS_OPENAT: {"openat", 1, opening}, syscall.SYS_CREAT: {"creat", 0, creating},
	syscall.SYS_STAT: {"stat", 0, looking}, syscall.SYS_LSTAT: {"lstat", 0, looking}, syscall.SYS_NEWFSTATAT: {"newfstatat", 1, looking},
	syscall.SYS_ACCESS: {"access", 0, looking}, syscall.SYS_FACCESSAT: {"faccessat", 1, looking}, unix.SYS_FACCESSAT2: {"faccessat2", 1, looking},
	syscall.SYS_UNLINK: {"unlink", 0, altering}, syscall.SYS_UNLINKAT: {"unlinkat", 1, altering}, syscall.SYS_RMDIR: {"rmdir", 0, altering},
	syscall.SYS_CHMOD: {"chmod", 0, altering}, syscall.SYS_FCHMODAT: {"fchmodat", 1, altering}, syscall.SYS_TRUNCATE: {"truncate", 0, altering},
	syscall.SYS_RENAME: {"rename", 0, naming}, syscall.SYS_RENAMEAT: {"renameat", 1, naming}, unix.SYS_RENAMEAT2: {"renameat2", 1, naming},
	syscall.SYS_MKDIR: {"mkdir", 0, naming}, syscall.SYS_MKDIRAT: {"mkdirat", 1, naming}, syscall.SYS_LINK: {"link", 0, naming}, syscall.SYS_LINKAT: {"linkat", 1, naming},
}

// returned are the errors of a call; one that opens a file to write it has more.
func (k kind) returned(regs *syscall.PtraceRegs) []syscall.Errno {
	flags := regs.Rsi
	if k.name == "openat" {
		flags = regs.Rdx
	}
	if (k.name == "open" || k.name == "openat") && flags&(syscall.O_WRONLY|syscall.O_RDWR|syscall.O_CREAT) != 0 {
		return creating
	}
	return k.returns
}
