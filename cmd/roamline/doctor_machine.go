package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const (
	fewFiles = 65536 // descriptors that a busy site may need
	lowDisk  = 1 << 30
	noDisk   = 100 << 20
)

// checkFolder looks at the data folder before anything opens it.
func checkFolder(dir string) []finding {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return []finding{ok("data folder", "%s will be made at the first start", dir)}
	}
	if err != nil {
		return []finding{fail("data folder", err.Error(), "Run this as the server's user or as root")}
	}
	if !info.IsDir() {
		return []finding{fail("data folder", dir+" is not a folder", "Move it away, or set data_dir")}
	}
	if err := unix.Access(dir, unix.R_OK|unix.W_OK|unix.X_OK); err != nil {
		return []finding{fail("data folder", dir+": "+err.Error(), "Give it to the server's user: chown -R roamline "+dir)}
	}
	var found []finding
	if info.Mode().Perm()&0o077 != 0 {
		found = append(found, fail("data folder", fmt.Sprintf("others may look into %s (mode %o): it holds keys and call records", dir, info.Mode().Perm()), "chmod 700 "+dir))
	} else {
		found = append(found, ok("data folder", "%s, for its owner alone", dir))
	}
	return append(found, checkDisk(dir))
}

func checkDisk(dir string) finding {
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err != nil {
		return warn("disk", err.Error(), "Look at "+dir+" yourself")
	}
	free := disk.Bavail * uint64(disk.Bsize)
	says := fmt.Sprintf("%d MiB free for %s", free>>20, dir)
	switch {
	case free < noDisk:
		return fail("disk", says, "Free some: without it call records are lost")
	case free < lowDisk:
		return warn("disk", says, "Free some before it is full")
	}
	return ok("disk", "%s", says)
}

// checkLimits looks at this shell's limit, which a service manager's may exceed.
func checkLimits(context.Context, *patient) []finding {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return []finding{warn("open files", err.Error(), "Look at ulimit -n yourself")}
	}
	// A Go program lifts its soft limit to the hard one by itself.
	if limit.Max < fewFiles {
		return []finding{warn("open files", fmt.Sprintf("at most %d from here; each browser takes one, each call on a trunk two", limit.Max),
			"Raise it where the server is started (systemd: LimitNOFILE=1048576; shell: ulimit -Hn)")}
	}
	return []finding{ok("open files", "at most %d", limit.Max)}
}

// checkTime asks the kernel whether its clock is kept by somebody
// (adjtimex(2)): tokens, certificates and call records depend on it.
func checkTime(context.Context, *patient) []finding {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	switch {
	case err != nil:
		return []finding{warn("time", "the kernel does not tell whether the clock is kept: "+err.Error(), "See that NTP runs: timedatectl")}
	case state == unix.TIME_ERROR || t.Status&unix.STA_UNSYNC != 0:
		return []finding{warn("time", "nobody keeps the clock right", "Run an NTP client: timedatectl set-ntp true, or chrony; in a container, on the host")}
	}
	return []finding{ok("time", "the clock is kept, to %d ms at worst", t.Maxerror/1000)}
}

func checkServer(_ context.Context, p *patient) []finding {
	switch {
	case p.fresh:
		return []finding{ok("server", "it has never run here")}
	case p.trouble != nil:
		return []finding{fail("server", p.trouble.Error(), "See the lines below; some checks were not possible")}
	case p.running:
		return []finding{ok("server", "it runs and answers at %s", filepath.Join(p.cfg.DataDir, "roamline.sock"))}
	}
	return []finding{ok("server", "it does not run; its data were looked at instead")}
}
