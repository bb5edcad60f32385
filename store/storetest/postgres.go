package storetest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // database/sql's "pgx"
)

// Postgres starts a PostgreSQL server of t's own, on a Unix socket in a
// temporary folder, and returns the URL of an empty database in it. The server
// is stopped at the end of t, and by the kernel if the test process dies. t
// fails if PostgreSQL is not installed, or can't be run by a user other than
// root.
func Postgres(t testing.TB) (url string) {
	t.Helper()
	as := owner(t)
	dir, err := os.MkdirTemp("", "roamline-pg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if as != nil {
		if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(program(t, "initdb"), "--pgdata="+data, "--username=roamline", "--auth=trust",
		"--encoding=UTF8", "--locale=C", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = dir, &syscall.SysProcAttr{Credential: as}
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	serve(t, data, dir, as)
	return address(dir, "postgres")
}

// Database makes another empty database in the server at url and returns its
// URL.
func Database(t testing.TB, url string) string {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	name := fmt.Sprintf("db%d", databases.Add(1))
	if _, err := db.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	return replacePath(t, url, name)
}

var databases atomic.Int64

func address(dir, database string) string {
	q := url.Values{"host": {dir}, "user": {"roamline"}}
	return "postgres:///" + database + "?" + q.Encode()
}

func replacePath(t testing.TB, address, database string) string {
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + database
	return u.String()
}

// owner is who runs the server: postgres if this is root, whom initdb refuses;
// else whoever runs the test (nil).
func owner(t testing.TB) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Fatal("PostgreSQL does not run as root, and there is no user postgres: install postgresql, or run the tests as another user")
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// program finds one of PostgreSQL's programs: the newest that Debian has, which
// is not in its PATH, or else one in the PATH.
func program(t testing.TB, name string) string {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name) // the pattern is good
	if len(found) > 0 {
		slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
		return found[len(found)-1]
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("no %s in /usr/lib/postgresql/*/bin or the PATH: these tests need a real PostgreSQL (apt-get install postgresql)", name)
	}
	return path
}

// version is 15 for /usr/lib/postgresql/15/bin/postgres.
func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // what is not a number sorts first
	return n
}

func serve(t testing.TB, data, dir string, as *syscall.Credential) {
	t.Helper()
	var out bytes.Buffer
	server := exec.Command(program(t, "postgres"), "-D", data, "-k", dir, "-c", "listen_addresses=",
		"-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=100")
	server.Dir, server.Stdout, server.Stderr = dir, &out, &out
	server.SysProcAttr = &syscall.SysProcAttr{Credential: as, Pdeathsig: syscall.SIGQUIT}
	started, ended := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(ended)
		// The parent in Pdeathsig is the thread that started it: it must stay.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := server.Start()
		started <- err
		if err == nil {
			_ = server.Wait() // a server that was told to stop has nothing to say
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGINT) // "fast shutdown"; it may have ended already
		select {
		case <-ended:
		case <-time.After(30 * time.Second):
			_ = server.Process.Kill()
			<-ended
			t.Error("PostgreSQL did not stop within 30 s")
		}
	})
	waitFor(t, address(dir, "postgres"), ended, &out)
}

func waitFor(t testing.TB, url string, ended <-chan struct{}, out *bytes.Buffer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for db.PingContext(ctx) != nil {
		select {
		case <-ended:
			t.Fatalf("PostgreSQL did not start:\n%s", out)
		case <-ctx.Done():
			t.Fatal("PostgreSQL did not answer within a minute")
		case <-time.After(50 * time.Millisecond):
		}
	}
}
