package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/roamline/roamline/demo/ua"
)

// A bridge lets the load generator set up calls between two plain RTP ends
// through the server: towards the generator it speaks rtpengine's control
// protocol (offer, answer, delete, ping), towards the server SIP. An offer
// becomes an INVITE of the trunk, and its answer is the offer that the phone
// got; the answer becomes the phone's 200, and its answer is what the trunk got.
type bridge struct {
	conn  *net.UDPConn
	trunk *trunk
	users int // a call each
	work  sync.WaitGroup

	mu     sync.Mutex
	seen   map[string]bool     // cookies: the generator repeats itself
	calls  map[string]*bridged // by call-id; at most users entries
	caller map[string]*bridged // the same by the number in From
}

// A bridged call: the caller's dialog at the trunk and the callee's at a phone.
type bridged struct {
	out      *ua.Dialog
	in       *ua.Dialog
	rang     chan *ua.Dialog
	accepted chan []byte
	over     chan ua.End
}

func openBridge(t *trunk, users int) (*bridge, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: loopback.AsSlice()})
	if err != nil {
		return nil, err
	}
	b := &bridge{conn: conn, trunk: t, users: users, seen: map[string]bool{}, calls: map[string]*bridged{}, caller: map[string]*bridged{}}
	b.work.Go(b.serve)
	return b, nil
}

func (b *bridge) addr() string { return b.conn.LocalAddr().String() }

func (b *bridge) close() error {
	err := b.conn.Close()
	b.work.Wait()
	return err
}

func (b *bridge) serve() {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := b.conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		cookie, rest, ok := bytes.Cut(bytes.Clone(buf[:n]), []byte(" "))
		v, _, wrong := decode(rest)
		asked, is := v.(map[string]any)
		if err != nil || !ok || wrong != nil || !is || b.again(string(cookie)) {
			continue
		}
		b.work.Go(func() {
			answer := map[string]string{"result": "ok"}
			sdp, err := b.do(asked)
			if err != nil {
				answer["result"], answer["error-reason"] = "error", err.Error()
			} else if asked["command"] == "ping" {
				answer["result"] = "pong"
			} else {
				answer["sdp"] = string(sdp)
			}
			b.conn.WriteToUDPAddrPort(append(append(cookie, ' '), encode(answer)...), from)
		})
	}
}

func (b *bridge) again(cookie string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	was := b.seen[cookie]
	b.seen[cookie] = true
	return was
}

func (b *bridge) do(asked map[string]any) ([]byte, error) {
	id, _ := asked["call-id"].(string)
	sdp, _ := asked["sdp"].(string)
	b.mu.Lock()
	c := b.calls[id]
	b.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), callLimit)
	defer cancel()
	switch command := asked["command"]; {
	case command == "ping":
		return nil, nil
	case command == "offer" && c == nil:
		return b.offer(ctx, id, []byte(sdp))
	case command == "answer" && c != nil:
		return c.answer(ctx, []byte(sdp))
	case command == "delete" && c != nil:
		c.out.Hangup()
		return nil, nil
	}
	return nil, fmt.Errorf("%v out of turn", asked["command"])
}

// offer calls the next user and returns the description that her phone got.
func (b *bridge) offer(ctx context.Context, id string, sdp []byte) ([]byte, error) {
	c := &bridged{rang: make(chan *ua.Dialog, 1), accepted: make(chan []byte, 1), over: make(chan ua.End, 1)}
	b.mu.Lock()
	i := len(b.calls)
	inv := b.trunk.invitation(i, i)
	inv.SDP = sdp
	full := i >= b.users
	if !full {
		b.calls[id], b.caller[inv.From.User] = c, c
	}
	b.mu.Unlock()
	if full {
		return nil, fmt.Errorf("more than %d calls", b.users)
	}
	var err error
	if c.out, err = b.trunk.agent.Invite(inv, c); err != nil {
		return nil, err
	}
	select {
	case c.in = <-c.rang:
		return c.in.Invitation().Body(), nil
	case end := <-c.over:
		return nil, fmt.Errorf("%d %s", end.Status, end.Reason)
	case <-ctx.Done():
		c.out.Hangup()
		return nil, errors.New("no INVITE at the phone")
	}
}

// answer answers at the phone and returns the description that the trunk got.
func (c *bridged) answer(ctx context.Context, sdp []byte) ([]byte, error) {
	if err := c.in.Answer(sdp); err != nil {
		return nil, err
	}
	select {
	case sdp := <-c.accepted:
		return sdp, nil
	case end := <-c.over:
		return nil, fmt.Errorf("%d %s", end.Status, end.Reason)
	case <-ctx.Done():
		c.out.Hangup()
		return nil, errors.New("no 200 at the trunk")
	}
}

// invited takes a call at any of the phones.
func (b *bridge) invited(d *ua.Dialog) ua.Session {
	b.mu.Lock()
	c := b.caller[d.Invitation().From().Address.User]
	b.mu.Unlock()
	if c == nil {
		return nil
	}
	d.Ring(nil)
	select {
	case c.rang <- d:
	default:
		return nil
	}
	return called{}
}

// A bridged call is the caller's session.

// Progress implements ua.Session.
func (c *bridged) Progress(int, string, []byte) {}

// Accepted implements ua.Session.
func (c *bridged) Accepted(sdp []byte) ([]byte, bool) {
	select {
	case c.accepted <- sdp:
	default:
	}
	return nil, true
}

// Reoffered implements ua.Session.
func (c *bridged) Reoffered([]byte) ([]byte, int) { return nil, 488 }

// Acked implements ua.Session.
func (c *bridged) Acked([]byte) {}

// Ended implements ua.Session.
func (c *bridged) Ended(e ua.End) { c.over <- e }

// called is the callee's session: the bridge does all.
type called struct{}

// Progress implements ua.Session.
func (called) Progress(int, string, []byte) {}

// Accepted implements ua.Session.
func (called) Accepted([]byte) ([]byte, bool) { return nil, true }

// Reoffered implements ua.Session.
func (called) Reoffered([]byte) ([]byte, int) { return nil, 488 }

// Acked implements ua.Session.
func (called) Acked([]byte) {}

// Ended implements ua.Session.
func (called) Ended(ua.End) {}

// deskPhones registers a phone for each user that speaks SIP over UDP and plain
// RTP, and rings at the bridge.
func (b *bridge) deskPhones(ctx context.Context, h *house) (hangUp func(), err error) {
	var phones []*phoneClient
	hangUp = func() {
		for _, p := range phones {
			p.agent.Close()
		}
	}
	for i := range b.users {
		conn, err := net.ListenPacket("udp", (&net.UDPAddr{IP: own(i).IP}).String())
		if err != nil {
			return hangUp, err
		}
		p := &phoneClient{agent: ua.New(ua.UDP(conn), ua.Options{User: login(i), Agent: "Bench desk phone", Invited: b.invited})}
		phones = append(phones, p)
		within, cancel := context.WithTimeout(ctx, 10*time.Second)
		err = p.register(within, h.sip, login(i), h.password)
		cancel()
		if err != nil {
			return hangUp, fmt.Errorf("desk phone %d: %w", i, err)
		}
	}
	return hangUp, nil
}
