package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/roamline/roamline/voice"
)

// checkPorts tries each port that the configuration names.
func checkPorts(ctx context.Context, p *patient) []finding {
	c := p.cfg
	var found []finding
	for _, door := range []struct {
		key, network string
		at           netip.AddrPort
	}{
		{"http.listen", "tcp", c.HTTP.Listen}, {"sip.udp", "udp", c.SIP.UDP}, {"sip.tcp", "tcp", c.SIP.TCP},
		{"sip.tls", "tcp", c.SIP.TLS}, {"voice.udp", "udp", c.Voice.UDP},
	} {
		if door.at.IsValid() {
			found = append(found, checkPort(ctx, p.running, door.key, door.network, door.at))
		}
	}
	return append(found, checkRange(p), checkIO())
}

func checkPort(ctx context.Context, running bool, key, network string, at netip.AddrPort) finding {
	name := strings.ToUpper(network) + " " + at.String()
	err := tryPort(ctx, network, at)
	switch {
	case err == nil && running && at.Port() != 0:
		return fail("port", fmt.Sprintf("%s (%s) is not open, though the server runs", name, key), "Restart the server: it was started with other settings")
	case err == nil:
		return ok("port", "%s (%s) is free", name, key)
	case errors.Is(err, syscall.EADDRINUSE):
		who := holderOf(network, at.Port())
		switch {
		case running && (who == "" || strings.HasPrefix(who, "roamline ")):
			return ok("port", "%s (%s) is open", name, key)
		case who == "":
			who = "another program"
		}
		return fail("port", fmt.Sprintf("%s (%s) is taken by %s", name, key, who), "Stop that program, or choose another port for "+key)
	case errors.Is(err, syscall.EACCES):
		return fail("port", fmt.Sprintf("%s (%s) is not for this user", name, key), "Choose a port above 1023, or let the server take low ones (systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE)")
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fail("port", fmt.Sprintf("%s (%s): this machine has no such address", name, key), "Set "+key+" to an address of this machine, or to :"+strconv.Itoa(int(at.Port())))
	}
	return fail("port", fmt.Sprintf("%s (%s): %v", name, key, err), "Choose another for "+key)
}

// tryPort opens a port and closes it at once.
func tryPort(ctx context.Context, network string, at netip.AddrPort) error {
	var l net.ListenConfig
	if network == "udp" {
		c, err := l.ListenPacket(ctx, "udp", at.String())
		if err == nil {
			c.Close()
		}
		return err
	}
	c, err := l.Listen(ctx, "tcp", at.String())
	if err == nil {
		c.Close()
	}
	return err
}

// checkRange looks whether some other program sits among the voice ports.
func checkRange(p *patient) finding {
	r := p.cfg.Voice.RTPPorts
	pairs := (int(r.Last) - int(r.First) + 1) / 2
	says := fmt.Sprintf("UDP %d-%d (voice.rtp_ports): room for %d legs of trunks and phones", r.First, r.Last, pairs)
	if pairs < 100 {
		return warn("port", says, "A call takes one or two legs; make the range larger if more are expected")
	}
	if low, high, ok := ephemeral(); ok && int(r.First) <= high && int(r.Last) >= low {
		return warn("port", says+fmt.Sprintf("; other programs are given ports from it too (%d-%d)", low, high),
			"Choose a range outside net.ipv4.ip_local_port_range, or reserve it: sysctl net.ipv4.ip_local_reserved_ports")
	}
	return ok("port", "%s", says)
}

// checkIO says how voice packets are read and sent.
func checkIO() finding {
	io, why := voice.IO()
	if why != nil {
		return ok("voice", "packets go by %s; the kernel does not allow io_uring, which would be cheaper: %v", io, why)
	}
	return ok("voice", "packets go by %s", io)
}

// ephemeral returns the range from which the kernel gives out ports.
func ephemeral() (low, high int, ok bool) {
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return 0, 0, false
	}
	n, err := fmt.Sscan(string(b), &low, &high)
	return low, high, err == nil && n == 2
}

// holderOf names the process that has a port open ("nginx 123"); empty if that
// can't be seen from here.
func holderOf(network string, port uint16) string {
	inodes := make(map[string]bool)
	for _, table := range []string{network, network + "6"} {
		b, err := os.ReadFile("/proc/net/" + table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			// proc(5): number, local address:port, remote, state, ..., the tenth is the inode.
			f := strings.Fields(line)
			if len(f) > 9 && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) && (network == "udp" || f[3] == "0A") {
				inodes["socket:["+f[9]+"]"] = true
			}
		}
	}
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil || len(inodes) == 0 {
		return ""
	}
	for _, link := range links {
		to, err := os.Readlink(link)
		if err != nil || !inodes[to] {
			continue
		}
		pid := strings.Split(link, "/")[2]
		name, err := os.ReadFile("/proc/" + pid + "/comm")
		if err != nil {
			continue
		}
		return strings.TrimSpace(string(name)) + " " + pid
	}
	return ""
}
