package voice

import "encoding/binary"

const (
	rtpHeaderLen = 12 // RFC 3550 section 5.1, without CSRC and extension
	maxPacket    = 1500
)

// An rtpHeader is what the engine reads of an RTP packet.
type rtpHeader struct {
	payload uint8 // payload type
	marker  bool
	seq     uint16
	ts      uint32
	ssrc    uint32
	start   int // where the payload begins
}

// parseRTP reads the header of b into h; false if b is no RTP packet
// (RFC 3550 section 5.1, appendix A.1). The payload may still be encrypted.
func parseRTP(b []byte, h *rtpHeader) bool {
	if len(b) < rtpHeaderLen || b[0]>>6 != 2 {
		return false
	}
	start := rtpHeaderLen + 4*int(b[0]&0x0f)
	if b[0]&0x10 != 0 {
		if len(b) < start+4 {
			return false
		}
		start += 4 + 4*int(binary.BigEndian.Uint16(b[start+2:]))
	}
	if len(b) < start {
		return false
	}
	h.payload = b[1] & 0x7f
	h.marker = b[1]&0x80 != 0
	h.seq = binary.BigEndian.Uint16(b[2:])
	h.ts = binary.BigEndian.Uint32(b[4:])
	h.ssrc = binary.BigEndian.Uint32(b[8:])
	h.start = start
	return true
}

// trimPadding returns b without its padding (RFC 3550 section 5.1); false if
// the padding is longer than the payload. b must be in the clear.
func trimPadding(b []byte, h *rtpHeader) ([]byte, bool) {
	if b[0]&0x20 == 0 {
		return b, true
	}
	n := int(b[len(b)-1])
	if n == 0 || h.start+n > len(b) {
		return nil, false
	}
	return b[:len(b)-n], true
}

// rewriteRTP writes h as a plain header of twelve bytes right before the
// payload of b and returns the packet that begins there. Extension and CSRC
// are overwritten: they belong to the other session.
func rewriteRTP(b []byte, h *rtpHeader) []byte {
	p := b[h.start-rtpHeaderLen:]
	putHeader(p, h)
	return p
}

// putHeader writes h to the first twelve bytes of p.
func putHeader(p []byte, h *rtpHeader) {
	p[0] = 2 << 6
	p[1] = h.payload
	if h.marker {
		p[1] |= 0x80
	}
	binary.BigEndian.PutUint16(p[2:], h.seq)
	binary.BigEndian.PutUint32(p[4:], h.ts)
	binary.BigEndian.PutUint32(p[8:], h.ssrc)
}
