package voice

import (
	"encoding/binary"
	"math/rand/v2"
	"time"
)

// RTCP packet types (RFC 3550 section 12.1).
const (
	typeSR   = 200
	typeRR   = 201
	typeSDES = 202
	typeBYE  = 203

	srLen    = 28 // a sender report without blocks
	rrLen    = 8
	blockLen = 24
)

// ntpEpoch is 1970 in seconds of NTP.
const ntpEpoch = 2208988800

// reportGap returns the time to the next report, between half and one and a
// half of the mean, so that legs do not report in step (RFC 3550 section 6.2).
func (e *Engine) reportGap() int64 {
	mean := int64(e.opt.ReportEvery)
	return mean/2 + rand.Int64N(mean+1)
}

// A farReport is what the far end told in its reports.
type farReport struct {
	lost      uint64
	jitter    time.Duration
	roundTrip time.Duration
	ended     bool // it said BYE
}

// ntp returns t as a 64 bit NTP time (RFC 3550 section 4).
func ntp(t time.Time) uint64 {
	return uint64(t.Unix()+ntpEpoch)<<32 | uint64(t.Nanosecond())<<32/1e9
}

// appendReport appends a sender report if voice was sent since the last one,
// else a receiver report (RFC 3550 section 6.4).
func (l *leg) appendReport(b []byte, now int64, wall time.Time) []byte {
	blocks := byte(0)
	if l.recv.started {
		blocks = 1
	}
	words := func(n int) uint16 { return uint16(n/4 - 1) }
	if l.send.packets > l.sentAtSR {
		b = append(b, 2<<6|blocks, typeSR)
		b = binary.BigEndian.AppendUint16(b, words(srLen+int(blocks)*blockLen))
		b = binary.BigEndian.AppendUint32(b, l.send.ssrc)
		b = binary.BigEndian.AppendUint64(b, ntp(wall))
		b = binary.BigEndian.AppendUint32(b, l.send.lastTS+uint32(l.send.elapsed(now)))
		b = binary.BigEndian.AppendUint32(b, uint32(l.send.packets))
		b = binary.BigEndian.AppendUint32(b, uint32(l.send.octets))
	} else {
		b = append(b, 2<<6|blocks, typeRR)
		b = binary.BigEndian.AppendUint16(b, words(rrLen+int(blocks)*blockLen))
		b = binary.BigEndian.AppendUint32(b, l.send.ssrc)
	}
	l.sentAtSR = l.send.packets
	if blocks == 1 {
		b = l.recv.appendBlock(b, now)
	}
	return b
}

// appendBlock appends a report block (RFC 3550 section 6.4.1).
func (r *reception) appendBlock(b []byte, now int64) []byte {
	b = binary.BigEndian.AppendUint32(b, r.ssrc)
	lost := min(r.sourceLost(), 0x7fffff)
	b = binary.BigEndian.AppendUint32(b, uint32(r.fraction())<<24|uint32(lost))
	b = binary.BigEndian.AppendUint32(b, r.highest())
	b = binary.BigEndian.AppendUint32(b, uint32(r.jitter))
	b = binary.BigEndian.AppendUint32(b, r.lastSR)
	var delay uint32
	if r.lastSR != 0 {
		delay = uint32((now - r.lastSRAt) * 65536 / nsPerSecond)
	}
	return binary.BigEndian.AppendUint32(b, delay)
}

// appendName appends the SDES packet with the CNAME (RFC 3550 section 6.5).
func appendName(b []byte, ssrc uint32, cname string) []byte {
	at := len(b)
	b = append(b, 2<<6|1, typeSDES, 0, 0)
	b = binary.BigEndian.AppendUint32(b, ssrc)
	b = append(b, 1, byte(len(cname)))
	b = append(b, cname...)
	b = append(b, 0)
	for (len(b)-at)%4 != 0 {
		b = append(b, 0)
	}
	binary.BigEndian.PutUint16(b[at+2:], uint16((len(b)-at)/4-1))
	return b
}

// appendBye appends a BYE (RFC 3550 section 6.6).
func appendBye(b []byte, ssrc uint32) []byte {
	b = append(b, 2<<6|1, typeBYE, 0, 1)
	return binary.BigEndian.AppendUint32(b, ssrc)
}

// sendReport sends the leg's report and sets the time of the next.
func (t *thread) sendReport(l *leg, now int64) {
	if !l.ready {
		return
	}
	t.timers.set(&l.report, now+t.e.reportGap())
	if !l.reachable() {
		return
	}
	b := l.appendReport(t.plain[:0], now, t.e.wall(now))
	t.sendRTCP(l, appendName(b, l.send.ssrc, l.cname))
}

