package switchboard

import (
	"net/netip"
	"sync"
	"time"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/offer"
)

// doors play the SIP door and the voice engine: they remember what they were
// asked, hold what is open, and let a test speak for the far ends.
type doors struct {
	sink roamline.Sink

	mu      sync.Mutex
	dialogs map[roamline.LegID]bool
	voices  map[roamline.LegID]bool
	joined  map[roamline.LegID]roamline.LegID
	asked   []string // "invite desk1", "alert", "accept", "hangup busy", ...
	invited chan roamline.LegID
	orphans chan string
	away    bool // no client can be reached
	mute    bool // voice never gets ready
	more    chan struct{}
}

func newDoors() *doors {
	return &doors{dialogs: map[roamline.LegID]bool{}, voices: map[roamline.LegID]bool{}, joined: map[roamline.LegID]roamline.LegID{},
		invited: make(chan roamline.LegID, 100), orphans: make(chan string, 100), more: make(chan struct{}, 1000)}
}

func (d *doors) note(what string) {
	d.asked = append(d.asked, what)
	select {
	case d.more <- struct{}{}:
	default:
	}
}

// endpoint is a local side of voice, good enough to be described.
func endpoint(t roamline.Transport) roamline.Endpoint {
	e := roamline.Endpoint{Transport: t, Addr: netip.MustParseAddrPort("127.0.0.1:4000"), RTCP: netip.MustParseAddrPort("127.0.0.1:4001"), SSRC: 7, CNAME: "x"}
	if t == roamline.DTLS {
		e.RTCP, e.Ufrag, e.Pwd, e.Fingerprint = e.Addr, "abcd", "abcdefghijklmnopqrstuv", "sha-256 "+fingerprint
	}
	return e
}

const fingerprint = "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF"

// trunkOffer is what a carrier sends.
func trunkOffer() []byte {
	return offer.New(endpoint(roamline.RTP), 1).Offer([]roamline.Codec{roamline.PCMA, roamline.PCMU}, roamline.SendRecv)
}

// answerTo is what a far end answers to an offer of ours.
func answerTo(sdp []byte) []byte {
	_, t, _, err := offer.Codecs(sdp)
	if err != nil {
		panic(err)
	}
	answer, _, err := offer.New(endpoint(t), 2).Answer(sdp, speech, roamline.SendRecv)
	if err != nil {
		panic(err)
	}
	return answer
}

type signals struct {
	*doors
	offers map[roamline.LegID][]byte
}

func (s *signals) Paths(to roamline.Target) []roamline.Path {
	if s.away && to.Client != "" {
		return nil
	}
	if to.Trunk != "" {
		return []roamline.Path{{Trunk: to.Trunk, Transport: "udp", Voice: roamline.RTP}}
	}
	return []roamline.Path{{Client: to.Client, Transport: "ws", Voice: roamline.DTLS}}
}

func (s *signals) Invite(leg roamline.LegID, to roamline.Target, _ roamline.Path, _ roamline.Party, mode roamline.AnswerMode, sdp []byte) error {
	s.mu.Lock()
	s.dialogs[leg] = true
	s.offers[leg] = sdp
	what := "invite "
	if mode == roamline.Auto {
		what = "invite at once "
	}
	s.note(what + string(to.Client) + string(to.Number))
	s.mu.Unlock()
	s.invited <- leg
	return nil
}

func (s *signals) known(leg roamline.LegID, what string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.dialogs[leg] {
		return &roamline.Error{Op: "sip", Kind: roamline.NotFound}
	}
	s.note(what)
	return nil
}

func (s *signals) Alert(leg roamline.LegID, sdp []byte) error {
	if sdp != nil {
		return s.known(leg, "alert with voice")
	}
	return s.known(leg, "alert")
}

func (s *signals) Accept(leg roamline.LegID, _ []byte) error  { return s.known(leg, "accept") }
func (s *signals) Reoffer(leg roamline.LegID, _ []byte) error { return s.known(leg, "reoffer") }
func (s *signals) Reanswer(leg roamline.LegID, sdp []byte, c roamline.Cause) error {
	return s.known(leg, "reanswer "+string(c))
}

func (s *signals) Hangup(leg roamline.LegID, c roamline.Cause) error {
	err := s.known(leg, "hangup "+string(c))
	s.mu.Lock()
	delete(s.dialogs, leg)
	s.mu.Unlock()
	return err
}

func (s *signals) CallID(leg roamline.LegID) string   { return "sip-" + string(leg) }
func (s *signals) Snapshot(leg roamline.LegID) []byte { return []byte(leg) }
func (s *signals) Orphan(b []byte) error              { s.orphans <- string(b); return nil }

type engine struct{ *doors }

func (e engine) Open(leg roamline.LegID, _ roamline.Path, t roamline.Transport) (roamline.Endpoint, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.voices[leg] = true
	return endpoint(t), nil
}

func (e engine) Connect(leg roamline.LegID, m roamline.Media) error {
	if m.Transport == roamline.DTLS && !e.mute {
		go e.sink(roamline.VoiceReady{At: now(), Leg: leg})
	}
	return nil
}

func (e engine) Join(a, b roamline.LegID) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.joined[a], e.joined[b] = b, a
	return nil
}

func (e engine) Part(roamline.LegID) error { return nil }

func (e engine) Play(leg roamline.LegID, p roamline.Prompt, loop bool) error {
	e.mu.Lock()
	e.note("play " + string(p))
	e.mu.Unlock()
	if !loop {
		go e.sink(roamline.Played{At: now(), Leg: leg, Prompt: p})
	}
	return nil
}

func (e engine) Hush(roamline.LegID) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.note("hush")
	return nil
}

func (e engine) Dial(_ roamline.LegID, d roamline.Digit) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.note("dial " + string(d.Key))
	return nil
}

func (e engine) Figures(roamline.LegID) (roamline.Figures, error) {
	return roamline.Figures{Codec: "PCMA", Received: 50}, nil
}

func (e engine) Close(leg roamline.LegID) (roamline.Figures, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.voices[leg] {
		return roamline.Figures{}, &roamline.Error{Op: "voice", Kind: roamline.NotFound}
	}
	delete(e.voices, leg)
	return roamline.Figures{Codec: "PCMA", Received: 100, LastVoice: time.Now()}, nil
}
