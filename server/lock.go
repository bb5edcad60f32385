package server

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/roamline/roamline"
)

// Lock makes the data folder dir, if need be, and takes it for this process
// alone; release gives it back. The lock is the kernel's (flock), so it never
// outlives the process.
//
// Errors: Conflict, naming the process that has it; Internal if the folder
// can't be made or used.
func Lock(dir string) (release func(), err error) {
	fail := func(kind roamline.Kind, err error) (func(), error) {
		return nil, &roamline.Error{Op: "server.Lock", Kind: kind, Of: dir, Err: err}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fail(roamline.Internal, err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fail(roamline.Internal, err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return fail(roamline.Conflict, fmt.Errorf("in use by %s", holder(f)))
		}
		return fail(roamline.Internal, err)
	}
	if err := writePID(f); err != nil {
		f.Close()
		return fail(roamline.Internal, err)
	}
	return func() { f.Close() }, nil
}

// writePID only tells people who has the lock; it decides nothing.
func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func holder(f *os.File) string {
	b, err := io.ReadAll(io.LimitReader(f, 32))
	if pid, bad := strconv.Atoi(strings.TrimSpace(string(b))); err == nil && bad == nil {
		return fmt.Sprintf("process %d", pid)
	}
	return "another process"
}
