package client

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/roamline/roamline/demo/media"
	"github.com/roamline/roamline/demo/phone"
	"github.com/roamline/roamline/demo/ua"
)

// lifetime is how long the client asks to be remembered.
const lifetime = 300 * time.Second

// Register opens the SIP WebSocket and registers with the token (RFC 8898),
// under a contact of a new name: like a page that is loaded again, it knows
// nothing of the calls that it had. The
// registration is refreshed until the client is closed or registers again.
func (c *Client) Register(ctx context.Context) error {
	s, err := c.State(ctx)
	if err != nil {
		return err
	}
	path := s.Site.SIP.Path
	if path == "" {
		path = "/sip"
	}
	u, err := url.Parse(c.opt.Server)
	if err != nil {
		return fmt.Errorf("client: server: %w", err)
	}
	u.Scheme = strings.Replace(u.Scheme, "http", "ws", 1)
	u.Path = path
	thumb := c.Thumbprint()
	wire, err := ua.DialWebSocket(ctx, u.String(), strings.ToLower(strings.Trim(thumb[:12], "-_"))+".invalid", c.opt.Server, c.http)
	if err != nil {
		return err
	}
	contact := strings.ToLower(sip.GenerateTagN(10))
	agent := ua.New(wire, ua.Options{User: contact, Agent: "Pretend client", Invited: c.invited, Trace: c.opt.Trace, Log: c.opt.Log})
	c.mu.Lock()
	old := c.agent
	c.agent, c.aor = agent, "sip:"+s.Client.ID+"@"+s.Site.SIP.Realm
	c.mu.Unlock()
	if old != nil {
		old.Close()
	}
	callID := sip.GenerateTagN(24)
	granted, err := c.refresh(ctx, agent, contact, callID, 1)
	if err != nil {
		agent.Close()
		return err
	}
	c.work.Go(func() {
		for n := uint32(2); ; n++ {
			select {
			case <-time.After(granted / 2):
			case <-c.life.Done():
				return
			}
			ctx, cancel := context.WithTimeout(c.life, 10*time.Second)
			granted, err = c.refresh(ctx, agent, contact, callID, n)
			cancel()
			if err != nil {
				c.opt.Log.Debug("registration lost", "error", err)
				return
			}
		}
	})
	return nil
}

// refresh sends one REGISTER and returns how long the server will remember us.
func (c *Client) refresh(ctx context.Context, agent *ua.Agent, contact, callID string, cseq uint32) (time.Duration, error) {
	token, err := c.bearer(ctx)
	if err != nil {
		return 0, err
	}
	var aor sip.Uri
	if err := sip.ParseUri(c.aor, &aor); err != nil {
		return 0, fmt.Errorf("client: %s: %w", c.aor, err)
	}
	req := sip.NewRequest(sip.REGISTER, sip.Uri{Scheme: "sip", Host: aor.Host, Port: aor.Port})
	from := &sip.FromHeader{Address: aor, Params: sip.NewParams()}
	from.Params.Add("tag", sip.GenerateTagN(12))
	req.AppendHeader(from)
	req.AppendHeader(&sip.ToHeader{Address: aor, Params: sip.NewParams()})
	id := sip.CallIDHeader(callID)
	req.AppendHeader(&id)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: cseq, MethodName: sip.REGISTER})
	req.AppendHeader(sip.NewHeader("Contact", fmt.Sprintf(`<sip:%s@%s;transport=ws>;reg-id=1;+sip.instance="<urn:uuid:%s>"`,
		contact, agent.Addr(), instance(c.Thumbprint()))))
	seconds := sip.ExpiresHeader(lifetime / time.Second)
	req.AppendHeader(&seconds)
	req.AppendHeader(sip.NewHeader("Supported", "path, outbound"))
	req.AppendHeader(sip.NewHeader("Authorization", "Bearer "+token))
	res, err := agent.Do(ctx, "", req)
	if err != nil {
		return 0, err
	}
	if res.StatusCode != 200 {
		return 0, fmt.Errorf("client: REGISTER: %d %s", res.StatusCode, res.Reason)
	}
	return expires(res), nil
}

