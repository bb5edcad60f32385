// Package phone is a telephone call as a person has it: signalling and voice
// together, with ringing, answer, hold, digits and an end. The pretend carrier
// and the pretend client both make their calls with it.
package phone

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/roamline/roamline/demo/media"
	"github.com/roamline/roamline/demo/pcm"
	"github.com/roamline/roamline/demo/ua"
)

// A Call is one call at one telephone. Its methods may be called at any time
// from any goroutine.
type Call struct {
	Incoming bool
	From, To Party // as the INVITE says

	dialog *ua.Dialog
	option Options
	log    *slog.Logger

	ringing, answered, ended chan struct{}

	mu     sync.Mutex
	voice  *media.Session
	asked  bool // our description was an offer whose answer is awaited
	status int
	reason string
	local  bool
	times  Times
	early  bool
	err    error
}

// A Party is a number and a name from a From or To header.
type Party struct {
	Number string `json:"number"`
	Name   string `json:"name,omitempty"`
}

// Times are a call's; zero if it never came so far.
type Times struct {
	Placed, Rang, Answered, Ended time.Time
}

// Options of a call.
type Options struct {
	Media     media.Options
	LateOffer bool // place it with no offer; ours is then the answer in the ACK (RFC 3261 section 13.2.1)
}

// Place sends an INVITE.
func Place(a *ua.Agent, inv ua.Invitation, o Options) (*Call, error) {
	c := newCall(o)
	c.From = Party{Number: inv.From.User, Name: inv.FromName}
	c.To = Party{Number: inv.To.User}
	voice, err := media.Open(o.Media)
	if err != nil {
		return nil, err
	}
	c.voice = voice
	if !o.LateOffer {
		c.asked = true
		inv.SDP = voice.Offer(media.SendRecv)
	}
	c.mu.Lock() // an answer waits until the dialog is known
	d, err := a.Invite(inv, signals{c})
	c.dialog = d
	c.mu.Unlock()
	if err != nil {
		voice.Close()
		return nil, err
	}
	return c, nil
}

// Take makes a call of an INVITE that arrived. Ring, Answer or Refuse it; give
// Signals to the agent.
func Take(d *ua.Dialog, o Options) *Call {
	c := newCall(o)
	req := d.Invitation()
	c.Incoming = true
	c.dialog = d
	c.From = Party{Number: req.From().Address.User, Name: req.From().DisplayName}
	c.To = Party{Number: req.Recipient.User}
	return c
}

func newCall(o Options) *Call {
	if o.Media.Log == nil {
		o.Media.Log = slog.New(slog.DiscardHandler)
	}
	return &Call{option: o, log: o.Media.Log, times: Times{Placed: time.Now()},
		ringing: make(chan struct{}), answered: make(chan struct{}), ended: make(chan struct{})}
}

// Signals returns what the agent tells about the dialog of c.
func (c *Call) Signals() ua.Session { return signals{c} }

// Dialog returns the signalling of c.
func (c *Call) Dialog() *ua.Dialog { return c.dialog }

// Ringing is closed at the first 18x, sent or received.
func (c *Call) Ringing() <-chan struct{} { return c.ringing }

// Answered is closed when the call is answered.
func (c *Call) Answered() <-chan struct{} { return c.answered }

// Ended is closed when the call is over, answered or not.
func (c *Call) Ended() <-chan struct{} { return c.ended }

// Status returns the last SIP status and its phrase: 180, 200, 486; 0 before
// the first. After an answer it stays 200.
func (c *Call) Status() (int, string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status, c.reason
}

// EndedHere reports whether this end hung up, cancelled or refused.
func (c *Call) EndedHere() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.local
}

// Times returns when things happened.
func (c *Call) Times() Times {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.times
}

// Voice returns the call's voice; nil for an incoming call not yet answered.
func (c *Call) Voice() *media.Session {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.voice
}

