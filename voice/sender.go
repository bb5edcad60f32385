package voice

// A sender numbers what goes to one far end. Its SSRC never changes, its
// sequence numbers never repeat and its timestamps follow the clock, whichever
// source the packets come from (RFC 3550 section 5.1). It is owned by the leg's
// thread.
//
// A number is used once even if a source repeats it: under SRTP a second
// packet with the same index would give the key stream away (RFC 3711
// section 9.1).
type sender struct {
	ssrc   uint32
	rate   int64 // RTP clock, Hz
	top    int64 // highest sequence number sent, with its roll-overs; the low 16 bits are on the wire
	window uint64
	base   int64 // no packet of the present source may go below
	lastTS uint32
	lastAt int64 // ns, when lastTS was sent

	mapped bool // the offsets below hold
	seqOff uint16
	tsOff  uint32
	inSeq  uint16
	inTS   uint32
	hasTS  bool // inTS is of the present source

	ticking bool   // the last packets were made here
	tickTS  uint32 // timestamp of the present 20 ms

	packets, octets uint64
}

// resync makes the next packet begin a new source.
func (s *sender) resync() { s.mapped, s.ticking = false, false }

// elapsed returns the clock ticks since the last packet.
func (s *sender) elapsed(now int64) int64 { return (now - s.lastAt) * s.rate / 1e9 }

// begin returns the timestamp with which a new source begins: what the clock
// says, but at least 20 ms after the last.
func (s *sender) begin(now int64) uint32 {
	if s.packets == 0 {
		return s.lastTS
	}
	return s.lastTS + uint32(max(s.elapsed(now), s.rate/50))
}

// relay turns the sequence number and timestamp of a source's packet into
// ours; false if the packet comes too late or twice. A source that is new
// begins with the marker set, so that a playout buffer aligns to it
// (RFC 3551 section 4.1).
func (s *sender) relay(h *rtpHeader, now int64) bool {
	if !s.mapped {
		s.seqOff = uint16(s.top+1) - h.seq
		s.tsOff = s.begin(now) - h.ts
		s.base = s.top + 1
		s.mapped, s.ticking, s.hasTS = true, false, false
		h.marker = true
	} else if s.jumped(h, now) {
		s.tsOff = s.begin(now) - h.ts
	}
	seq := h.seq + s.seqOff
	at := s.top + int64(int16(seq-uint16(s.top)))
	if !s.take(at) {
		return false
	}
	if at == s.top {
		s.inSeq = h.seq
		// The packets of an event share one timestamp: its time is the first's.
		if h.ts != s.inTS || !s.hasTS {
			s.inTS, s.hasTS = h.ts, true
			s.lastTS, s.lastAt = h.ts+s.tsOff, now
		}
	}
	h.seq, h.ts, h.ssrc = seq, h.ts+s.tsOff, s.ssrc
	return true
}

// skip closes the gap that a packet of the source leaves that is not sent on.
func (s *sender) skip(seq uint16) {
	if s.mapped && int16(seq-s.inSeq) > 0 {
		s.seqOff--
	}
}

// jumped reports whether h's timestamp follows neither the sequence numbers,
// at up to 120 ms a packet, nor the clock, within a second.
func (s *sender) jumped(h *rtpHeader, now int64) bool {
	dseq := int64(int16(h.seq - s.inSeq))
	if dseq <= 0 {
		return false
	}
	dts := int64(int32(h.ts - s.inTS))
	if dts >= 0 && dts <= dseq*s.rate*12/100 {
		return false
	}
	off := dts - s.elapsed(now)
	return off > s.rate || off < -s.rate
}

// take marks the number at as used; false if it was, or is too old.
func (s *sender) take(at int64) bool {
	if at > s.top {
		if d := at - s.top; d < 64 {
			s.window = s.window<<uint(d) | 1
		} else {
			s.window = 1
		}
		s.top = at
		return true
	}
	d := s.top - at
	if d >= 64 || at < s.base || s.window&(1<<uint(d)) != 0 {
		return false
	}
	s.window |= 1 << uint(d)
	return true
}

// tick starts the next 20 ms of sound made here and returns its timestamp.
// first is set if the stretch before was not made here.
func (s *sender) tick(now int64) (ts uint32, first bool) {
	if s.ticking {
		s.tickTS += uint32(s.rate / 50)
		return s.tickTS, false
	}
	s.tickTS = s.begin(now)
	s.ticking, s.mapped = true, false
	return s.tickTS, true
}

// made fills in the numbers of a packet that was made here, with timestamp ts.
func (s *sender) made(h *rtpHeader, ts uint32, now int64) {
	s.take(s.top + 1)
	s.base = s.top + 1
	if s.packets == 0 || int32(ts-s.lastTS) > 0 {
		s.lastTS, s.lastAt = ts, now
	}
	h.seq, h.ts, h.ssrc = uint16(s.top), ts, s.ssrc
}
