package voice

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/roamline/roamline"
)

// A leg is one far end. The first part is fixed at Open; control is changed by
// the engine's calls, under the engine's lock; all else belongs to the thread.
type leg struct {
	id        roamline.LegID
	cname     string
	signalled netip.Addr // where its signalling comes from
	trunk     *trunkSide // plain RTP and SDES
	web       *webSide   // ICE and DTLS

	owner   atomic.Pointer[thread]
	control control

	media     roamline.Media
	connected bool  // media holds
	ready     bool  // packets can be sent
	told      bool  // VoiceReady was sent
	gone      bool  // VoiceGone was sent
	since     int64 // ns: connected first
	flowing   int64 // ns: from when on packets are missed

	keys keys
	send sender
	recv reception

	listener *leg // hears us
	source   *leg // we hear it
	feed     feed // how
	hearing  *transcoder
	keyed    eventClock
	player   player
	dial     dialer
	pace     timer // each 20 ms, while sound is made here
	paced    bool
	report   timer // RTCP
	watchdog timer

	lastVoice  int64 // ns: last valid packet; 0: none
	firstVoice time.Time
	lastPacket int64 // ns: anything valid, on browser legs
	sources    int   // SSRCs seen
	discarded  uint64
	far        farReport
	sentAtSR   uint64 // packets sent when the last report was
}

// control is what the engine's calls know of a leg.
type control struct {
	thread    *thread
	media     roamline.Media
	connected bool
	peer      *leg
	codecs    codecPair
	prompt    roamline.Prompt // played now, as far as is known here
	loop      bool
	started   bool           // the thread has it
	promptIn  roamline.Codec // in which
	keys      keys
}

// A feed says how a leg hears its source.
type feed uint8

const (
	silent  feed = iota
	relayed      // payload untouched
	decoded      // through decoder and encoder
)

// sends reports whether the far end wants to hear us (RFC 3264 section 8.4).
func (l *leg) sends() bool {
	d := l.media.Direction
	return d == roamline.SendRecv || d == roamline.SendOnly
}

// receives reports whether the far end is to send.
func (l *leg) receives() bool {
	d := l.media.Direction
	return d == roamline.SendRecv || d == roamline.RecvOnly
}

// open reports whether a packet may go to the far end now.
func (l *leg) open() bool { return l.ready && l.connected && l.sends() && l.reachable() }

func (l *leg) reachable() bool {
	if l.web != nil {
		return l.web.nominated
	}
	return l.trunk.known
}

// A codecPair is what a transcoder was made for.
type codecPair struct {
	from, to roamline.Codec
	valid    bool
}
