// Package config reads the one configuration file: its settings, their
// defaults, their check. Every setting is written once, in settings.go; the
// annotated file, the environment's names and the reading all come from there.
package config

import (
	"net/netip"
	"time"

	"github.com/roamline/roamline"
)

// A Config is what a server must know to start. Everything in it has been
// checked. A listening address that is not valid (the zero AddrPort) means
// that this door stays closed; 0.0.0.0 means every address of both families.
type Config struct {
	DataDir       string // absolute
	HTTP          HTTP
	SIP           SIP
	Voice         Voice
	Advertise     []netip.Addr   // our addresses as the others must see them; empty: those of the machine
	LocalNetworks []netip.Prefix // to these we show the machine's own address

	// These may hold a password. Empty: the embedded engine, in DataDir.
	DatabaseURL roamline.Secret
	NATSURL     roamline.Secret

	Site     roamline.Site
	Language string            // BCP 47, of people who have none of their own
	Methods  []roamline.Method // by which people may identify
	Log      Log

	StopWithin time.Duration // how long calls may go on once the server is asked to stop

	File string // the file that was read; empty: none
}

// HTTP is the door for pages, API and secure WebSocket.
type HTTP struct {
	Listen         netip.AddrPort
	Certificate    string // a PEM file; empty: ACME, the local authority, or plain HTTP
	Key            string // a PEM file
	ACME           ACME
	LocalAuthority bool     // beyond loopback, with no other certificate, make one by our own authority
	Names          []string // host names and addresses by which people open the pages
	TrustedProxies []netip.Prefix
	Origins        []string // further web origins whose pages may call us ("https://intranet.example")
}

// ACME is how certificates are got from a public authority (RFC 8555).
type ACME struct {
	Hosts     []string // empty: not used
	Email     string
	Directory string // URL; empty: Let's Encrypt
}

// SIP is the door for trunks and phones.
type SIP struct {
	UDP, TCP, TLS  netip.AddrPort
	Realm          string        // of digest challenges; phones' stored passwords depend on it
	OptionsEvery   time.Duration // between two OPTIONS to a trunk's gateway; 0: never
	SessionExpires time.Duration // offered session interval (RFC 4028), at least 90 s
}

// Voice is the voice engine's sockets and limits.
type Voice struct {
	UDP          netip.AddrPort // one port for all browsers
	RTPPorts     PortRange      // for trunks and phones
	SilenceLimit time.Duration  // no packet for so long ends a call; 0: never
	Threads      int            // 0: one per core
}

// A PortRange is UDP ports from First to Last, both inside; First is even.
type PortRange struct{ First, Last uint16 }

// Log is what the server says of itself.
type Log struct {
	Level  string // "debug", "info", "warn" or "error"
	Format string // "text" or "json"
}

// Default returns the settings that hold with no file and an environment of
// environ ("NAME=value"), of which only the home folder matters.
func Default(environ []string) Config {
	c, err := parse(nil, "", homeOnly(environ))
	if err != nil {
		panic("config: a default is wrong: " + err.Error()) // a test reads every default
	}
	return c
}
