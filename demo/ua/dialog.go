package ua

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// A Session is what a call does with its dialog's descriptions. Its methods are
// called one at a time, in order, and must not wait.
type Session interface {
	// Progress is a provisional answer to our INVITE; sdp may be nil.
	Progress(status int, reason string, sdp []byte)
	// Accepted is the 2xx to an INVITE or re-INVITE of ours. It returns the
	// description for the ACK: needed if the INVITE held none, else nil. If not
	// ok, the call ends after the ACK.
	Accepted(sdp []byte) (ack []byte, ok bool)
	// Reoffered is a re-INVITE or UPDATE: sdp is the offer, nil if an offer is
	// asked for (or nothing is to change: then the same answer does no harm).
	Reoffered(sdp []byte) (answer []byte, status int)
	// Acked is the ACK of our 2xx; sdp is not nil if it answers our offer.
	Acked(sdp []byte)
	// Ended comes once, last.
	Ended(End)
}

// An End says how a dialog ended. Status is the final answer's code if it never
// was accepted, else 200.
type End struct {
	Status int
	Reason string
	Local  bool // we ended it
}

type state int

const (
	early state = iota
	confirmed
	over
)

// A Dialog is one call's signalling (RFC 3261 section 12), from the INVITE on.
type Dialog struct {
	a        *Agent
	incoming bool
	callID   string
	invite   *sip.Request // the first one

	mu         sync.Mutex
	session    Session
	state      state
	localTag   string
	remoteTag  string
	target     sip.Uri
	routes     []string // Route header values, ours
	to         string   // where requests go
	cseq       uint32
	server     *serverTx // of the INVITE that we answer
	client     *clientTx // of the INVITE that we sent
	rang       bool      // a provisional answer came
	cancelled  bool
	reinviting bool
	ack        []byte // sent again for every repeated 2xx
	ackTo      string
	final      *sip.Response // the accepted answer
	end        End           // kept for a session that is not there yet
}

// An Invitation is an INVITE to be sent.
type Invitation struct {
	To       sip.Uri
	From     sip.Uri
	FromName string
	Via      string // "host:port" to send to; empty over WebSocket
	SDP      []byte // nil: a late offer
	Headers  []sip.Header
}

// Invite sends an INVITE; what comes of it is told to s.
func (a *Agent) Invite(inv Invitation, s Session) (*Dialog, error) {
	d := &Dialog{a: a, session: s, callID: sip.GenerateTagN(24), localTag: sip.GenerateTagN(12), to: inv.Via, target: inv.To, cseq: 1}
	req := sip.NewRequest(sip.INVITE, inv.To)
	from := &sip.FromHeader{DisplayName: inv.FromName, Address: inv.From, Params: sip.NewParams()}
	from.Params.Add("tag", d.localTag)
	req.AppendHeader(from)
	req.AppendHeader(&sip.ToHeader{Address: inv.To, Params: sip.NewParams()})
	id := sip.CallIDHeader(d.callID)
	req.AppendHeader(&id)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: 1, MethodName: sip.INVITE})
	req.AppendHeader(a.contact())
	req.AppendHeader(sip.NewHeader("Allow", allow))
	for _, h := range inv.Headers {
		req.AppendHeader(h)
	}
	d.fill(req, inv.SDP)
	d.invite = req
	if !a.hold(d) {
		return nil, ErrClosed
	}
	tx, err := a.start(inv.Via, req, d.answered)
	if err != nil {
		a.release(d)
		return nil, err
	}
	d.mu.Lock()
	d.client = tx
	d.mu.Unlock()
	return d, nil
}

const allow = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO"

func (d *Dialog) fill(req *sip.Request, sdp []byte) {
	d.a.finishRequest(req)
	if sdp != nil {
		req.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	}
	req.SetBody(sdp)
}

func (a *Agent) hold(d *Dialog) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || len(a.dialogs) >= calls {
		return false
	}
	a.dialogs[d.callID+" "+d.localTag] = d
	return true
}

func (a *Agent) release(d *Dialog) {
	a.mu.Lock()
	delete(a.dialogs, d.callID+" "+d.localTag)
	a.mu.Unlock()
}

