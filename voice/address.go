package voice

import (
	"net"
	"net/netip"
	"slices"

	"github.com/roamline/roamline"
)

// seenAs returns our address as the far end of path must see it: what the path
// says; else, if the far end is on this machine or in a local network, our
// address towards it; else the site's advertised address of the same family;
// else our address towards it.
func (e *Engine) seenAs(path roamline.Path, bind netip.Addr) (netip.Addr, error) {
	if path.Advertise != "" {
		a, err := netip.ParseAddr(path.Advertise)
		if err != nil {
			return netip.Addr{}, &roamline.Error{Op: "voice.Open", Kind: roamline.Invalid, Of: "advertised address", Err: err}
		}
		return a.Unmap(), nil
	}
	far := path.Remote.Addr().Unmap()
	if !e.local(far) {
		for _, a := range e.opt.Advertise {
			if !far.IsValid() || a.Is4() == far.Is4() {
				return a, nil
			}
		}
	}
	if !bind.IsUnspecified() {
		return bind, nil
	}
	return e.towards(far, bind)
}

// local reports whether far is reached without address translation.
func (e *Engine) local(far netip.Addr) bool {
	return far.IsLoopback() || slices.ContainsFunc(e.opt.LocalNetworks, func(p netip.Prefix) bool { return p.Contains(far) })
}

// towards returns the address with which the kernel would send to far. No
// packet is sent.
func (e *Engine) towards(far, bind netip.Addr) (netip.Addr, error) {
	if !far.IsValid() {
		if bind.Is4() {
			return netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
		}
		return netip.IPv6Loopback(), nil
	}
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(far, 9)))
	if err != nil {
		return netip.Addr{}, &roamline.Error{Op: "voice.Open", Kind: roamline.Unavailable, Of: far.String(), Err: err}
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap().WithZone(""), nil
}

// bindFor returns the address on which a leg's ports are opened: the bound one
// that faces the far end, or all addresses of its family.
func (e *Engine) bindFor(path roamline.Path) netip.Addr {
	far := path.Remote.Addr().Unmap()
	fits := func(a netip.Addr) bool { return !far.IsValid() || a.Is4() == far.Is4() }
	if i := slices.IndexFunc(e.opt.Bind, fits); i >= 0 {
		facing, err := e.towards(far, e.opt.Bind[i])
		if err == nil && slices.Contains(e.opt.Bind, facing) {
			return facing
		}
		return e.opt.Bind[i]
	}
	if far.Is6() {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

const maxCandidates = 12

// candidates returns the addresses at which a browser may reach its port: the
// best first.
func (e *Engine) candidates(path roamline.Path) ([]netip.AddrPort, error) {
	bound := e.browsers.Addr()
	bind := bound
	if bound.Is6() && bound.IsUnspecified() && path.Remote.Addr().Unmap().Is4() {
		bind = netip.IPv4Unspecified()
	}
	first, err := e.seenAs(path, bind)
	if err != nil {
		return nil, err
	}
	all := append([]netip.Addr{first}, e.opt.Advertise...)
	if len(e.opt.Advertise) == 0 && path.Advertise == "" && bound.IsUnspecified() {
		all = append(all, interfaces(path.Remote.Addr().IsLoopback())...)
	} else if !bound.IsUnspecified() && e.local(path.Remote.Addr().Unmap()) {
		all = append(all, bound)
	}
	var out []netip.AddrPort
	for _, a := range all {
		c := netip.AddrPortFrom(a, e.browsers.Port())
		if bound.Is4() && !a.Is4() || bound.Is6() && a.Is4() && !bound.IsUnspecified() || slices.Contains(out, c) || len(out) == maxCandidates {
			continue
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, &roamline.Error{Op: "voice.Open", Kind: roamline.Unavailable, Of: first.String()}
	}
	return out, nil
}

// interfaces lists this machine's addresses; link-local ones need a scope that
// a candidate cannot carry.
func interfaces(loopback bool) []netip.Addr {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var out []netip.Addr
	for _, i := range list {
		n, ok := i.(*net.IPNet)
		if !ok {
			continue
		}
		a, ok := netip.AddrFromSlice(n.IP)
		if a = a.Unmap(); ok && !a.IsLinkLocalUnicast() && (loopback || !a.IsLoopback()) {
			out = append(out, a)
		}
	}
	return out
}
