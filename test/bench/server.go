package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/roamline/roamline/server"
)

const (
	stopLimit = 15 * time.Second // for the server to stop by itself
	maxAnswer = 4 << 20          // bytes of the API's answers and of the metrics
	maxWords  = 2000             // bytes of the log's end that an error shows
)

// buildServer builds the program of this tree into dir.
func buildServer(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "roamline")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/roamline/roamline/cmd/roamline").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return binary, nil
}

// A process is the server under measurement.
type process struct {
	running  *exec.Cmd
	ended    chan error
	data     string
	log      string // a file
	http     string // "127.0.0.1:port", for pages, metrics and WebSockets
	sip      string // the same, for SIP over UDP
	admin    *http.Client
	browsing *http.Client
}

// startServer runs the program on free ports and a core, and waits until it
// answers. Its data may be in dir already.
func startServer(ctx context.Context, binary, dir string, core int) (*process, error) {
	s := &process{data: filepath.Join(dir, "data"), log: filepath.Join(dir, "log"), ended: make(chan error, 1)}
	var at [4]string // HTTP, SIP by UDP and by TCP, voice
	for i := range at {
		var err error
		if at[i], err = free(); err != nil {
			return nil, err
		}
	}
	s.http, s.sip = at[0], at[1]
	s.admin = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return server.DialLocal(ctx, s.data)
	}}}
	s.browsing = &http.Client{Transport: &http.Transport{}}
	log, err := os.Create(s.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s.running = exec.Command(binary, "serve")
	s.running.Stderr = log // its standard output holds the link of the first administrator
	s.running.Dir = dir
	s.running.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "ROAMLINE_DATA_DIR=" + s.data,
		"ROAMLINE_HTTP_LISTEN=" + at[0], "ROAMLINE_SIP_UDP=" + at[1], "ROAMLINE_SIP_TCP=" + at[2], "ROAMLINE_VOICE_UDP=" + at[3],
		"ROAMLINE_SITE_COUNTRY=ES", "ROAMLINE_SITE_ANNOUNCE=false", "ROAMLINE_STOP_WITHIN=1s", "ROAMLINE_LOG_LEVEL=warn"}
	if err := startOn(s.running, core); err != nil {
		return nil, err
	}
	go func() { s.ended <- s.running.Wait() }()
	err = until(ctx, "the server is ready", func() (bool, error) {
		select {
		case err := <-s.ended:
			s.ended <- err
			return false, fmt.Errorf("the server ended: %v", err)
		default:
		}
		return s.ask(ctx, "GET", "/bindings", nil, nil) == nil, nil
	})
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("%w%s", err, s.lastWords())
	}
	return s, nil
}

// stop ends the server, as an operator would and else by force.
func (s *process) stop() error {
	s.admin.CloseIdleConnections()
	s.browsing.CloseIdleConnections()
	s.running.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-s.ended:
		return err
	case <-time.After(stopLimit):
		s.running.Process.Kill()
		<-s.ended
		return fmt.Errorf("the server did not stop within %v", stopLimit)
	}
}

// lastWords is the end of the server's log, for an error.
func (s *process) lastWords() string {
	text, err := os.ReadFile(s.log)
	if err != nil || len(text) == 0 {
		return ""
	}
	return "\nthe server's log ends:\n" + string(text[max(0, len(text)-maxWords):])
}

// ask calls the API as administrator and reads the answer into to, if not nil.
func (s *process) ask(ctx context.Context, method, path string, body, to any) error {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://local/api/v1"+path, in)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	text, err := answer(s.admin, req)
	if err == nil && to != nil {
		err = json.Unmarshal(text, to)
	}
	return err
}

// metrics reads /metrics.
func (s *process) metrics(ctx context.Context) (samples, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", "http://"+s.http+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	text, err := answer(s.browsing, req)
	return readSamples(string(text)), err
}

func answer(by *http.Client, req *http.Request) ([]byte, error) {
	res, err := by.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err == nil && res.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s %s", req.Method, req.URL.Path, res.Status, strings.TrimSpace(string(text)))
	}
	return text, err
}

// quiet waits until the server has no call.
func (s *process) quiet(ctx context.Context) error {
	return until(ctx, "all calls are over", func() (bool, error) {
		m, err := s.metrics(ctx)
		return m.sum("roamline_calls{") == 0, err
	})
}

// until waits until ok holds, which nothing announces.
func until(ctx context.Context, what string, ok func() (bool, error)) error {
	const every, most = 20 * time.Millisecond, 20 * time.Second
	for end := time.Now().Add(most); ; {
		if is, err := ok(); is || err != nil {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("not within %v: %s", most, what)
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w", what, ctx.Err())
		}
	}
}

// free returns an address on loopback whose port is free for UDP and TCP.
func free() (string, error) {
	for range 100 {
		u, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		at := u.LocalAddr().String()
		t, err := net.Listen("tcp", at)
		u.Close()
		if err == nil {
			return at, t.Close()
		}
	}
	return "", fmt.Errorf("no port is free for both UDP and TCP")
}
