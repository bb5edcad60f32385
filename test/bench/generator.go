package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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
	OnCPU   float64 `json:"server_cpu_us_per_pkt_schedstat"` // as CPU, by the scheduler's clock and not by ticks
	Grown   float64 `json:"rss_kb_per_call"`                 // beyond what it had before the calls
	RSS     float64 `json:"rss_kb"`
	SetUp   float64 `json:"setup_server_cpu_ms_per_call"`
}

// generate runs the load generator on a core with what it is to do and returns
// its figures of the server, process pid.
func generate(ctx context.Context, program, dir string, core, pid int, args ...string) (g generated, raw []byte, err error) {
	result := filepath.Join(dir, "generated.json")
	if err := os.RemoveAll(result); err != nil { // it would be added to
		return g, nil, err
	}
	cmd := exec.CommandContext(ctx, program, append(args, "-pid", strconv.Itoa(pid), "-json", result)...)
	cmd.WaitDelay = time.Second
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err = startOn(cmd, core)
	if err == nil {
		err = cmd.Wait()
	}
	if err == nil {
		raw, err = os.ReadFile(result)
	}
	if err == nil {
		err = json.Unmarshal(raw, &g)
	}
	if err != nil {
		return g, nil, fmt.Errorf("load generator: %w: %s", err, said.Bytes())
	}
	return g, raw, nil
}
