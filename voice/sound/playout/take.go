package playout

// A Kind says what there is to be heard.
type Kind uint8

const (
	Nothing Kind = iota // no source, or it has fallen silent, or is being waited for
	Sound               // Body is to be decoded
	Lost                // a packet is missing: conceal Span
	Noise               // the source rests: comfort noise for Span
)

// A Pace says what to do with the samples of a sound, to have the delay that
// is wanted: see Stretch.
type Pace int8

const (
	Keep Pace = iota
	Shorten
	Lengthen
)

// A Frame is what is to be heard next.
type Frame struct {
	Kind    Kind
	Payload uint8 // type
	// Body is the payload of a sound; of noise its description (RFC 3389), if a
	// new one came, else nil; and where something was lost the payload that
	// follows, if it is here, which in Opus may hold a copy. It is valid until the
	// next Put.
	Body  []byte
	Span  int64 // ns
	Fresh bool  // the sound follows nothing: the decoder begins anew
	Pace  Pace
}

const (
	slack     = 5 * ms
	behind    = 5 * ms // below the target, if that is more than the jitter needs
	reserve   = 3 * ms
	betweens  = 60 * ms  // from one change of pace to the next
	hasten    = 100 * ms // above the target: at every frame
	tooMuch   = 250 * ms // above the target: something is left out
	overdue   = 20 * ms
	mostRound = slots + 4
)

// Take returns what is to be heard next by a listener who has heard all that
// was taken before. It is called when the listener needs more, about every Span.
func (p *Playout) Take(now int64) Frame {
	for range mostRound { // each round that returns nothing moves on by a number or a state
		head := p.head()
		var f Frame
		var done bool
		switch p.state {
		case waiting:
			f, done = p.wait(head, now)
		case resting:
			f, done = p.rest(head, now)
		case playing:
			f, done = p.goOn(head, now)
		}
		if done {
			return f
		}
	}
	return Frame{}
}

// head returns the held packet with the lowest number, nil if none is.
func (p *Playout) head() *slot {
	if p.held == 0 {
		return nil
	}
	for i := range uint16(slots) {
		if s := p.at(p.next + i); s.held {
			return s
		}
	}
	return nil
}

// due is when a packet should be heard.
func (p *Playout) due(s *slot) int64 { return p.way.base + p.ns(s.ts) + p.way.target }

func (p *Playout) wait(head *slot, now int64) (Frame, bool) {
	if head == nil {
		return Frame{}, true
	}
	// What came in a bundle after an outage is not made up for: the newest is
	// worth more than the oldest.
	for p.due(head) < now-overdue && p.held > 1 {
		p.drop(head)
		head = p.head()
	}
	if p.due(head) > now {
		return Frame{}, true
	}
	return p.play(head, now), true
}

func (p *Playout) rest(head *slot, now int64) (Frame, bool) {
	switch {
	case head != nil && p.due(head) <= now:
		return p.play(head, now), true
	case now-p.rested > longestRest:
		p.state = waiting
		return Frame{}, false
	case head == nil && p.quiet:
		return Frame{}, true
	}
	return Frame{Kind: Noise, Span: p.ns(p.span)}, true
}

func (p *Playout) goOn(head *slot, now int64) (Frame, bool) {
	if head == nil {
		if p.quiet || p.run >= maxGuess {
			p.state = waiting
			return Frame{}, true
		}
		p.guessed += p.span // pos stays: what is only late is still played
		return p.guess(nil), true
	}
	gap := head.ts - p.pos
	if p.guessed > 0 && gap > 0 { // what was concealed was lost indeed
		gone := min(p.guessed, gap)
		p.pos += gone
		gap -= gone
		p.skipTo(p.next + min(head.seq-p.next, uint16(gone/p.span)))
	}
	p.guessed = 0
	missing := head.seq - p.next
	switch {
	case missing > 0 && p.at(p.next).passed && p.at(p.next).seq == p.next:
		p.next++
		p.state, p.run = waiting, 0
		return Frame{}, false
	case gap < p.span/2 || missing > 0 && gap < p.span:
		return p.cutOrPlay(head, now), true
	case missing == 0: // it was silent
		p.state, p.rested = resting, now
		return Frame{}, false
	case p.run >= maxGuess:
		p.state = waiting
		return Frame{}, false
	}
	p.skipTo(p.next + 1)
	p.pos += p.span
	if head.seq == p.next {
		return p.guess(head.body), true
	}
	return p.guess(nil), true
}

// skipTo counts what never came up to seq.
func (p *Playout) skipTo(seq uint16) {
	for ; p.next != seq; p.next++ {
		if s := p.at(p.next); !s.used || s.seq != p.next {
			p.figures.Missing++
		}
	}
}

func (p *Playout) guess(next []byte) Frame {
	p.run += p.ns(p.span)
	p.figures.Guessed++
	return Frame{Kind: Lost, Payload: p.payload, Body: next, Span: p.ns(p.span)}
}

func (p *Playout) drop(s *slot) {
	s.held = false
	p.held--
	p.figures.Skipped++
	p.skipTo(s.seq)
	p.next = s.seq + 1
}

// cutOrPlay plays, but where the delay has grown beyond what a change of pace
// makes good it leaves out what is too old. A concealed frame in its place
// hides the seam.
func (p *Playout) cutOrPlay(head *slot, now int64) Frame {
	if now-p.due(head) <= tooMuch || p.held < 2 {
		return p.play(head, now)
	}
	for p.due(head) < now && p.held > 1 {
		p.drop(head)
		head = p.head()
	}
	p.skipTo(head.seq)
	p.pos = head.ts
	return p.guess(nil)
}

func (p *Playout) play(s *slot, now int64) Frame {
	span := p.span
	if n := p.at(s.seq + 1); n.held && n.seq == s.seq+1 && n.ts-s.ts >= p.ticks(leastSpan) && n.ts-s.ts < span {
		span = n.ts - s.ts
	}
	if p.played {
		p.skipTo(s.seq)
	}
	s.held = false
	p.held--
	p.figures.Played++
	p.next, p.pos, p.played = s.seq+1, s.ts+span, true
	p.state, p.guessed, p.run = playing, 0, 0
	p.figures.Delay = now - p.way.base - p.ns(s.ts)
	f := Frame{Kind: Sound, Payload: s.payload, Body: s.body, Span: p.ns(span)}
	if s.payload == p.conf.Noise {
		p.state, p.rested = resting, now
		f.Kind = Noise
		return f
	}
	if len(s.body) <= p.conf.Still {
		p.state, p.rested = resting, now
	}
	f.Fresh = p.fresh || s.payload != p.payload
	p.fresh, p.payload = false, s.payload
	f.Pace = p.pace(now, p.ns(span))
	return f
}

// pace compares the delay with what it should be. The listener's clock ticks
// only every so often, so that up to a packet more is normal.
func (p *Playout) pace(now, span int64) Pace {
	over := p.figures.Delay - p.way.target
	wait := betweens
	if over > hasten {
		wait = 0
	}
	if now-p.adjusted < wait {
		return Keep
	}
	switch {
	case over > span+slack:
		p.adjusted = now
		return Shorten
	case over < max(-behind, min(0, p.way.need+reserve-p.way.target)):
		p.adjusted = now
		return Lengthen
	}
	return Keep
}
