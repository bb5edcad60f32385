package roamline

import (
	"net/netip"
	"time"
)

// A Trunk is the contract with a carrier or a PBX.
type Trunk struct {
	ID       TrunkID
	Name     string // unique
	Enabled  bool
	Gateways []Gateway // tried in order of Priority; the first is also the registrar

	// Sources are the addresses from which the trunk's calls come, beside the
	// addresses of the gateways. A zero Port matches every port, an empty
	// Transport every transport.
	Sources []Source

	// Register keeps a registration with the first gateway (RFC 3261 section
	// 10). Username also answers its digest challenges; the password is kept
	// apart (Secrets).
	Register bool
	Username string
	Domain   string // the host part of our From and of REGISTER; empty: the gateway's host

	Advertise string // our address as this trunk must see it; empty: the site's rule
	MaxCalls  int    // at the same time, both ways; 0: no limit

	In  []Rewrite // applied to numbers that arrive (called and calling)
	Out []Rewrite // applied to numbers that leave (called and calling)

	// Dials are the prefixes of normal numbers that leave by this trunk, longest
	// wins, then the name's order. Empty: every number.
	Dials     []string
	Emergency bool // emergency calls leave here first

	Identity  IdentityHeader // where the calling number travels
	SRTP      SRTPPolicy
	Codecs    []string // names in order ("PCMA", "PCMU", "opus"); empty: PCMA, PCMU, opus
	Symmetric bool     // learn the gateway's RTP address from its first packets (RFC 4961)

	Rev Rev
}

// A Gateway is one address of a trunk.
type Gateway struct {
	Host      string // name or IP address
	Port      int    // 0: 5060, or 5061 with TLS
	Transport string // "udp", "tcp" or "tls"
	Priority  int    // lower is tried first
}

// A Source is an address range that a trunk's requests come from.
type Source struct {
	Prefix    netip.Prefix
	Port      int    // 0: any
	Transport string // empty: any
}

// A Rewrite replaces a number that matches a regular expression (RE2, anchored
// at both ends); the first match wins. With may use $1.
type Rewrite struct {
	Match string
	With  string
}

// IdentityHeader says which header carries the calling number.
type IdentityHeader string

const (
	IdentityFrom IdentityHeader = "from"
	IdentityPAI  IdentityHeader = "pai" // P-Asserted-Identity (RFC 3325); also believed when it arrives
)

// SRTPPolicy says whether a trunk's voice is encrypted by keys in the SDP
// (RFC 4568).
type SRTPPolicy string

const (
	SRTPOff      SRTPPolicy = "off"
	SRTPOptional SRTPPolicy = "optional" // taken if offered, not offered
	SRTPRequired SRTPPolicy = "required"
)

// A TrunkStatus is what is known of a trunk now.
type TrunkStatus struct {
	Trunk      TrunkID
	Registered bool   // meaningful if the trunk registers
	Error      string // why not, in words an administrator understands; empty if all is well
	Since      time.Time
	Gateways   []GatewayStatus
	Calls      int
}

// A GatewayStatus is the result of the last OPTIONS ping (RFC 3261 section 11).
type GatewayStatus struct {
	Address   string
	Reachable bool
	RoundTrip time.Duration
	Checked   time.Time
}
