package voice

import (
	"time"

	"github.com/roamline/roamline"
)

const (
	maxSources    = 1024                          // SSRCs that one leg may show in its life
	sourceQuiet   = int64(200 * time.Millisecond) // a source that spoke within it is not displaced by the one before
	comfortNoise  = 13                            // static payload type (RFC 3389 section 4)
	eventLen      = 4                             // bytes of a telephone-event (RFC 4733 section 2.3)
	nsPerSecond   = int64(time.Second)
	frameDuration = 20 * time.Millisecond
)

// rtpIn takes an RTP packet from the source that is the leg's far end, or may
// become it; false if the packet is not valid. b is decrypted and rewritten in
// place.
func (t *thread) rtpIn(l *leg, b []byte) bool {
	var h rtpHeader
	if len(b) > maxPacket || !l.connected || !parseRTP(b, &h) {
		t.discard(l)
		return false
	}
	event := l.media.DTMF != nil && h.payload == l.media.ReceiveTE
	if !event && h.payload != l.media.Receive && h.payload != comfortNoise || !l.admits(h.ssrc, t.now) {
		t.discard(l)
		return false
	}
	if l.keys.in != nil {
		var err error
		if b, err = l.keys.in.decryptRTP(b, &h, &t.rtpHead); err != nil {
			t.discard(l)
			return false
		}
	} else if l.secret() {
		t.discard(l)
		return false
	}
	b, ok := trimPadding(b, &h)
	if !ok {
		t.discard(l)
		return false
	}
	fresh := l.recv.started && l.recv.ssrc != h.ssrc
	v := l.recv.take(h.ssrc, h.seq, h.ts, t.now, int64(l.media.Codec.Rate))
	if v == unwanted {
		t.discard(l)
		return true
	}
	if fresh {
		l.sources++
	}
	t.heard(l)
	t.deliver(l, b, &h, event, v)
	return true
}

// secret reports whether the leg may not be spoken to in the clear.
func (l *leg) secret() bool {
	return l.web != nil || l.media.Transport == roamline.SDES
}

// admits reports whether a packet of this SSRC may be listened to. The source
// may change at any time, but not back while the new one speaks: two that
// interleave would tear the voice. The number of changes is bounded, since
// SRTP keeps state for each.
func (l *leg) admits(ssrc uint32, now int64) bool {
	if !l.recv.started || ssrc == l.recv.ssrc {
		return true
	}
	if ssrc == l.recv.before && l.sources > 0 && now-l.lastVoice < sourceQuiet {
		return false
	}
	return l.sources < maxSources
}

// heard notes that a valid packet of the far end came.
func (t *thread) heard(l *leg) {
	t.counts.received++
	l.lastVoice = t.now
	if l.firstVoice.IsZero() {
		l.firstVoice = t.e.wall(t.now)
		t.e.emit(roamline.FirstVoice{At: roamline.At{Time: l.firstVoice}, Leg: l.id})
	}
}

// deliver gives a packet, in the clear, to the leg that listens.
func (t *thread) deliver(l *leg, b []byte, h *rtpHeader, event bool, v verdict) {
	dst := l.listener
	if dst == nil || !l.receives() || !dst.open() {
		return
	}
	switch {
	case dst.feed == silent || dst.player.on || dst.dial.on:
	case event:
		t.relayEvent(l, dst, b, h, v)
	case h.payload == comfortNoise: // was not agreed to
		dst.send.skip(h.seq)
	case dst.feed == relayed:
		t.relay(dst, b, h, dst.media.Codec.Payload, v)
	case dst.feed == decoded:
		dst.hearing.push(h.seq, b[h.start:], v == restart)
		t.keepPace(dst)
	}
}

// relay sends b on to dst with a header of our own; the payload is untouched.
func (t *thread) relay(dst *leg, b []byte, h *rtpHeader, payload uint8, v verdict) {
	if v == restart {
		dst.send.resync()
	}
	h.payload = payload
	if dst.send.relay(h, t.now) {
		t.sendRTP(dst, rewriteRTP(b, h))
	}
}

// relayEvent sends a telephone-event on, with the listener's payload type and
// its clock.
func (t *thread) relayEvent(l, dst *leg, b []byte, h *rtpHeader, v verdict) {
	if dst.media.DTMF == nil || len(b)-h.start < eventLen {
		dst.send.skip(h.seq)
		return
	}
	from, to := l.media.DTMF.Rate, dst.media.DTMF.Rate
	if dst.feed == relayed && from == to {
		t.relay(dst, b, h, dst.media.DTMF.Payload, v)
		return
	}
	scaleEvent(b[h.start:], from, to)
	dst.keyed.follow(h, &dst.send, t.now)
	h.payload = dst.media.DTMF.Payload
	dst.send.made(h, dst.keyed.out, t.now)
	t.sendRTP(dst, rewriteRTP(b, h))
}

// sendRTP sends a packet in the clear to the leg's far end, encrypted if the
// leg has keys.
func (t *thread) sendRTP(l *leg, p []byte) {
	l.send.packets++
	l.send.octets += uint64(len(p) - rtpHeaderLen)
	t.counts.sent++
	if l.web != nil {
		c, err := l.keys.out.encryptRTP(t.io.buffer(), p, &t.rtpHead)
		if err != nil {
			t.counts.failed++
			return
		}
		t.io.put(len(c), &l.web.to, l.web.local)
		return
	}
	if l.keys.out != nil {
		c, err := l.keys.out.encryptRTP(t.cipher, p, &t.rtpHead)
		if err != nil {
			t.counts.failed++
			return
		}
		p = c
	}
	if !t.io.send(l.trunk.rtp, p, &l.trunk.to) {
		t.counts.failed++
	}
}
