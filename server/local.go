package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/roamline/roamline"
)

// SocketName is the administrator's socket in the data folder.
const SocketName = "roamline.sock"

// localGrace is how long requests may go on once the socket is to be closed.
const localGrace = 2 * time.Second

// A sockaddr_un holds 108 bytes with its final zero (unix(7)).
const maxSocketPath = 107

// ServeLocal serves h to the administrator on the Unix socket in dir, until
// stop is called, which takes at most two seconds. Whoever may open the socket (mode 0600: the server's user
// and root) is the administrator. The caller holds dir's lock, so that a
// socket which nobody answers at is a crashed server's and is replaced.
func ServeLocal(dir string, h http.Handler, log *slog.Logger) (stop func(context.Context) error, err error) {
	path, closePath, err := socketPath(dir)
	if err != nil {
		return nil, local(dir, err)
	}
	defer closePath()
	if err := removeStale(path); err != nil {
		return nil, local(dir, err)
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, local(dir, err)
	}
	// The path that was bound may be gone by then (see socketPath).
	l.SetUnlinkOnClose(false)
	real := filepath.Join(dir, SocketName)
	if err := os.Chmod(real, 0o600); err != nil {
		l.Close()
		return nil, local(dir, err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("local socket", "error", err)
		}
	}()
	return func(ctx context.Context) error {
		os.Remove(real)
		ctx, cancel := context.WithTimeout(ctx, localGrace) // streams of events never end by themselves
		defer cancel()
		err := srv.Shutdown(ctx)
		if err != nil {
			err = srv.Close()
		}
		<-done
		return err
	}, nil
}

// DialLocal connects with the server that runs on the data folder dir;
// Unavailable if none does.
func DialLocal(ctx context.Context, dir string) (net.Conn, error) {
	path, closePath, err := socketPath(dir)
	if err != nil {
		return nil, local(dir, err)
	}
	defer closePath()
	c, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		return nil, local(dir, err)
	}
	return c, nil
}

// socketPath returns a path to dir's socket that fits into a socket address:
// a long one goes through the folder's descriptor.
func socketPath(dir string) (path string, done func(), err error) {
	path = filepath.Join(dir, SocketName)
	if len(path) <= maxSocketPath {
		return path, func() {}, nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", f.Fd(), SocketName), func() { f.Close() }, nil
}

// removeStale removes a socket that nobody listens at, and nothing else.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return errors.New(SocketName + " is there and is not a socket; move it away")
	}
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		c.Close()
		return errors.New("another server answers at " + SocketName)
	}
	return os.Remove(path)
}

func local(dir string, err error) error {
	return &roamline.Error{Op: "server local socket", Kind: roamline.Unavailable, Of: dir, Err: err}
}