// finish tells the session, once.
func (d *Dialog) finish(e End) {
	d.mu.Lock()
	was := d.state
	if was != over {
		d.state, d.end = over, e
	}
	s := d.session
	d.mu.Unlock()
	if was == over {
		return
	}
	d.a.release(d)
	if s != nil {
		s.Ended(e)
	}
}

// Invitation returns the first INVITE, ours or theirs.
func (d *Dialog) Invitation() *sip.Request { return d.invite }

// CallID returns the dialog's Call-ID.
func (d *Dialog) CallID() string { return d.callID }

// answered takes every response to our first INVITE.
func (d *Dialog) answered(res *sip.Response) {
	d.mu.Lock()
	cancel := d.cancelled
	switch {
	case res.StatusCode < 200:
		first := !d.rang
		d.rang = true
		s := d.session
		d.mu.Unlock()
		if cancel && first {
			d.sendCancel()
		} else if res.StatusCode > 100 {
			s.Progress(res.StatusCode, res.Reason, body(res))
		}
		return
	case res.StatusCode >= 300:
		d.mu.Unlock()
		d.finish(End{Status: res.StatusCode, Reason: res.Reason, Local: cancel})
		return
	case d.final != nil:
		ack, to := d.ack, d.ackTo
		d.mu.Unlock()
		d.a.sendRaw(to, ack)
		return
	}
	d.final = res
	d.remoteTag, _ = res.To().Params.Get("tag")
	d.routes = routes(res, true)
	d.aim(res.Contact())
	ended := d.state == over
	if !ended {
		d.state = confirmed
	}
	s := d.session
	d.mu.Unlock()
	var sdp []byte
	ok := !ended && !cancel
	if ok {
		sdp, ok = s.Accepted(body(res))
	}
	d.acknowledge(1, sdp)
	if !ok { // the CANCEL crossed the 2xx (section 9.1), or the answer is of no use
		d.bye()
		d.finish(End{Status: 487, Reason: "Request Terminated", Local: true})
	}
}

func (d *Dialog) acknowledge(cseq uint32, sdp []byte) {
	ack := d.request(sip.ACK, cseq)
	d.fill(ack, sdp)
	d.mu.Lock()
	d.ack, d.ackTo = []byte(ack.String()), d.to
	raw, to := d.ack, d.ackTo
	d.mu.Unlock()
	d.a.sendRaw(to, raw)
}

// aim sets where requests go: the first route or the target. Over a WebSocket
// there is one way only.
func (d *Dialog) aim(c *sip.ContactHeader) {
	if c != nil {
		d.target = *c.Address.Clone()
	}
	hop := d.target
	if len(d.routes) > 0 {
		var h sip.Uri
		params := sip.NewParams()
		if _, err := sip.ParseAddressValue(d.routes[0], &h, &params); err == nil {
			hop = h
		}
	}
	if d.a.wire.Transport() == "WS" {
		return
	}
	port := hop.Port
	if port == 0 {
		port = 5060
	}
	d.to = fmt.Sprintf("%s:%d", hop.Host, port)
}

func routes(m sip.Message, reverse bool) (out []string) {
	for _, h := range m.GetHeaders("Record-Route") {
		out = append(out, h.Value())
	}
	if reverse {
		for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
			out[i], out[j] = out[j], out[i]
		}
	}
	return out
}

// request makes a request within the dialog (section 12.2.1.1); cseq 0 takes
// the next.
func (d *Dialog) request(method sip.RequestMethod, cseq uint32) *sip.Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	if cseq == 0 {
		d.cseq++
		cseq = d.cseq
	}
	req := sip.NewRequest(method, *d.target.Clone())
	var us, them sip.Uri
	if d.incoming {
		us, them = d.invite.To().Address, d.invite.From().Address
	} else {
		us, them = d.invite.From().Address, d.invite.To().Address
	}
	from := &sip.FromHeader{Address: us, Params: sip.NewParams()}
	from.Params.Add("tag", d.localTag)
	to := &sip.ToHeader{Address: them, Params: sip.NewParams()}
	if d.remoteTag != "" {
		to.Params.Add("tag", d.remoteTag)
	}
	for _, r := range d.routes {
		req.AppendHeader(sip.NewHeader("Route", r))
	}
	req.AppendHeader(from)
	req.AppendHeader(to)
	id := sip.CallIDHeader(d.callID)
	req.AppendHeader(&id)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: cseq, MethodName: method})
	if method == sip.INVITE || method == sip.UPDATE {
		req.AppendHeader(d.a.contact())
	}
	return req
}

