package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// findGenerator returns the load generator's program, or why there is none.
func findGenerator(ctx context.Context, dir string) (program string, missing error) {
	at := os.Getenv("ROAMLINE_LOADGEN")
	if at == "" {
		at = filepath.Join("..", "shared", "bench")
	}
	info, err := os.Stat(at)
	if err != nil {
		return "", fmt.Errorf("%w (ROAMLINE_LOADGEN names its program or its source)", err)
	}
	if !info.IsDir() {
		program, err = filepath.Abs(at)
		return program, err
	}
	program = filepath.Join(dir, "loadgen")
	build := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
	build.Dir = at
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build in %s: %w: %s", at, err, out)
	}
	return program, nil
}

// generated is what of the load generator's figures the table shows.
type generated struct {
	Calls   int     `json:"calls"`
	Failed  int     `json:"failed_calls"`
	SRTP    string  `json:"srtp"`
	Loss    float64 `json:"loss_pct"`
	CPU     float64 `json:"server_cpu_us_per_pkt"`
	Rate    float64 `json:"relayed_pps"`
	ToWeb50 float64 `json:"p2w_p50_us"`
	ToWeb99 float64 `json:"p2w_p99_us"`
	ToSIP50 float64 `json:"w2p_p50_us"`
	ToSIP99 float64 `json:"w2p_p99_us"`
	Late50  float64 `json:"gen_late_p50_us"`
	Late99  float64 `json:"gen_late_p99_us"`
}

// relay measures what a relayed packet costs, plain RTP to DTLS-SRTP and back.
func relay(ctx context.Context, h *house, generator, dir string, p plan, t *table) error {
	door, err := openGate(h.http)
	if err != nil {
		return err
	}
	defer door.close()
	at, err := free()
	if err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(at)
	result := filepath.Join(dir, "relay.json")
	users := strconv.Itoa(p.users)
	cmd := exec.CommandContext(ctx, generator, "-driver", "sip", "-server", h.sip, "-ws", "ws://"+door.addr()+"/sip",
		"-dial", "sip:"+number+"@127.0.0.1", "-user", "+493055500", "-sipport", port, "-wuser", "web%d", "-wpass", h.password,
		"-wsusers", users, "-n", users, "-rate", strconv.Itoa(p.slower), "-secs", fmt.Sprint(p.voice.Seconds()),
		"-pid", strconv.Itoa(h.running.Process.Pid), "-json", result)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("load generator: %w: %s", err, out)
	}
	text, err := os.ReadFile(result)
	if err != nil {
		return fmt.Errorf("load generator: %w", err)
	}
	var g generated
	if err := json.Unmarshal(text, &g); err != nil {
		return fmt.Errorf("load generator: %w", err)
	}
	t.add("CPU per relayed packet", fmt.Sprintf("%.1f us", g.CPU),
		"plain RTP <-> DTLS-SRTP (%s), %d calls (%d failed), %.0f packets a second, %.3f %% lost; user + system time", g.SRTP, g.Calls, g.Failed, g.Rate, g.Loss)
	t.add("delay of a packet to the phone, p50 / p99", fmt.Sprintf("%.2f / %.2f ms", g.ToWeb50/1000, g.ToWeb99/1000),
		"one way, the load generator's own included; it sent late by %.2f / %.2f ms", g.Late50/1000, g.Late99/1000)
	t.add("delay of a packet to the trunk, p50 / p99", fmt.Sprintf("%.2f / %.2f ms", g.ToSIP50/1000, g.ToSIP99/1000), "the same")
	return nil
}

// A gate passes connections on to the server from an address of their own each
// (see own), as the load generator can't.
type gate struct {
	listener net.Listener
	to       string
	next     atomic.Int64
	work     sync.WaitGroup

	mu   sync.Mutex
	open map[net.Conn]bool // nil: closed
}

func openGate(to string) (*gate, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &gate{listener: l, to: to, open: map[net.Conn]bool{}}
	g.work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			g.work.Go(func() { g.pass(c) })
		}
	})
	return g, nil
}

func (g *gate) addr() string { return g.listener.Addr().String() }

// pass carries bytes both ways until either end closes.
func (g *gate) pass(c net.Conn) {
	defer c.Close()
	s, err := (&net.Dialer{LocalAddr: own(int(g.next.Add(1)-1) % 1000), Timeout: time.Second}).Dial("tcp", g.to)
	if err != nil {
		return
	}
	defer s.Close()
	g.mu.Lock()
	if g.open == nil {
		g.mu.Unlock()
		return
	}
	g.open[c] = true
	g.mu.Unlock()
	g.work.Go(func() {
		io.Copy(s, c)
		s.Close()
	})
	io.Copy(c, s)
	g.mu.Lock()
	delete(g.open, c)
	g.mu.Unlock()
}

func (g *gate) close() error {
	err := g.listener.Close()
	g.mu.Lock()
	for c := range g.open {
		err = errors.Join(err, c.Close())
	}
	g.open = nil
	g.mu.Unlock()
	g.work.Wait()
	return err
}