// Err returns what went wrong with the voice's description; usually nil.
func (c *Call) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// WaitAnswered waits for the answer; an error names the status if there is none.
func (c *Call) WaitAnswered(ctx context.Context) error {
	select {
	case <-c.answered:
		return nil
	default:
	}
	select {
	case <-c.answered:
		return nil
	case <-c.ended:
		status, reason := c.Status()
		return fmt.Errorf("phone: not answered: %d %s", status, reason)
	case <-ctx.Done():
		return fmt.Errorf("phone: waiting for an answer: %w", ctx.Err())
	}
}

// WaitEnded waits for the end.
func (c *Call) WaitEnded(ctx context.Context) error {
	select {
	case <-c.ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("phone: waiting for the end: %w", ctx.Err())
	}
}

// Ring tells the caller that the telephone rings.
func (c *Call) Ring() {
	c.dialog.Ring(nil)
	c.note(180, "Ringing")
}

// ErrNotRinging is an answer to a call that was answered, or is over.
var ErrNotRinging = errors.New("phone: the call does not ring any more")

// Answer accepts an incoming call.
func (c *Call) Answer() error {
	c.mu.Lock()
	if c.voice != nil || !c.times.Ended.IsZero() {
		c.mu.Unlock()
		return ErrNotRinging
	}
	voice, err := media.Open(c.option.Media)
	if err != nil {
		c.mu.Unlock()
		return err
	}
	c.voice = voice
	var sdp []byte
	if offer := c.dialog.Invitation().Body(); len(offer) > 0 {
		sdp, err = voice.Answer(offer)
	} else {
		c.asked = true
		sdp = voice.Offer(media.SendRecv)
	}
	c.mu.Unlock()
	if err != nil {
		voice.Close()
		c.dialog.Refuse(488, "Not Acceptable Here")
		return err
	}
	if err := c.dialog.Answer(sdp); err != nil {
		voice.Close()
		return ErrNotRinging
	}
	c.answer()
	return nil
}

// Refuse ends an incoming call that was not answered: 486, 603, 480, ...
func (c *Call) Refuse(status int, reason string) { c.dialog.Refuse(status, reason) }

// Hangup ends the call as its state asks.
func (c *Call) Hangup() { c.dialog.Hangup() }

// Hold asks the far end to be quiet: sendonly, or inactive if silent. It waits
// for the answer.
func (c *Call) Hold(ctx context.Context, silent bool) error {
	if silent {
		return c.reoffer(ctx, media.Inactive)
	}
	return c.reoffer(ctx, media.SendOnly)
}

// Resume ends a hold.
func (c *Call) Resume(ctx context.Context) error { return c.reoffer(ctx, media.SendRecv) }

func (c *Call) reoffer(ctx context.Context, direction string) error {
	voice := c.Voice()
	if voice == nil {
		return ErrNotRinging
	}
	was := voice.Direction()
	c.mu.Lock()
	c.asked = true
	c.mu.Unlock()
	if err := c.dialog.Reinvite(ctx, voice.Offer(direction)); err != nil {
		voice.Offer(was) // the session stays as it was (RFC 3261 section 14.1)
		return err
	}
	return nil
}

// Held reports whether the far end holds us.
func (c *Call) Held() bool {
	v := c.Voice()
	return v != nil && (v.FarDirection() == media.SendOnly || v.FarDirection() == media.Inactive)
}

// Play sends samples once, instead of what was played before.
func (c *Call) Play(samples []int16) *media.Playback { return c.PlaySource(pcm.Once(samples)) }

// PlayTone sends a sine of hz until something else is played.
func (c *Call) PlayTone(hz float64) *media.Playback { return c.PlaySource(&pcm.Steady{Hz: hz}) }

// PlaySource sends src; nil is silence. It returns nil before the call has voice.
func (c *Call) PlaySource(src pcm.Source) *media.Playback {
	if v := c.Voice(); v != nil {
		return v.Play(src)
	}
	return nil
}

// Heard returns what was heard so far, at 8 kHz.
func (c *Call) Heard() []int16 {
	if v := c.Voice(); v != nil {
		return v.Heard()
	}
	return nil
}

