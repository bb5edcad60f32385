package playout

// Bounds of the target delay, ns; MaxBody is that of a payload, bytes.
const (
	Least   = 20 * ms
	Most    = 200 * ms
	MaxBody = 1500
)

const (
	slots       = 64
	usualSpan   = 20 * ms
	longestSpan = 120 * ms // of one packet: Opus
	leastSpan   = ms * 5 / 2
	maxGuess    = 100 * ms // concealed in a row; beyond it there is only noise
	longestRest = 60_000 * ms
	maxDropout  = 3000 // RFC 3550 appendix A.1
	maxMisorder = 100
	leap        = 2000 * ms // ahead of the clock: the timestamps began anew
	pause       = 5000 * ms // behind it: they stood still
)

// A Packet is one that came, its header read and its padding removed.
type Packet struct {
	At      int64 // when it came, ns on a clock that never goes back
	SSRC    uint32
	Seq     uint16
	TS      uint32
	Payload uint8  // its type
	Body    []byte // 1 to MaxBody bytes; copied
}

// A Config says how a stream is read.
type Config struct {
	Clock int   // of RTP, Hz: 8000 also for G.722
	Noise uint8 // the payload type of comfort noise (RFC 3389); 0: 13
	// Still is the length up to which a payload says that the source rests until
	// the next: 2 for Opus (RFC 6716 section 2.1.9), else 0.
	Still int
}

// Figures are what became of the packets. Every packet put in is counted once
// by Put's part or, later, by Take's.
type Figures struct {
	Received uint64 // put in
	Played   uint64 // taken out as sound or noise
	Late     uint64 // came when their time was over
	Doubled  uint64
	Refused  uint64 // too long, empty, or far from the others
	Skipped  uint64 // left out to have the delay back, or flushed by a reset
	Missing  uint64 // never came, or late
	Guessed  uint64 // frames that had to be concealed
	Resets   uint64 // SSRC, timestamps or numbers began anew
	Delay    int64  // of the last sound after the fastest packet's arrival, ns
	Target   int64  // what it should be, ns
}

type state uint8

const (
	waiting state = iota // for enough to begin with
	playing
	resting // the source is silent on purpose
)

type slot struct {
	held    bool
	passed  bool // it was no sound
	used    bool // seq is valid
	seq     uint16
	ts      int64
	payload uint8
	body    []byte
}

// A Playout is the buffer of one stream. The zero value is not usable.
type Playout struct {
	conf   Config
	slots  [slots]slot
	held   int
	state  state
	begun  bool // a stream is known
	played bool // next is a floor
	fresh  bool // the next sound follows nothing
	quiet  bool // what came last was no sound

	ssrc    uint32
	next    uint16 // number to be played next
	pos     int64  // its time, RTP ticks without overflow
	topSeq  uint16 // the newest
	topTS   int64
	topAt   int64
	odd     uint16 // number that would confirm a jump
	wasOdd  bool
	span    int64 // of a packet, ticks
	longer  int64 // a longer span that was seen
	longerN int

	guessed  int64 // ticks concealed while nothing was held
	run      int64 // ns concealed in a row
	payload  uint8 // type of the last sound
	rested   int64 // since when
	adjusted int64 // when the pace was last changed
	way      transits
	figures  Figures
}

// New returns an empty buffer.
func New(c Config) *Playout {
	p := &Playout{}
	p.Reset(c)
	return p
}

// Reset empties the buffer for another stream; its memory is used again.
func (p *Playout) Reset(c Config) {
	if c.Noise == 0 {
		c.Noise = 13
	}
	c.Clock = max(c.Clock, 1000)
	p.conf, p.begun, p.figures = c, false, Figures{}
	p.flush()
}

func (p *Playout) flush() {
	for i := range p.slots {
		s := &p.slots[i]
		s.held, s.passed, s.used = false, false, false
	}
	p.figures.Skipped += uint64(p.held)
	p.held, p.state, p.played, p.fresh, p.quiet, p.wasOdd = 0, waiting, false, true, false, false
	p.guessed, p.run, p.adjusted = 0, 0, 0
	p.span, p.longer, p.longerN = p.ticks(usualSpan), 0, 0
	p.way.reset()
}

// Figures returns the counts so far.
func (p *Playout) Figures() Figures {
	f := p.figures
	f.Target = p.way.target
	return f
}

func (p *Playout) ticks(ns int64) int64 { return ns * int64(p.conf.Clock) / 1e9 }

