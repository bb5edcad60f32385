package roamline

import (
	"net/netip"
	"time"
)

// A Codec is one payload format of a media description (RFC 8866 section 6.6).
type Codec struct {
	Name     string // as registered with IANA: "PCMU", "PCMA", "opus", "G722", "telephone-event", "CN"
	Rate     int    // RTP clock, Hz
	Channels int    // 1, but 2 for opus (RFC 7587 section 7)
	Payload  uint8  // payload type in this session
	Fmtp     string // parameters as written; may be empty
}

// Is reports whether c and d are the same format, whatever their payload type.
// Names are compared without regard to case.
func (c Codec) Is(d Codec) bool {
	return equalFold(c.Name, d.Name) && c.Rate == d.Rate
}

func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		x, y := a[i], b[i]
		if x|0x20 != y|0x20 {
			return false
		}
	}
	return true
}

// The formats that the server knows, with the payload types that it offers
// (RFC 3551 section 6, RFC 7587, RFC 4733).
var (
	PCMU  = Codec{Name: "PCMU", Rate: 8000, Channels: 1, Payload: 0}
	PCMA  = Codec{Name: "PCMA", Rate: 8000, Channels: 1, Payload: 8}
	Opus  = Codec{Name: "opus", Rate: 48000, Channels: 2, Payload: 111, Fmtp: "minptime=10;useinbandfec=1"}
	DTMF8 = Codec{Name: "telephone-event", Rate: 8000, Channels: 1, Payload: 101, Fmtp: "0-16"}
	DTMF  = Codec{Name: "telephone-event", Rate: 48000, Channels: 1, Payload: 110, Fmtp: "0-16"} // beside opus
)

// A Transport says how voice travels on a leg.
type Transport string

const (
	RTP     Transport = "RTP/AVP"           // plain (RFC 3551)
	SDES    Transport = "RTP/SAVP"          // SRTP, keys in the SDP (RFC 4568)
	DTLS    Transport = "UDP/TLS/RTP/SAVPF" // ICE and DTLS-SRTP (RFC 5764, RFC 8827)
	AnyKind Transport = ""                  // decided by the offer that arrived
)

// A Direction is what flows on a leg, seen from the server (RFC 3264 section 6.1).
type Direction string

const (
	SendRecv Direction = "sendrecv"
	SendOnly Direction = "sendonly"
	RecvOnly Direction = "recvonly"
	Inactive Direction = "inactive"
)

// Reverse returns the direction as the other end sees it.
func (d Direction) Reverse() Direction {
	switch d {
	case SendOnly:
		return RecvOnly
	case RecvOnly:
		return SendOnly
	}
	return d
}

// A Path says how a leg's far end is reached by signalling, and so from where
// its voice will come.
type Path struct {
	Client    ClientID // who is there, if it is one of our clients
	Trunk     TrunkID  // or the trunk
	Transport string   // "udp", "tcp", "tls", "ws" or "wss"
	Remote    netip.AddrPort
	Advertise string    // our address as the far end must see it; empty: the site's rule
	Voice     Transport // the transport to offer
	Symmetric bool      // learn the voice's source (trunk policy, or a phone behind NAT)
}

// An Endpoint is the local side of a leg's voice: what the engine opened and a
// description announces.
type Endpoint struct {
	Transport   Transport
	Addr        netip.AddrPort // where RTP is received, as the far end must see it
	RTCP        netip.AddrPort // equal to Addr where multiplexed only (DTLS)
	SSRC        uint32         // of everything we send
	CNAME       string
	Ufrag, Pwd  string           // ICE credentials (RFC 8839); empty without ICE
	Candidates  []netip.AddrPort // further addresses beside Addr; host candidates
	Fingerprint string           // "sha-256 AB:CD:..." of our certificate (RFC 8122)
	Keys        []CryptoKey      // SDES: one for each suite that we can do, in order
}

// A CryptoKey is one line of RFC 4568: a suite and the master key with its salt.
type CryptoKey struct {
	Tag   int
	Suite string // "AEAD_AES_128_GCM", "AES_CM_128_HMAC_SHA1_80", ...
	Key   []byte // master key followed by master salt
}

// A Media is what an offer and its answer agreed for one leg.
type Media struct {
	Codec     Codec  // both ways; Payload is the one that we send
	Receive   uint8  // the payload type of Codec that the far end sends
	DTMF      *Codec // telephone-event, if agreed; Payload is the one that we send
	ReceiveTE uint8  // the telephone-event payload type that the far end sends
	Direction Direction
	Ptime     time.Duration // of what we send; 20 ms unless asked otherwise

	Transport Transport
	Remote    netip.AddrPort // RTP goes there; with ICE only a hint
	RTCP      netip.AddrPort // equal to Remote if multiplexed
	Mux       bool           // RTP and RTCP on one port (RFC 5761)
	Symmetric bool           // the far end's address may be learned (RFC 4961); from Path

	Ufrag, Pwd  string // the far end's ICE credentials
	Fingerprint string // the far end's certificate must match: "sha-256 AB:..."
	Active      bool   // we send the DTLS ClientHello (RFC 5763 section 5)

	Send, Recv CryptoKey // SDES: ours and theirs, the same suite
}

// Figures are what is known of the voice of one leg. Counts are of RTP packets
// unless they say otherwise.
type Figures struct {
	Codec      string
	Transport  Transport
	Received   uint64
	Sent       uint64
	Lost       uint64 // of those that the far end sent (RFC 3550 section 6.4.1)
	Discarded  uint64 // foreign, replayed, undecryptable or malformed
	FarLost    uint64 // as the far end reports
	Jitter     time.Duration
	FarJitter  time.Duration
	RoundTrip  time.Duration // 0 if never measured
	FirstVoice time.Time     // first packet received; zero if none
	LastVoice  time.Time
}

// A Prompt names a sound that the server plays: a tone or a spoken message.
type Prompt string

const (
	Ringback     Prompt = "ringback"
	BusyTone     Prompt = "busy"
	Congestion   Prompt = "congestion"
	HoldMusic    Prompt = "hold"
	NotSignedIn  Prompt = "not-signed-in"  // "The person you are calling is not at a telephone now."
	NumberVacant Prompt = "number-unknown" // "This number is not in use."
	NobodyPicked Prompt = "no-answer"      // "Nobody answers."
	TryLater     Prompt = "try-later"      // "The call cannot be connected now."
)