// sendBye tells a trunk that nothing more comes.
func (t *thread) sendBye(l *leg) {
	if l.trunk == nil || !l.ready || !l.reachable() || l.send.packets == 0 {
		return
	}
	b := l.appendReport(t.plain[:0], t.now, t.e.wall(t.now))
	t.sendRTCP(l, appendBye(appendName(b, l.send.ssrc, l.cname), l.send.ssrc))
}

func (t *thread) sendRTCP(l *leg, b []byte) {
	if l.web != nil {
		c, err := l.keys.out.EncryptRTCP(t.io.buffer(), b, &t.rtcpHead)
		if err != nil {
			t.counts.failed++
			return
		}
		t.io.put(len(c), &l.web.to, l.web.local)
		return
	}
	if l.keys.out != nil {
		c, err := l.keys.out.EncryptRTCP(t.cipher, b, &t.rtcpHead)
		if err != nil {
			t.counts.failed++
			return
		}
		b = c
	}
	s := l.trunk
	sock, to := s.rtcp, &s.ctlT
	if l.media.Mux {
		sock, to = s.rtp, &s.to
	}
	if !t.io.send(sock, b, to) {
		t.counts.failed++
	}
}

// rtcpIn takes RTCP from the leg's far end. Feedback for pictures and the like
// has no meaning here and is passed over.
func (t *thread) rtcpIn(l *leg, b []byte) {
	if !l.connected || len(b) > maxPacket {
		t.discard(l)
		return
	}
	if l.keys.in != nil {
		var err error
		if b, err = l.keys.in.DecryptRTCP(b[:0], b, &t.rtcpHead); err != nil {
			t.discard(l)
			return
		}
	} else if l.secret() {
		t.discard(l)
		return
	}
	if !eachRTCP(b, func(kind byte, count int, p []byte) { t.control(l, kind, count, p) }) {
		t.discard(l)
	}
}

// eachRTCP calls f with each packet of a compound: its type, its count field,
// and all of its bytes. False if b is not well formed (RFC 3550 appendix A.2);
// then f was not called.
func eachRTCP(b []byte, f func(kind byte, count int, p []byte)) bool {
	if len(b) < rrLen {
		return false
	}
	for pass := range 2 {
		for rest := b; len(rest) > 0; {
			if len(rest) < 4 || rest[0]>>6 != 2 || rest[1] < 192 || rest[1] > 223 {
				return false
			}
			n := 4 * (int(binary.BigEndian.Uint16(rest[2:])) + 1)
			if n > len(rest) {
				return false
			}
			if pass == 1 {
				f(rest[1], int(rest[0]&0x1f), rest[:n])
			}
			rest = rest[n:]
		}
	}
	return true
}

// control takes one RTCP packet.
func (t *thread) control(l *leg, kind byte, count int, p []byte) {
	switch {
	case kind == typeSR && len(p) >= srLen:
		if binary.BigEndian.Uint32(p[4:]) == l.recv.ssrc && l.recv.started {
			l.recv.lastSR, l.recv.lastSRAt = uint32(binary.BigEndian.Uint64(p[8:])>>16), t.now
		}
		t.blocks(l, count, p[srLen:])
	case kind == typeRR && len(p) >= rrLen:
		t.blocks(l, count, p[rrLen:])
	case kind == typeBYE && len(p) >= 8:
		// The dialog's BYE ends a leg, not this one.
		l.far.ended = binary.BigEndian.Uint32(p[4:]) == l.recv.ssrc
	}
}

// blocks reads the report blocks about what we sent (RFC 3550 section 6.4.1).
func (t *thread) blocks(l *leg, count int, p []byte) {
	for ; count > 0 && len(p) >= blockLen; count, p = count-1, p[blockLen:] {
		if binary.BigEndian.Uint32(p) != l.send.ssrc {
			continue
		}
		lost := int32(binary.BigEndian.Uint32(p[4:])<<8) >> 8 // 24 bits, signed
		l.far.lost = uint64(max(lost, 0))
		l.far.jitter = time.Duration(int64(binary.BigEndian.Uint32(p[12:])) * nsPerSecond / l.send.rate)
		last, delay := binary.BigEndian.Uint32(p[16:]), binary.BigEndian.Uint32(p[20:])
		if last == 0 {
			continue
		}
		// Middle 32 bits of NTP: units of 1/65536 s.
		trip := int32(uint32(ntp(t.e.wall(t.now))>>16) - last - delay)
		if trip >= 0 && trip < 60<<16 {
			l.far.roundTrip = time.Duration(max(int64(trip), 1) * nsPerSecond / 65536)
		}
	}
}
