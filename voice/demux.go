package voice

// A packetKind is what a datagram on a media port holds.
type packetKind uint8

const (
	foreignPacket packetKind = iota
	stunPacket
	dtlsPacket
	rtpPacket
	rtcpPacket
)

// classify tells STUN, DTLS, RTP and RTCP apart by their first bytes (RFC 7983
// section 7; RTCP by its packet type, RFC 5761 section 4).
func classify(b []byte) packetKind {
	if len(b) < 2 {
		return foreignPacket
	}
	switch c := b[0]; {
	case c <= 3:
		return stunPacket
	case c >= 20 && c <= 63:
		return dtlsPacket
	case c >= 128 && c <= 191:
		if b[1] >= 192 && b[1] <= 223 {
			return rtcpPacket
		}
		return rtpPacket
	}
	return foreignPacket
}
