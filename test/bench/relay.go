package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
)

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
	users := strconv.Itoa(p.users)
	g, _, err := generate(ctx, generator, dir, anywhere, h.running.Process.Pid, append(overSIP(h, door, port, users),
		"-rate", strconv.Itoa(p.slower), "-secs", fmt.Sprint(p.voice.Seconds()))...)
	if err != nil {
		return err
	}
	t.add("CPU per relayed packet", fmt.Sprintf("%.1f us", g.CPU),
		"plain RTP <-> DTLS-SRTP (%s), %d calls (%d failed), %.0f packets a second, %.3f %% lost; user + system time", g.SRTP, g.Calls, g.Failed, g.Rate, g.Loss)
	t.add("delay of a packet to the phone, p50 / p99", fmt.Sprintf("%.2f / %.2f ms", g.ToWeb50/1000, g.ToWeb99/1000),
		"one way, the load generator's own included; it sent late by %.2f / %.2f ms", g.Late50/1000, g.Late99/1000)
	t.add("delay of a packet to the trunk, p50 / p99", fmt.Sprintf("%.2f / %.2f ms", g.ToSIP50/1000, g.ToSIP99/1000), "the same")
	return nil
}

// overSIP has the load generator call users on port as a trunk, and answer as their
// browsers.
func overSIP(h *house, door *gate, port, users string) []string {
	return []string{"-driver", "sip", "-server", h.sip, "-ws", "ws://" + door.addr() + "/sip",
		"-dial", "sip:" + number + "@127.0.0.1", "-user", "+493055500", "-sipport", port, "-wuser", "web%d", "-wpass", h.password,
		"-wsusers", users, "-n", users}
}