func (p *Playout) ns(ticks int64) int64 {
	c := int64(p.conf.Clock)
	return ticks/c*1e9 + ticks%c*1e9/c
}

func (p *Playout) at(seq uint16) *slot { return &p.slots[seq%slots] }

// Put takes a packet. What comes twice, too late or from far away in the
// numbers is left out; of the latter two in a row are believed (RFC 3550
// appendix A.1). Another SSRC, or timestamps that jump, begin anew.
func (p *Playout) Put(k Packet) {
	p.figures.Received++
	if len(k.Body) == 0 || len(k.Body) > MaxBody {
		p.figures.Refused++
		return
	}
	if !p.begun || k.SSRC != p.ssrc {
		p.restart(k)
	}
	ahead := int16(k.Seq - p.topSeq)
	if ahead > maxDropout || ahead < -maxMisorder {
		if !p.wasOdd || k.Seq != p.odd {
			p.wasOdd, p.odd = true, k.Seq+1
			p.figures.Refused++
			return
		}
		p.restart(k)
		ahead = 0
	}
	p.wasOdd = false
	ts := p.topTS + int64(int32(k.TS-uint32(p.topTS)))
	moved, elapsed := p.ns(ts-p.topTS), k.At-p.topAt
	switch {
	case ahead > 0 && (moved <= 0 || moved > elapsed+leap || moved < elapsed-pause):
		p.restart(k)
		ts = p.topTS
	case ahead < 0 && (moved >= 0 || moved < -leap):
		p.figures.Refused++
		return
	}
	if p.doubled(k.Seq) {
		p.figures.Doubled++
		return
	}
	p.way.note(k.At-p.ns(ts), k.At)
	if ahead > 0 {
		if ahead == 1 {
			p.learn(ts - p.topTS)
		}
		p.topSeq, p.topTS, p.topAt, p.quiet = k.Seq, ts, k.At, false
	}
	p.store(k, ts)
}

// restart forgets the stream and begins one with k.
func (p *Playout) restart(k Packet) {
	if p.begun {
		p.figures.Resets++
	}
	p.flush()
	p.begun, p.ssrc, p.next = true, k.SSRC, k.Seq
	p.topSeq, p.topTS, p.topAt = k.Seq, int64(k.TS), k.At
}

func (p *Playout) doubled(seq uint16) bool {
	s := p.at(seq)
	return s.used && !s.passed && s.seq == seq
}

// learn takes what lies between two packets in sequence: the shortest is what a
// packet holds, for pauses only make it longer; three times the same longer
// one, and the source makes longer packets.
func (p *Playout) learn(span int64) {
	switch {
	case span > p.ticks(longestSpan) || span < p.ticks(leastSpan):
		return
	case span <= p.span || !p.played && p.span == p.ticks(usualSpan):
		p.span, p.longerN = span, 0
	case span == p.longer:
		if p.longerN++; p.longerN == 3 {
			p.span, p.longerN = span, 0
		}
	default:
		p.longer, p.longerN = span, 1
	}
}

func (p *Playout) store(k Packet, ts int64) {
	if d := int16(k.Seq - p.next); d < 0 {
		if p.played || int16(p.topSeq-k.Seq) >= slots {
			p.figures.Late++
			return
		}
		p.next = k.Seq
	} else if d >= slots {
		p.moveUp(k.Seq - slots + 1)
	}
	s := p.at(k.Seq)
	if s.held { // left by numbers that were moved over
		p.held--
		p.figures.Skipped++
	}
	*s = slot{held: true, used: true, seq: k.Seq, ts: ts, payload: k.Payload, body: append(s.body[:0], k.Body...)}
	p.held++
}

// moveUp gives up what is before seq: there is no room.
func (p *Playout) moveUp(seq uint16) {
	for i := range p.slots {
		s := &p.slots[i]
		if s.held && int16(s.seq-seq) < 0 {
			s.held = false
			p.held--
			p.figures.Skipped++
		}
	}
	p.next, p.state, p.fresh = seq, waiting, true
}

// Pass says that the packet with this number came and is no sound, as an event
// of RFC 4733 is: it is not missed, and what lies around it is no loss.
func (p *Playout) Pass(seq uint16) {
	if !p.begun || p.state == waiting && p.held == 0 {
		return
	}
	p.quiet = true
	if d := int16(seq - p.next); d < 0 || d >= slots {
		return
	}
	if s := p.at(seq); !s.held {
		s.used, s.passed, s.seq = true, true, seq
	}
}
