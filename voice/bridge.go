package voice

import "github.com/roamline/roamline"

// Join lets two legs hear each other, instead of whom they heard before. Where
// their codecs are the same the payload passes untouched; where not, it is
// transcoded. Incompatibility if a codec cannot be.
func (e *Engine) Join(a, b roamline.LegID) error {
	const op = "voice.Join"
	e.mu.Lock()
	defer e.mu.Unlock()
	l, err := e.find(op, a)
	if err != nil {
		return err
	}
	m, err := e.find(op, b)
	if err != nil {
		return err
	}
	if l == m {
		return &roamline.Error{Op: op, Kind: roamline.Invalid, Of: string(a)}
	}
	if l.control.peer == m {
		return nil
	}
	e.part(l)
	e.part(m)
	e.together(l, m)
	l.control.peer, m.control.peer = m, l
	t := l.control.thread
	t.do(func() {
		t.now = t.e.clock()
		for _, p := range [][2]*leg{{l, m}, {m, l}} {
			p[0].listener, p[0].source = p[1], p[1]
			p[0].flowing = t.now
			p[0].send.resync()
			if p[0].connected && !p[0].gone {
				t.timers.set(&p[0].watchdog, t.now)
			}
		}
	})
	err = e.arrange(l)
	if err == nil {
		err = e.arrange(m)
	}
	if err != nil {
		e.part(l)
	}
	return err
}

// Part ends a Join; both hear nothing. It is no error if there was none.
func (e *Engine) Part(id roamline.LegID) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	l, err := e.find("voice.Part", id)
	if err != nil {
		return err
	}
	e.part(l)
	return nil
}

func (e *Engine) part(l *leg) {
	m := l.control.peer
	if m == nil {
		return
	}
	l.control.peer, m.control.peer = nil, nil
	l.control.codecs, m.control.codecs = codecPair{}, codecPair{}
	t := l.control.thread
	t.do(func() {
		for _, x := range []*leg{l, m} {
			x.listener, x.source, x.feed = nil, nil, silent
			x.hearing.close()
			x.hearing = nil
			x.send.resync()
		}
	})
}

// together brings two legs to one thread: m moves to l's. Packets that come
// meanwhile wait in m's socket, or pass from its old thread to the new one.
func (e *Engine) together(l, m *leg) {
	to, old := l.control.thread, m.control.thread
	if to == old {
		return
	}
	m.control.thread = to
	old.do(func() {
		old.timers.stop(&m.watchdog)
		old.timers.stop(&m.report)
		old.timers.stop(&m.pace)
		m.paced = false
		addrs, names := old.disown(m)
		m.owner.Store(to)
		// The new thread takes the leg over before any packet is passed to it.
		to.post(func() {
			to.adopt(m)
			to.now = to.e.clock()
			if m.connected && !m.gone {
				to.timers.set(&m.watchdog, to.now)
			}
			if m.ready {
				to.timers.set(&m.report, to.now+to.e.reportGap()/2)
			}
			to.keepPace(m)
		})
		e.owners.move(addrs, names, old, to)
	})
}

// arrange decides how l hears its peer, as far as both are connected.
func (e *Engine) arrange(l *leg) error {
	p, t := l.control.peer, l.control.thread
	if p == nil || !l.control.connected || !p.control.connected {
		return nil
	}
	from, to := p.control.media.Codec, l.control.media.Codec
	if from.Is(to) {
		l.control.codecs = codecPair{}
		t.do(func() { t.hear(l, relayed, nil) })
		return nil
	}
	if c := l.control.codecs; c.valid && c.from == from && c.to == to {
		kept := false
		if t.do(func() { kept = l.feed == decoded && l.hearing != nil }); kept {
			return nil
		}
	}
	c, err := newTranscoder(e.opt.Sounds, from, to)
	if err != nil {
		return err
	}
	l.control.codecs = codecPair{from, to, true}
	t.do(func() { t.hear(l, decoded, c) })
	return nil
}

// hear changes how l hears its source.
func (t *thread) hear(l *leg, f feed, c *transcoder) {
	if l.feed == f && f == relayed {
		return
	}
	l.hearing.close()
	l.feed, l.hearing = f, c
	l.send.resync()
}

// Close ends a leg: it is parted, its far end is told if it is a trunk's
// (RTCP BYE), and all that it held is freed. Returns its figures.
func (e *Engine) Close(id roamline.LegID) (roamline.Figures, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l, err := e.find("voice.Close", id)
	if err != nil {
		return roamline.Figures{}, err
	}
	return e.closeLeg(l), nil
}

func (e *Engine) closeLeg(l *leg) (f roamline.Figures) {
	e.part(l)
	delete(e.legs, l.id)
	t := l.control.thread
	t.do(func() {
		t.now = t.e.clock()
		f = t.figures(l)
		t.sendBye(l)
		t.timers.stop(&l.watchdog)
		t.timers.stop(&l.report)
		t.timers.stop(&l.pace)
		addrs, names := t.disown(l)
		e.owners.move(addrs, names, t, nil)
		l.gone = true
		if l.web != nil {
			l.web.endShake()
			return
		}
		l.trunk.rtp.close()
		l.trunk.rtcp.close()
	})
	if l.trunk != nil {
		e.ports.release(l.trunk.port)
	}
	return f
}
