package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	starts   = flag.Int("starts", 2, "how often TestSimultaneousStarts starts daemons")
	together = flag.Int("together", 8, "how many at a time")
)

// Of daemons that are started at once exactly one remains, whoever started it is
// told of it, and it serves.
func TestSimultaneousStarts(t *testing.T) {
	if _, err := os.Stat("/proc/self/exe"); err != nil {
		t.Skip("processes are counted in /proc")
	}
	s := newSite(t)
	stop := func() { _ = s.command("daemon", "stop").cmd().Run() } // fails where none runs
	t.Cleanup(stop)
	undo.add(stop)
	total := 0
	for n := range *starts {
		var all sync.WaitGroup
		gate := make(chan struct{})
		results := make([]traced, *together)
		for i := range results {
			all.Go(func() {
				<-gate
				results[i] = s.run(s.command("daemon", "start"))
			})
		}
		close(gate)
		all.Wait()
		begun := 0
		for _, r := range results {
			switch {
			case r.code == 0:
				begun++
			case !strings.Contains(r.stderr, "already running"):
				s.Errorf("round %d: exit code %d\n%s%s", n, r.code, r.stdout, r.stderr)
			}
		}
		if begun == 0 {
			s.Errorf("round %d: nobody says that it started one", n)
		}
		eventually(s, "one daemon remains", func() bool { return len(s.daemons()) == 1 })
		if r := s.run(s.command("daemon", "status")); r.code != 0 {
			s.Errorf("round %d: the one that remains does not serve: exit code %d\n%s", n, r.code, r.stderr)
		}
		s.must("daemon", "stop")
		eventually(s, "no daemon remains", func() bool { return len(s.daemons()) == 0 })
		if total += *together; t.Failed() {
			break
		}
	}
	lost := s.check()
	counts(t, total, 0, 0, lost)
}

// daemons are the processes that run this program in the site's directory.
func (s *site) daemons() (found []string) {
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	must(s, err)
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil || target != program {
			continue // not ours, or it has just ended
		}
		data, err := os.ReadFile(filepath.Join(filepath.Dir(link), "environ"))
		if err == nil && strings.Contains(string(data), "HOME="+filepath.Join(s.top, "home")) {
			found = append(found, fmt.Sprint(filepath.Base(filepath.Dir(link))))
		}
	}
	return found
}

// eventually waits until true comes true, which another process brings about.
func eventually(t testing.TB, what string, true func() bool) {
	t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	limit := time.NewTimer(waitLimit)
	defer limit.Stop()
	for !true() {
		select {
		case <-again.C:
		case <-limit.C:
			t.Fatalf("never came true: %s", what)
		}
	}
}
