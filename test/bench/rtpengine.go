package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// rtpenginePackage is Debian's.
const rtpenginePackage = "rtpengine-daemon"

// findRtpengine returns the program beside which we are measured, and its
// version. It installs Debian's package where that is missing and we may.
func findRtpengine(ctx context.Context, progress io.Writer) (program, version string, err error) {
	program, err = exec.LookPath("rtpengine")
	if err != nil && os.Geteuid() == 0 {
		fmt.Fprintln(progress, "rtpengine is missing: apt-get install", rtpenginePackage)
		install := exec.CommandContext(ctx, "apt-get", "install", "-y", "-q", "--no-install-recommends", rtpenginePackage)
		install.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		out, failed := install.CombinedOutput()
		if failed != nil {
			return "", "", fmt.Errorf("rtpengine is not here, and apt-get install %s: %w: %s", rtpenginePackage, failed, out)
		}
		program, err = exec.LookPath("rtpengine")
	}
	if err != nil {
		return "", "", fmt.Errorf("%w (apt-get install %s)", err, rtpenginePackage)
	}
	out, err := exec.CommandContext(ctx, program, "--version").CombinedOutput()
	if err != nil {
		return "", "", fmt.Errorf("%s --version: %w: %s", program, err, out)
	}
	return program, "rtpengine " + strings.TrimPrefix(strings.TrimSpace(string(out)), "Version: "), nil
}

// An rtpengine is one running rtpengine: in user space, with one media thread.
type rtpengine struct {
	running *exec.Cmd
	ended   chan error
	control string // "127.0.0.1:port" of its control protocol
}

func startRtpengine(ctx context.Context, program, dir string, core int) (*rtpengine, error) {
	at, err := free()
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "rtpengine.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	r := &rtpengine{control: at, ended: make(chan error, 1)}
	r.running = exec.Command(program, "--config-file=none", "--table=-1", "--interface=127.0.0.1", "--listen-ng="+at,
		"--foreground", "--log-stderr", "--log-level=3", "--num-threads=1", "--port-min=20000", "--port-max=39999",
		"--delete-delay=0", "--timeout=120", "--silent-timeout=120", "--pidfile="+filepath.Join(dir, "rtpengine.pid"))
	r.running.Stdout, r.running.Stderr = log, log
	if err := startOn(r.running, core); err != nil {
		return nil, err
	}
	go func() { r.ended <- r.running.Wait() }()
	if err := until(ctx, "rtpengine answers", func() (bool, error) { return r.pong(), nil }); err != nil {
		text, _ := os.ReadFile(log.Name())
		return nil, errors.Join(fmt.Errorf("%w: %s", err, text), r.stop())
	}
	return r, nil
}

// pong reports whether a ping is answered.
func (r *rtpengine) pong() bool {
	c, err := net.Dial("udp", r.control)
	if err != nil {
		return false
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(200 * time.Millisecond))
	c.Write([]byte("bench d7:command4:pinge"))
	buf := make([]byte, 1024)
	n, _ := c.Read(buf)
	return bytes.Contains(buf[:n], []byte("pong"))
}

func (r *rtpengine) stop() error {
	r.running.Process.Signal(syscall.SIGTERM)
	select {
	case <-r.ended: // by a signal or with a code, as it likes
		return nil
	case <-time.After(stopLimit):
		r.running.Process.Kill()
		<-r.ended
		return fmt.Errorf("rtpengine did not stop within %v", stopLimit)
	}
}