// Hangup ends the dialog as its state asks: CANCEL, a refusal, or BYE.
func (d *Dialog) Hangup() {
	d.mu.Lock()
	st, incoming, rang, cancelled := d.state, d.incoming, d.rang, d.cancelled
	if st == early && !incoming {
		d.cancelled = true
	}
	d.mu.Unlock()
	switch {
	case st == over:
	case st == confirmed:
		d.bye()
		d.finish(End{Status: 200, Reason: "OK", Local: true})
	case incoming:
		d.Refuse(603, "Decline")
	case rang && !cancelled:
		d.sendCancel()
	}
}

// sendCancel cancels our INVITE (section 9.1): same branch, same CSeq number.
func (d *Dialog) sendCancel() {
	req := sip.NewRequest(sip.CANCEL, d.invite.Recipient)
	req.AppendHeader(sip.HeaderClone(d.invite.Via()))
	hops := sip.MaxForwardsHeader(70)
	req.AppendHeader(&hops)
	req.AppendHeader(sip.HeaderClone(d.invite.From()))
	req.AppendHeader(sip.HeaderClone(d.invite.To()))
	req.AppendHeader(sip.HeaderClone(d.invite.CallID()))
	req.AppendHeader(&sip.CSeqHeader{SeqNo: d.invite.CSeq().SeqNo, MethodName: sip.CANCEL})
	req.SetBody(nil)
	d.a.start(d.to, req, func(*sip.Response) {})
}

func (d *Dialog) bye() {
	req := d.request(sip.BYE, 0)
	d.fill(req, nil)
	d.a.start(d.dest(), req, func(*sip.Response) {})
}

func (d *Dialog) dest() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.to
}

// ErrRefused is a re-INVITE that the far end refused; the session goes on.
var ErrRefused = errors.New("ua: the far end refused the change")

// Reinvite offers sdp within the dialog; the answer goes to the session's
// Accepted before it returns. Glare is tried again (section 14.1).
func (d *Dialog) Reinvite(ctx context.Context, sdp []byte) error {
	for range 4 {
		res, err := d.reinvite(ctx, sdp)
		if err != nil {
			return err
		}
		switch {
		case res.StatusCode < 300:
			return nil
		case res.StatusCode != 491:
			return fmt.Errorf("%w: %d %s", ErrRefused, res.StatusCode, res.Reason)
		}
		wait := time.Duration(rand.Int64N(int64(2 * time.Second)))
		if !d.incoming { // we own the Call-ID
			wait = 2100*time.Millisecond + wait*19/20
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return ErrRefused
}

func (d *Dialog) reinvite(ctx context.Context, sdp []byte) (*sip.Response, error) {
	d.mu.Lock()
	if d.state != confirmed || d.reinviting {
		d.mu.Unlock()
		return nil, ErrClosed
	}
	d.reinviting = true
	d.mu.Unlock()
	req := d.request(sip.INVITE, 0)
	d.fill(req, sdp)
	got := make(chan *sip.Response, 1)
	first := true
	_, err := d.a.start(d.dest(), req, func(res *sip.Response) {
		if res.StatusCode < 200 {
			return
		}
		if res.StatusCode < 300 {
			if !first {
				d.again()
				return
			}
			d.mu.Lock()
			d.aim(res.Contact())
			s := d.session
			d.mu.Unlock()
			ack, _ := s.Accepted(body(res))
			d.acknowledge(req.CSeq().SeqNo, ack)
		}
		if first {
			first = false
			got <- res
		}
	})
	defer func() { d.mu.Lock(); d.reinviting = false; d.mu.Unlock() }()
	if err != nil {
		return nil, err
	}
	select {
	case res := <-got:
		return res, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// again acknowledges a repeated 2xx.
func (d *Dialog) again() {
	d.mu.Lock()
	ack, to := d.ack, d.ackTo
	d.mu.Unlock()
	d.a.sendRaw(to, ack)
}

func body(m sip.Message) []byte {
	if b := m.Body(); len(b) > 0 {
		return b
	}
	return nil
}
