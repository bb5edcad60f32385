package sip

import (
	"net"
	"net/netip"
)

// A site is the host and port under which a peer reaches us.
type site struct {
	host string // without brackets
	port int    // 0: the transport's default
}

// siteFor says what we call ourselves towards f: what its trunk wants, else our
// own address towards local networks and machines, else the address that the
// outside sees.
func (d *Door) siteFor(f *flow, wanted string) site {
	at := site{port: d.portFor(f)}
	if wanted != "" {
		at.host = wanted
		if host, port, err := net.SplitHostPort(wanted); err == nil {
			at.host = host
			if n, err := net.LookupPort("tcp", port); err == nil {
				at.port = n
			}
		}
		return at
	}
	remote := f.remote.Addr()
	if !remote.IsLoopback() && !within(d.opt.LocalNetworks, remote) {
		for _, a := range d.opt.Advertise {
			if a.Is4() == remote.Is4() {
				at.host = a.Unmap().String()
				return at
			}
		}
	}
	at.host = d.localAddr(f).String()
	return at
}

func within(list []netip.Prefix, a netip.Addr) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// localAddr is our own address on the way to f.
func (d *Door) localAddr(f *flow) netip.Addr {
	if a := f.local.Addr(); a.IsValid() && !a.IsUnspecified() {
		return a
	}
	// A socket that is bound to no address: the kernel says which one it would
	// use. Connecting a UDP socket sends nothing.
	if c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(f.remote)); err == nil {
		defer c.Close()
		return addrPort(c.LocalAddr()).Addr()
	}
	return f.remote.Addr()
}

// portFor is the port at which we are served for the transport of f.
func (d *Door) portFor(f *flow) int {
	if f.udp != nil {
		return int(f.local.Port())
	}
	if f.web() {
		return int(f.local.Port())
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	for l, transport := range d.listeners {
		if transport == f.transport {
			return int(addrPort(l.Addr()).Port())
		}
	}
	return int(f.local.Port())
}