// WaitTone waits until a tone of hz comes in.
func (c *Call) WaitTone(ctx context.Context, hz float64) error {
	v := c.Voice()
	if v == nil {
		return ErrNotRinging
	}
	return v.WaitTone(ctx, hz)
}

// SendDigit presses keys ("0-9*#A-D"); false if the far end takes none.
func (c *Call) SendDigit(keys string) bool {
	v := c.Voice()
	return v != nil && v.Dial(keys)
}

// Digits returns the keys that the far end pressed.
func (c *Call) Digits() string {
	if v := c.Voice(); v != nil {
		return v.Digits()
	}
	return ""
}

// Figures returns the voice's counts.
func (c *Call) Figures() media.Figures {
	if v := c.Voice(); v != nil {
		return v.Figures()
	}
	return media.Figures{}
}

// Wait waits until ok holds; it is asked whenever voice or a description arrived.
func (c *Call) Wait(ctx context.Context, what string, ok func() bool) error {
	v := c.Voice()
	if v == nil {
		return ErrNotRinging
	}
	return v.WaitFor(ctx, what, ok)
}

func (c *Call) note(status int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status, c.reason = status, reason
	if status >= 180 && status < 200 && c.times.Rang.IsZero() {
		c.times.Rang = time.Now()
		close(c.ringing)
	}
}

func (c *Call) answer() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status, c.reason = 200, "OK"
	if c.times.Answered.IsZero() {
		c.times.Answered = time.Now()
		close(c.answered)
	}
}

// signals is what the dialog tells a call.
type signals struct{ c *Call }

func (s signals) Progress(status int, reason string, sdp []byte) {
	s.c.note(status, reason)
	if sdp != nil && s.c.option.LateOffer {
		return
	}
	if sdp != nil { // early media (RFC 3960)
		if err := s.c.Voice().Accept(sdp); err == nil {
			s.c.mu.Lock()
			s.c.early = true
			s.c.mu.Unlock()
		}
	}
}

func (s signals) Accepted(sdp []byte) (ack []byte, ok bool) {
	c := s.c
	c.mu.Lock()
	asked, voice, early := c.asked, c.voice, c.early
	c.asked = false
	c.mu.Unlock()
	var err error
	switch {
	case sdp == nil && early: // the answer came with the 183
	case asked:
		err = voice.Accept(sdp)
	default:
		ack, err = voice.Answer(sdp)
	}
	if err != nil {
		c.fail(err)
		return nil, false
	}
	c.answer()
	return ack, true
}

func (c *Call) fail(err error) {
	c.mu.Lock()
	c.err = err
	c.mu.Unlock()
	c.log.Debug("description of no use", "error", err)
}

func (s signals) Reoffered(sdp []byte) ([]byte, int) {
	c := s.c
	voice := c.Voice()
	if voice == nil {
		return nil, 491
	}
	if sdp == nil {
		c.mu.Lock()
		c.asked = true
		c.mu.Unlock()
		return voice.Offer(voice.Direction()), 200
	}
	answer, err := voice.Answer(sdp)
	if err != nil {
		c.fail(err)
		return nil, 488
	}
	return answer, 200
}

func (s signals) Acked(sdp []byte) {
	c := s.c
	c.mu.Lock()
	asked := c.asked
	c.asked = false
	voice := c.voice
	c.mu.Unlock()
	if sdp == nil || !asked {
		return
	}
	if err := voice.Accept(sdp); err != nil {
		c.fail(err)
		go c.Hangup()
	}
}

func (s signals) Ended(e ua.End) {
	c := s.c
	c.mu.Lock()
	if c.times.Answered.IsZero() {
		c.status, c.reason = e.Status, e.Reason
	}
	c.local = e.Local
	c.times.Ended = time.Now()
	voice := c.voice
	c.mu.Unlock()
	if voice != nil {
		voice.Close()
	}
	close(c.ended)
}
