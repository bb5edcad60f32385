package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/roamline/roamline/demo/media"
	"github.com/roamline/roamline/demo/phone"
	"github.com/roamline/roamline/demo/ua"
)

// callLimit is how long one call may take, from INVITE to its end.
const callLimit = 15 * time.Second

// A trunk is the carrier's side: one SIP endpoint over UDP that calls.
type trunk struct {
	conn   net.PacketConn
	agent  *ua.Agent
	server netip.AddrPort
	clock  clock
	answer atomic.Bool // phones answer
}

func newTrunk(server string) (*trunk, error) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	t := &trunk{conn: conn, server: netip.MustParseAddrPort(server)}
	t.clock.reset()
	t.agent = ua.New(ua.UDP(conn), ua.Options{User: "bench", Agent: "Bench trunk", Trace: t.trace})
	return t, nil
}

func (t *trunk) trace(out bool, _ string, m []byte) {
	if out && bytes.HasPrefix(m, []byte("INVITE ")) {
		t.clock.left(m, time.Now())
	}
}

// invitation is call i, to user u.
func (t *trunk) invitation(i, u int) ua.Invitation {
	return ua.Invitation{Via: t.server.String(),
		To:   sip.Uri{Scheme: "sip", User: fmt.Sprintf(number, u), Host: t.server.Addr().String(), Port: int(t.server.Port())},
		From: sip.Uri{Scheme: "sip", User: fmt.Sprintf("+4930%07d", i), Host: "127.0.0.1"},
	}
}

// ring makes a call that is cancelled as soon as it rings.
func (t *trunk) ring(ctx context.Context, i, u int) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	inv := t.invitation(i, u)
	inv.SDP = []byte("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8 0 101\r\n" +
		"a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=sendrecv\r\n")
	l := &listener{rang: make(chan struct{}, 1), over: make(chan ua.End, 1)}
	d, err := t.agent.Invite(inv, l)
	if err != nil {
		return err
	}
	for {
		select {
		case <-l.rang:
			d.Hangup()
		case end := <-l.over:
			if end.Status != 487 {
				return fmt.Errorf("%d %s instead of ringing", end.Status, end.Reason)
			}
			return nil
		case <-ctx.Done():
			d.Hangup()
			return fmt.Errorf("waiting for the call's end: %w", ctx.Err())
		}
	}
}

// talk makes a call that is hung up as soon as it is answered.
func (t *trunk) talk(ctx context.Context, i, u int) error {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	c, err := phone.Place(t.agent, t.invitation(i, u), phone.Options{Media: media.Options{Codecs: []string{"PCMA"}, Host: loopback}})
	if err != nil {
		return err
	}
	err = c.WaitAnswered(ctx)
	c.Hangup()
	return errors.Join(err, c.WaitEnded(ctx))
}

// A listener is a caller who wants to know only that it rings, and that it is
// over.
type listener struct {
	rang chan struct{}
	over chan ua.End
}

// Progress implements ua.Session.
func (l *listener) Progress(status int, _ string, _ []byte) {
	if status < 180 {
		return
	}
	select {
	case l.rang <- struct{}{}:
	default:
	}
}

// Accepted implements ua.Session: nobody answers here.
func (l *listener) Accepted([]byte) ([]byte, bool) { return nil, false }

// Reoffered implements ua.Session.
func (l *listener) Reoffered([]byte) ([]byte, int) { return nil, 488 }

// Acked implements ua.Session.
func (l *listener) Acked([]byte) {}

// Ended implements ua.Session.
func (l *listener) Ended(e ua.End) { l.over <- e }
