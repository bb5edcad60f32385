package switchboard

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/offer"
)

// A leg is what the switchboard keeps of a call's leg beside what the step
// knows: its way, its descriptions, and which command waits for what.
type leg struct {
	id      roamline.LegID
	path    roamline.Path
	inward  bool   // it was offered to us
	sipCall string // its SIP Call-ID

	theirs  []byte // their last description; nil: none, or they ask us for an offer
	ours    []byte // our answer to it, once made
	session *offer.Session
	media   roamline.Media
	held    bool

	open      bool // the engine has it
	connected bool // the engine knows the far end
	ready     bool // its voice carries
	gone      bool // its dialog is over; there is nothing to hang up
	released  bool
	figures   roamline.Figures

	joining   roamline.CommandID // a Join waits until it is ready
	accepting roamline.CommandID // an Accept waits for its ACK
	speaking  roamline.CommandID // an Announce waits for its prompt's end
	prompt    roamline.Prompt
}

// speech are the codecs that the server offers where nobody has a wish.
var speech = []roamline.Codec{roamline.PCMA, roamline.PCMU, roamline.Opus}

// heard returns the speech codecs of an offer that the server knows, in the
// offerer's order; nil if it can't be read or holds none.
func heard(sdp []byte) []roamline.Codec {
	codecs, _, _, err := offer.Codecs(sdp)
	if err != nil {
		return nil
	}
	return first(codecs, nil)
}

// first returns those of want that the server knows, then those of rest.
func first(want, rest []roamline.Codec) []roamline.Codec {
	var out []roamline.Codec
	for _, c := range slices.Concat(want, rest) {
		for _, known := range speech {
			if known.Is(c) && !slices.ContainsFunc(out, known.Is) {
				out = append(out, known)
			}
		}
	}
	return out
}

// offerable returns the codecs to offer to a target: the caller's first, within
// what a trunk allows.
func (r *running) offerable(to roamline.Target) []roamline.Codec {
	all := speech
	if to.Trunk != "" {
		if t, ok := r.sb.trunk(to.Trunk); ok && len(t.Codecs) > 0 {
			all = slices.DeleteFunc(slices.Clone(speech), func(c roamline.Codec) bool { return !named(t.Codecs, c.Name) })
			slices.SortStableFunc(all, func(a, b roamline.Codec) int { return place(t.Codecs, a.Name) - place(t.Codecs, b.Name) })
		}
	}
	allowed := slices.DeleteFunc(slices.Clone(r.codec), func(c roamline.Codec) bool { return !slices.ContainsFunc(all, c.Is) })
	return first(allowed, all)
}

func named(names []string, name string) bool { return place(names, name) < len(names) }

func place(names []string, name string) int {
	i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
	if i < 0 {
		return len(names)
	}
	return i
}

// answer settles the caller's voice, with the callee's codec if she can hear
// it, and keeps the answer to be sent. A caller who made no offer gets ours.
func (r *running) answer(l *leg, like roamline.Codec) error {
	if l.ours != nil {
		return nil
	}
	if len(l.theirs) == 0 {
		if err := r.openVoice(l, l.path.Voice); err != nil {
			return err
		}
		l.ours = l.session.Offer(first([]roamline.Codec{like}, speech), roamline.SendRecv)
		return nil
	}
	_, transport, _, err := offer.Codecs(l.theirs)
	if err != nil {
		return err
	}
	if !l.open {
		if err := r.openVoice(l, transport); err != nil {
			return err
		}
	}
	sdp, m, err := l.session.Answer(l.theirs, first([]roamline.Codec{like}, first(r.codec, speech)), roamline.SendRecv)
	if err != nil {
		return err
	}
	l.ours = sdp
	return r.connect(l, m)
}

// settle takes the answer to our offer on a leg.
func (r *running) settle(l *leg, sdp []byte) error {
	if l.connected && bytes.Equal(l.theirs, sdp) {
		return nil // the 200 repeats what the 183 said
	}
	m, err := l.session.Accept(sdp)
	if err != nil {
		return err
	}
	l.theirs = sdp
	return r.connect(l, m)
}

func (r *running) connect(l *leg, m roamline.Media) error {
	m.Symmetric = m.Symmetric || l.path.Symmetric
	if m.Transport != roamline.DTLS {
		l.ready = true // plain voice needs no handshake
	}
	l.media, l.connected = m, true
	return r.sb.Voice.Connect(l.id, m)
}

// reanswer answers a far end that changes its session: hold, resume, another
// address, another codec. It reports whether hold changed.
func (r *running) reanswer(l *leg, sdp []byte) (changed bool, err error) {
	if l.session == nil {
		return false, &roamline.Error{Op: "switchboard.reanswer", Kind: roamline.Invalid, Of: string(l.id)}
	}
	if len(sdp) == 0 {
		return false, r.sb.Signals.Reanswer(l.id, l.session.Offer(first([]roamline.Codec{l.media.Codec}, speech), roamline.SendRecv), "")
	}
	ours, m, err := l.session.Answer(sdp, first([]roamline.Codec{l.media.Codec}, speech), roamline.SendRecv)
	if err != nil {
		return false, err
	}
	l.theirs, l.ours = sdp, ours
	if err := r.connect(l, m); err != nil {
		return false, err
	}
	return l.flows(), r.sb.Signals.Reanswer(l.id, ours, "")
}

// flows notes whether the far end still listens, and reports a change.
func (l *leg) flows() bool {
	held := l.media.Direction == roamline.RecvOnly || l.media.Direction == roamline.Inactive
	changed := held != l.held
	l.held = held
	return changed
}

func sessionID() uint64 { return rand.Uint64() >> 2 } // RFC 8829 section 5.2.1: 62 bits

func voiceLine(l *leg, f roamline.Figures) string {
	return fmt.Sprintf("voice of %s: %s over %s, %d packets in, %d out, %d lost, jitter %.1f ms",
		l.id, f.Codec, f.Transport, f.Received, f.Sent, f.Lost, float64(f.Jitter.Microseconds())/1000)
}
