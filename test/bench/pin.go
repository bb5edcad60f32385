package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// anywhere is the core of a process that is not pinned.
const anywhere = -1

const mostCores = 1024 // that a CPUSet can name

// cores returns the first two cores that we may use: the server's and the load
// generator's.
func cores() (server, generator int, err error) {
	var may unix.CPUSet
	if err := unix.SchedGetaffinity(0, &may); err != nil {
		return 0, 0, os.NewSyscallError("sched_getaffinity", err)
	}
	var found []int
	for i := 0; len(found) < 2 && i < mostCores; i++ {
		if may.IsSet(i) {
			found = append(found, i)
		}
	}
	if len(found) < 2 {
		return 0, 0, errors.New("a comparison needs two cores: one for the server, one for the load generator")
	}
	return found[0], found[1], nil
}

// startOn starts cmd on one core, before its first instruction, so that a
// program that counts the cores counts one. It gets a session of its own and
// with it a scheduler group (sched(7), autogroup), whose weight is raised if we
// may: other work on the machine then disturbs less. A signal of the terminal
// does not reach it.
func startOn(cmd *exec.Cmd, core int) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	if core == anywhere {
		return cmd.Start()
	}
	cmd.SysProcAttr.Setsid = true
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, only unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return os.NewSyscallError("sched_getaffinity", err)
	}
	only.Set(core)
	if err := unix.SchedSetaffinity(0, &only); err != nil {
		return os.NewSyscallError("sched_setaffinity", err)
	}
	err := cmd.Start()
	err = errors.Join(err, os.NewSyscallError("sched_setaffinity", unix.SchedSetaffinity(0, &before)))
	if err != nil {
		return err
	}
	os.WriteFile(fmt.Sprintf("/proc/%d/autogroup", cmd.Process.Pid), []byte("-20"), 0)
	return nil
}
