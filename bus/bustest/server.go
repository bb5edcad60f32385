package bustest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// Server starts a NATS server process of t's own, with JetStream, on a free
// port of 127.0.0.1, and returns its URL. It ends with t, and by the kernel if
// the test process dies. The server is built from this module's own version
// of it, for what a distribution has is too old.
func Server(t testing.TB) (url string) {
	t.Helper()
	return Start(t, t.TempDir(), "").URL
}

// A Process is a NATS server that a test may kill.
type Process struct {
	URL   string
	dir   string
	pid   int
	ended chan struct{}
}

// Start starts a server with its files in dir: on the address of an earlier one
// ("nats://127.0.0.1:4222"), or on a free port if that is empty.
func Start(t testing.TB, dir, url string) *Process {
	t.Helper()
	port := "-1"
	if url != "" {
		port = url[strings.LastIndex(url, ":")+1:]
	}
	ports := t.TempDir() // where the server writes the port that it got
	var out bytes.Buffer
	server := exec.Command(binary(t), "--addr", "127.0.0.1", "--port", port, "--jetstream", "--store_dir", dir,
		"--ports_file_dir", ports)
	server.Stdout, server.Stderr = &out, &out
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p := &Process{dir: dir, ended: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		defer close(p.ended)
		// The parent in Pdeathsig is the thread that started it: it must stay.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := server.Start()
		started <- err
		if err == nil {
			_ = server.Wait() // it is killed in the end
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	p.pid = server.Process.Pid
	t.Cleanup(p.Kill)
	if p.URL = url; url == "" {
		p.URL = "nats://" + p.address(t, ports, &out)
	}
	p.wait(t, &out)
	return p
}

// Kill ends the server as kill -9 does and waits for its end. It may be called
// again.
func (p *Process) Kill() {
	select {
	case <-p.ended:
	default:
		_ = syscall.Kill(p.pid, syscall.SIGKILL) // it may have ended just now
		<-p.ended
	}
}

// Again starts a server on the files and the address of one that was killed.
func (p *Process) Again(t testing.TB) *Process {
	t.Helper()
	return Start(t, p.dir, p.URL)
}

// address reads the port from the file that the server writes once it listens.
func (p *Process) address(t testing.TB, dir string, out *bytes.Buffer) string {
	t.Helper()
	for {
		files, _ := filepath.Glob(filepath.Join(dir, "*.ports")) // the pattern is good
		if len(files) == 1 {
			if text, err := os.ReadFile(files[0]); err == nil {
				if _, rest, found := strings.Cut(string(text), "nats://"); found {
					address, _, _ := strings.Cut(rest, `"`)
					return address
				}
			}
		}
		select {
		case <-p.ended:
			t.Fatalf("the NATS server did not start:\n%s", out)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// wait returns when the server answers with JetStream.
func (p *Process) wait(t testing.TB, out *bytes.Buffer) {
	t.Helper()
	for {
		conn, err := nats.Connect(p.URL)
		if err == nil {
			_, err = conn.Request("$JS.API.INFO", nil, time.Second)
			conn.Close()
		}
		if err == nil {
			return
		}
		select {
		case <-p.ended:
			t.Fatalf("the NATS server did not start:\n%s", out)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

var built struct {
	once sync.Once
	file *os.File // open, and already removed: it goes with this process
	err  error
}

// binary builds the server once for this test process and returns a path to run
// it by. The go command keeps what it compiled, so only linking takes time.
func binary(t testing.TB) string {
	t.Helper()
	built.once.Do(func() { built.file, built.err = build() })
	if built.err != nil {
		t.Fatal(built.err)
	}
	return fmt.Sprintf("/proc/self/fd/%d", built.file.Fd())
}

func build() (*os.File, error) {
	dir, err := os.MkdirTemp("", "roamline-nats-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "nats-server")
	out, err := exec.Command("go", "build", "-o", path, "github.com/nats-io/nats-server/v2").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("building the NATS server: %w\n%s", err, out)
	}
	return os.Open(path)
}
