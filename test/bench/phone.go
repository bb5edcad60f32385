package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	"github.com/roamline/roamline/demo/media"
	"github.com/roamline/roamline/demo/phone"
	"github.com/roamline/roamline/demo/ua"
)

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// A phoneClient is a standard SIP phone over WebSocket that registers by digest
// and speaks DTLS-SRTP.
type phoneClient struct {
	agent  *ua.Agent
	clock  *clock
	answer *atomic.Bool // it answers; else it only rings
}

// newPhone connects phone i and registers it.
func newPhone(ctx context.Context, h *house, i int) (*phoneClient, error) {
	p := &phoneClient{clock: &h.trunk.clock, answer: &h.trunk.answer}
	by := &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{LocalAddr: own(i)}).DialContext}}
	host := strings.ToLower(rand.Text()[:10]) + ".invalid"
	wire, err := ua.DialWebSocket(ctx, "ws://"+h.http+"/sip", host, "http://"+h.http, by)
	if err != nil {
		return nil, err
	}
	p.agent = ua.New(wire, ua.Options{User: login(i), Agent: "Bench phone", Invited: p.invited, Trace: p.trace})
	if err := p.register(ctx, "", login(i), h.password); err != nil {
		p.agent.Close()
		return nil, err
	}
	return p, nil
}

// own is the address on loopback that phone i connects from: the server answers
// only so many unproved requests of one address a second.
func own(i int) *net.TCPAddr {
	return &net.TCPAddr{IP: net.IPv4(127, 0, 1+byte(i/250), 1+byte(i%250))}
}

// register proves itself by digest (RFC 3261 section 22). at is the server's
// address for a phone on UDP, empty over WebSocket.
func (p *phoneClient) register(ctx context.Context, at, login, password string) error {
	const realm = "127.0.0.1"
	callID, tag, proof := rand.Text(), rand.Text(), ""
	contact := "<sip:" + login + "@" + p.agent.Addr() + ";transport=ws>;expires=3600"
	if at != "" {
		contact = "<sip:" + login + "@" + p.agent.Addr() + ">;expires=3600"
	}
	for n := uint32(1); n <= 2; n++ {
		aor := sip.Uri{Scheme: "sip", User: login, Host: realm}
		target := sip.Uri{Scheme: "sip", Host: realm}
		req := sip.NewRequest(sip.REGISTER, target)
		from := &sip.FromHeader{Address: aor, Params: sip.NewParams()}
		from.Params.Add("tag", tag)
		req.AppendHeader(from)
		req.AppendHeader(&sip.ToHeader{Address: aor, Params: sip.NewParams()})
		id := sip.CallIDHeader(callID)
		req.AppendHeader(&id)
		req.AppendHeader(&sip.CSeqHeader{SeqNo: n, MethodName: sip.REGISTER})
		req.AppendHeader(sip.NewHeader("Contact", contact))
		if proof != "" {
			req.AppendHeader(sip.NewHeader("Authorization", proof))
		}
		within, cancel := context.WithTimeout(ctx, 10*time.Second)
		res, err := p.agent.Do(within, at, req)
		cancel()
		if err != nil {
			return err
		}
		if res.StatusCode == 200 {
			return nil
		}
		if proof, err = prove(res, login, password, target.String()); err != nil {
			return err
		}
	}
	return fmt.Errorf("REGISTER: the proof was refused")
}

func prove(res *sip.Response, login, password, uri string) (string, error) {
	for _, h := range res.GetHeaders("WWW-Authenticate") {
		c, err := digest.ParseChallenge(h.Value())
		if res.StatusCode != 401 || err != nil {
			continue
		}
		cred, err := digest.Digest(c, digest.Options{Method: "REGISTER", URI: uri, Username: login, Password: password})
		if err != nil {
			continue
		}
		return cred.String(), nil
	}
	return "", fmt.Errorf("REGISTER: %d %s, with no digest challenge", res.StatusCode, res.Reason)
}

func (p *phoneClient) trace(out bool, _ string, m []byte) {
	if !out && bytes.HasPrefix(m, []byte("INVITE ")) {
		p.clock.arrived(m, time.Now())
	}
}

func (p *phoneClient) invited(d *ua.Dialog) ua.Session {
	c := phone.Take(d, phone.Options{Media: media.Options{Secure: true, Codecs: []string{"PCMA"}, Host: loopback}})
	c.Ring()
	if p.answer.Load() {
		go c.Answer() // a call that is gone by then ends at the caller, where it is counted
	}
	return c.Signals()
}

// A clock matches INVITEs that the trunk sends with those that reach phones, by
// the caller's number, which no two calls share.
type clock struct {
	mu    sync.Mutex
	sent  map[string]time.Time
	took  []time.Duration
	again int // INVITEs sent more than once
}

// reset forgets everything.
func (c *clock) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent, c.took, c.again = map[string]time.Time{}, nil, 0
}

func (c *clock) left(m []byte, at time.Time) {
	from := caller(m)
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.sent[from]; known {
		c.again++
		return
	}
	c.sent[from] = at
}

func (c *clock) arrived(m []byte, at time.Time) {
	from := caller(m)
	c.mu.Lock()
	defer c.mu.Unlock()
	if begun, ok := c.sent[from]; ok && !begun.IsZero() {
		c.took = append(c.took, at.Sub(begun))
		c.sent[from] = time.Time{}
	}
}

// read returns what was measured since reset.
func (c *clock) read() (took []time.Duration, again int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.took, c.again
}

// caller is the number in a request's From.
func caller(m []byte) string {
	_, rest, _ := bytes.Cut(m, []byte("\r\nFrom:"))
	line, _, _ := bytes.Cut(rest, []byte("\r\n"))
	_, uri, _ := bytes.Cut(line, []byte("sip:"))
	user, _, _ := bytes.Cut(uri, []byte("@"))
	return string(user)
}
