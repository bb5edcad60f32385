package config

import (
	"fmt"
	"net/netip"
)

// Secure reports whether the pages are served over HTTPS. Without it a browser
// gives its microphone to pages on loopback only.
func (c Config) Secure() bool {
	return c.HTTP.Certificate != "" || len(c.HTTP.ACME.Hosts) > 0 || c.HTTP.LocalAuthority && !c.HTTP.Listen.Addr().IsLoopback()
}

// check finds what is wrong between settings that are each right alone.
func check(c Config) problems {
	var wrong problems
	say := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	h := c.HTTP
	say((h.Certificate == "") == (h.Key == ""), `http.certificate and http.key: one is set without the other. Example: certificate = "/etc/roamline/cert.pem" and key = "/etc/roamline/key.pem"`)
	say(h.Certificate == "" || len(h.ACME.Hosts) == 0, "http.acme.hosts: http.certificate is set too, and only one of them can be used. Remove the other")
	say(c.Secure() || h.Listen.Addr().IsLoopback(), `http.listen: %s is not loopback, and plain HTTP is served on loopback only: browsers refuse the microphone, and passwords would travel open. Set http.local_authority = true, or http.certificate and http.key, or http.acme.hosts; or listen = "127.0.0.1:8080"`, h.Listen)
	say(c.SIP.Realm != "", `sip.realm: it can't be empty. Example: realm = "roamline"`)
	say(c.Site.Name != "", `site.name: it can't be empty. Example: name = "Roamline"`)
	say(len(c.Methods) > 0, `site.methods: with none nobody could sign in. Example: methods = ["password", "pin"]`)
	wrong = append(wrong, checkPorts(c)...)
	wrong = append(wrong, checkAdvertised(c.Advertise)...)
	return wrong
}

// checkPorts finds doors of one protocol that would take each other's port.
// Port 0 is any free port and never meets another.
func checkPorts(c Config) problems {
	var wrong problems
	type door struct {
		key, protocol string
		at            netip.AddrPort
	}
	doors := []door{
		{"sip.udp", "UDP", c.SIP.UDP}, {"voice.udp", "UDP", c.Voice.UDP},
		{"http.listen", "TCP", c.HTTP.Listen}, {"sip.tcp", "TCP", c.SIP.TCP}, {"sip.tls", "TCP", c.SIP.TLS},
	}
	for i, a := range doors {
		if p := a.at.Port(); a.protocol == "UDP" && p >= c.Voice.RTPPorts.First && p <= c.Voice.RTPPorts.Last {
			wrong = append(wrong, fmt.Sprintf("voice.rtp_ports: %d-%d holds port %d of %s. Choose a range without it", c.Voice.RTPPorts.First, c.Voice.RTPPorts.Last, p, a.key))
		}
		for _, b := range doors[i+1:] {
			if a.protocol == b.protocol && a.at.Port() != 0 && a.at.Port() == b.at.Port() && overlap(a.at.Addr(), b.at.Addr()) {
				wrong = append(wrong, fmt.Sprintf("%s and %s: both want %s port %d. Choose another for one of them", a.key, b.key, a.protocol, a.at.Port()))
			}
		}
	}
	return wrong
}

func overlap(a, b netip.Addr) bool { return a == b || a.IsUnspecified() || b.IsUnspecified() }

func checkAdvertised(all []netip.Addr) problems {
	var wrong problems
	var four, six int
	for _, a := range all {
		if a.Is4() {
			four++
		} else {
			six++
		}
	}
	if four > 1 || six > 1 {
		wrong = append(wrong, `advertise: at most one IPv4 and one IPv6 address. A trunk that needs another has its own (roamline trunk set --advertise)`)
	}
	return wrong
}
