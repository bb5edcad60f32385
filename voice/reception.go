package voice

const (
	maxDropout  = 3000 // RFC 3550 appendix A.1
	maxMisorder = 100
)

// A reception counts what comes from one far end: loss and jitter (RFC 3550
// appendices A.1, A.3, A.8). Its zero value is ready.
type reception struct {
	ssrc     uint32
	before   uint32 // the SSRC that spoke before
	started  bool
	last     uint16 // highest sequence number
	cycles   uint32
	baseSeq  uint32
	badSeq   uint32 // the number that would confirm a restart, plus one bit above 16; 0: none
	window   uint64 // of the 64 numbers up to last, which arrived
	received uint64 // of this source

	prior      uint64 // received of the sources before
	priorLost  uint64
	lastExp    uint64 // expected and received at the last report
	lastRecv   uint64
	transit    int64
	hasTransit bool
	jitter     float64 // clock ticks

	lastSR   uint32 // middle of the last sender report's NTP time
	lastSRAt int64  // ns
}

// A verdict is what became of a packet.
type verdict uint8

const (
	unwanted verdict = iota // a duplicate, too late, or a jump not yet confirmed
	next                    // as expected
	restart                 // the source began anew: numbers and clock are unrelated to those before
)

// take counts the packet (seq, ts) of the source ssrc, arrived at now (ns), on
// a clock of rate Hz.
func (r *reception) take(ssrc uint32, seq uint16, ts uint32, now, rate int64) verdict {
	if !r.started || ssrc != r.ssrc {
		r.begin(ssrc, seq)
		r.measure(ts, now, rate)
		return restart
	}
	delta := seq - r.last
	switch {
	case delta == 0:
		return unwanted
	case delta < maxDropout:
		if seq < r.last {
			r.cycles += 1 << 16
		}
		if delta < 64 {
			r.window = r.window<<delta | 1
		} else {
			r.window = 1
		}
		r.last = seq
	case delta <= 0xffff-maxMisorder+1:
		if r.badSeq != uint32(seq)|1<<16 {
			r.badSeq = uint32(seq+1) | 1<<16
			return unwanted
		}
		r.begin(ssrc, seq)
		r.measure(ts, now, rate)
		return restart
	default:
		back := -delta
		if back >= 64 || r.window&(1<<back) != 0 {
			return unwanted
		}
		r.window |= 1 << back
	}
	r.received++
	r.badSeq = 0
	r.measure(ts, now, rate)
	return next
}

// begin starts counting a new source; what the old one lost stays lost.
func (r *reception) begin(ssrc uint32, seq uint16) {
	if r.started {
		if ssrc != r.ssrc {
			r.before = r.ssrc
		}
		r.prior += r.received
		r.priorLost += r.sourceLost()
	}
	r.ssrc, r.last, r.baseSeq, r.cycles = ssrc, seq, uint32(seq), 0
	r.started, r.window, r.badSeq, r.received = true, 1, 0, 1
	r.lastExp, r.lastRecv, r.hasTransit = 0, 0, false
	r.lastSR = 0
}

func (r *reception) measure(ts uint32, now, rate int64) {
	transit := now*rate/1e9 - int64(ts)
	if r.hasTransit {
		d := int64(int32(transit - r.transit))
		// A timestamp jump says nothing of the network; over a second is one.
		if d < 0 {
			d = -d
		}
		if d < rate {
			r.jitter += (float64(d) - r.jitter) / 16
		}
	}
	r.transit, r.hasTransit = transit, true
}

func (r *reception) highest() uint32 { return r.cycles + uint32(r.last) }

// expected returns how many packets the present source should have brought.
func (r *reception) expected() uint64 {
	if !r.started {
		return 0
	}
	return uint64(r.highest()-r.baseSeq) + 1
}

func (r *reception) sourceLost() uint64 {
	if e := r.expected(); e > r.received {
		return e - r.received
	}
	return 0
}

// total and lost count packets of all sources so far.
func (r *reception) total() uint64 { return r.prior + r.received }
func (r *reception) lost() uint64  { return r.priorLost + r.sourceLost() }

// fraction returns the share lost since it was last asked, in 256ths
// (RFC 3550 appendix A.3).
func (r *reception) fraction() uint8 {
	exp, recv := r.expected(), r.received
	de, dr := exp-r.lastExp, recv-r.lastRecv
	r.lastExp, r.lastRecv = exp, recv
	if de == 0 || dr >= de {
		return 0
	}
	return uint8((de - dr) * 256 / de)
}