// expires reads the granted lifetime (RFC 3261 section 10.2.4).
func expires(res *sip.Response) time.Duration {
	text := ""
	if c := res.Contact(); c != nil {
		text, _ = c.Params.Get("expires")
	}
	if text == "" {
		if h := res.GetHeader("Expires"); h != nil {
			text = h.Value()
		}
	}
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		return time.Duration(n) * time.Second
	}
	return lifetime
}

// instance makes a UUID of a thumbprint: the same for the same key.
func instance(thumbprint string) string {
	h := fmt.Sprintf("%x", thumbprint)
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:32]
}

// Drop breaks the WebSocket with no word to the server, as a lost network does.
func (c *Client) Drop() {
	c.mu.Lock()
	agent := c.agent
	c.agent = nil
	c.mu.Unlock()
	if agent != nil {
		agent.Close()
	}
}

// A Ring is a call that rings at the client.
type Ring struct{ *phone.Call }

// Answer takes the call and waits until voice flows.
func (r *Ring) Answer(ctx context.Context) (*Call, error) {
	if err := r.Call.Answer(); err != nil {
		return nil, err
	}
	return r.Call, ready(ctx, r.Call)
}

// Decline refuses it: 603.
func (r *Ring) Decline() { r.Refuse(603, "Decline") }

// ready waits for ICE and DTLS.
func ready(ctx context.Context, call *Call) error {
	select {
	case <-call.Voice().Ready():
		return nil
	case <-call.Ended():
		return errors.New("client: the call ended before its voice came up")
	case <-ctx.Done():
		if err := call.Voice().Broken(); err != nil {
			return err
		}
		return fmt.Errorf("client: waiting for the voice: %w", ctx.Err())
	}
}

func (c *Client) invited(d *ua.Dialog) ua.Session {
	call := phone.Take(d, phone.Options{Media: c.media()})
	if !c.keep(call) || c.opt.Busy != nil && c.opt.Busy() {
		d.Refuse(486, "Busy Here")
		return call.Signals()
	}
	call.Ring()
	select {
	case c.rings <- &Ring{call}:
	default:
		d.Refuse(486, "Busy Here")
	}
	return call.Signals()
}

func (c *Client) media() media.Options {
	return media.Options{Secure: true, Codecs: c.opt.Codecs, Host: c.opt.Host, Log: c.opt.Log}
}

// keep remembers a call, for Close; false if there are too many.
func (c *Client) keep(call *phone.Call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	open := c.calls[:0]
	for _, k := range c.calls {
		select {
		case <-k.Ended():
		default:
			open = append(open, k)
		}
	}
	c.calls = open
	if len(c.calls) >= mostCalls {
		return false
	}
	c.calls = append(c.calls, call)
	return true
}

// Rings returns the calls that ring, as they come.
func (c *Client) Rings() <-chan *Ring { return c.rings }

// WaitRing waits for the next call.
func (c *Client) WaitRing(ctx context.Context) (*Ring, error) {
	select {
	case r := <-c.rings:
		return r, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("client: %s: waiting for a call: %w", c.Self().Name, ctx.Err())
	}
}

// Call dials a number. It returns at once: wait for its Answered.
func (c *Client) Call(ctx context.Context, number string) (*Call, error) {
	c.mu.Lock()
	agent, text := c.agent, c.aor
	c.mu.Unlock()
	if agent == nil {
		return nil, errors.New("client: not registered")
	}
	var from sip.Uri
	if err := sip.ParseUri(text, &from); err != nil {
		return nil, fmt.Errorf("client: %s: %w", text, err)
	}
	to := sip.Uri{Scheme: "sip", User: number, Host: from.Host, Port: from.Port}
	call, err := phone.Place(agent, ua.Invitation{To: to, From: from}, phone.Options{Media: c.media()})
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	if !c.keep(call) {
		call.Hangup()
		return nil, fmt.Errorf("client: more than %d calls", mostCalls)
	}
	return call, ctx.Err()
}
