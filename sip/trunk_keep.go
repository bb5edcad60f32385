package sip

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
)

// A hop is a gateway as the administrator wrote it.
type hop struct{ roamline.Gateway }

func (h hop) transport() string {
	return cmp.Or(strings.ToLower(h.Transport), "udp")
}

func (h hop) String() string {
	s := bracketed(h.Host)
	if h.Port != 0 {
		s += ":" + strconv.Itoa(h.Port)
	}
	return s + "/" + h.transport()
}

// resolve finds the addresses of a gateway (RFC 3263 section 4.2): an address is
// itself; a name with a port is looked up as A and AAAA, without one as SRV
// first.
func (h hop) resolve(ctx context.Context, r Resolver) ([]netip.AddrPort, error) {
	if a := addrOf(h.Host); a.IsValid() {
		return []netip.AddrPort{netipPort(a, h.Port, h.transport())}, nil
	}
	type target struct {
		host string
		port int
	}
	targets := []target{{h.Host, h.Port}}
	if h.Port == 0 {
		service, proto := "sip", h.transport()
		if proto == "tls" {
			service, proto = "sips", "tcp"
		}
		if _, records, err := r.LookupSRV(ctx, service, proto, h.Host); err == nil && len(records) > 0 {
			targets = targets[:0]
			for _, s := range records {
				targets = append(targets, target{strings.TrimSuffix(s.Target, "."), int(s.Port)})
			}
		}
	}
	var list []netip.AddrPort
	var last error
	for _, t := range targets {
		addrs, err := r.LookupNetIP(ctx, "ip", t.host)
		if err != nil {
			last = err
			continue
		}
		for _, a := range addrs {
			list = append(list, netipPort(a.Unmap(), t.port, h.transport()))
		}
	}
	if len(list) == 0 {
		return nil, cmp.Or(last, errors.New("the name has no address"))
	}
	return list, nil
}

// asking is how long a gateway may take to answer OPTIONS or REGISTER.
const asking = 5 * time.Second

// ask sends a request outside a dialog and waits for its final response.
func (d *Door) ask(ctx context.Context, req *sip.Request, f *flow) (*sip.Response, error) {
	type result struct {
		res *sip.Response
		err error
	}
	got := make(chan result, 1)
	tx := d.begin(req, f, func(res *sip.Response, err error) {
		if err != nil || !res.IsProvisional() {
			got <- result{res, err}
		}
	})
	select {
	case r := <-got:
		return r.res, r.err
	case <-ctx.Done():
		tx.stop()
		return nil, ctx.Err()
	}
}

// outside builds a request outside a dialog.
func (d *Door) outside(method sip.RequestMethod, target, from, to sip.Uri, f *flow, at site, callID string, seq uint32) *sip.Request {
	req := d.newRequest(method, target, f, at)
	req.AppendHeader(&sip.FromHeader{Address: from, Params: sip.HeaderParams{{K: "tag", V: newTag()}}})
	req.AppendHeader(&sip.ToHeader{Address: to})
	id := sip.CallIDHeader(callID)
	req.AppendHeader(&id)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: seq, MethodName: method})
	req.SetBody(nil)
	return req
}

// uri is the gateway's, as a Request-URI or the host part of one.
func (h hop) uri(user string) sip.Uri {
	u := uri(user, strings.Trim(h.Host, "[]"), h.Port)
	if h.transport() != "udp" {
		u.UriParams.Add("transport", h.transport())
	}
	return u
}

// watch asks gateway i by OPTIONS, at once and then regularly, whether it is
// there (RFC 3261 section 11). Any answer but 408 and 503 says that it is.
func (t *trunk) watch(ctx context.Context, i int) {
	d := t.door
	d.wait(ctx)
	for {
		t.mu.Lock()
		g := t.gateways[i].hop
		t.mu.Unlock()
		began := time.Now()
		addrs, ok := t.probe(ctx, g)
		if ctx.Err() != nil {
			return
		}
		t.mu.Lock()
		gw := &t.gateways[i]
		was := !gw.down()
		if len(addrs) > 0 {
			gw.addrs = addrs
		}
		gw.tried = true
		gw.status = roamline.GatewayStatus{Address: g.String(), Reachable: ok, Checked: time.Now()}
		if ok {
			gw.status.RoundTrip = time.Since(began)
		}
		name := t.conf.Name
		t.mu.Unlock()
		if ok != was {
			d.log.Info("sip: gateway", "trunk", name, "gateway", g.String(), "reachable", ok)
		}
		if !pause(ctx, jitter(d.opt.HealthEvery)) {
			return
		}
	}
}

func (t *trunk) probe(ctx context.Context, g hop) ([]netip.AddrPort, bool) {
	d := t.door
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	addrs, err := g.resolve(ctx, d.opt.Resolver)
	if err != nil {
		return nil, false
	}
	f := d.flowTo(g.transport(), addrs[0], g.Host)
	for f == nil { // its socket is not served yet: another door was quicker
		if !pause(ctx, 20*time.Millisecond) {
			return addrs, false
		}
		f = d.flowTo(g.transport(), addrs[0], g.Host)
	}
	at := d.siteFor(f, t.config().Advertise)
	req := d.outside(sip.OPTIONS, g.uri(""), uri("roamline", at.host, 0), g.uri(""), f, at, newCallID(), 1)
	res, err := d.ask(ctx, req, f)
	return addrs, err == nil && res.StatusCode != 408 && res.StatusCode != 503
}

// pause waits; false if ctx ended first.
func pause(ctx context.Context, t time.Duration) bool {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// jitter spreads t by a fifth both ways, so that not everything asks at once.
func jitter(t time.Duration) time.Duration {
	return t*4/5 + time.Duration(rand.Int64N(int64(t)*2/5+1))
}

// A registration is the state of a trunk that registers.
type registration struct {
	ok     bool
	why    string
	since  time.Time
	callID string
	seq    uint32
}

// What a trunk asks for, in seconds, and how long it waits after failures.
const (
	trunkExpires = 600
	firstWait    = 2 * time.Second
	longestWait  = 5 * time.Minute
)

// keepRegistered registers with the first gateway and refreshes in time; after
// a failure it waits twice as long each time.
func (t *trunk) keepRegistered(ctx context.Context) {
	t.door.wait(ctx)
	wait, expires := firstWait, trunkExpires
	for {
		granted, least, err := t.register(ctx, expires)
		if ctx.Err() != nil {
			return
		}
		if least > expires && least <= maxExpires*24 { // 423
			expires = least
			continue
		}
		t.noted(err)
		next := jitter(wait)
		if err == nil {
			wait = firstWait
			next = time.Duration(granted) * time.Second * 3 / 4
		} else {
			wait = min(2*wait, longestWait)
		}
		if !pause(ctx, next) {
			return
		}
	}
}

func (t *trunk) noted(err error) {
	t.mu.Lock()
	ok, why := err == nil, ""
	if err != nil {
		why = err.Error()
	}
	changed := t.reg.ok != ok || t.reg.why != why
	t.reg.ok, t.reg.why = ok, why
	if changed {
		t.reg.since = time.Now()
	}
	name := t.conf.Name
	t.mu.Unlock()
	if changed && ok {
		t.door.log.Info("sip: trunk registered", "trunk", name)
	} else if changed {
		t.door.log.Warn("sip: trunk is not registered", "trunk", name, "error", why)
	}
}

// register sends one REGISTER, with the answer to a challenge if there is one
// (RFC 3261 section 10.2). Errors are for an administrator to read.
func (t *trunk) register(ctx context.Context, expires int) (granted, least int, err error) {
	d, conf := t.door, t.config()
	g := hop{conf.Gateways[0]}
	ctx, cancel := context.WithTimeout(ctx, 2*asking)
	defer cancel()
	addrs, err := g.resolve(ctx, d.opt.Resolver)
	if err != nil {
		return 0, 0, errors.New("The name " + g.Host + " can't be looked up. Check it, and the DNS server.")
	}
	f := d.flowTo(g.transport(), addrs[0], g.Host)
	if f == nil {
		return 0, 0, errors.New("No " + strings.ToUpper(g.transport()) + " socket is open that reaches " + g.String() + ".")
	}
	at := d.siteFor(f, conf.Advertise)
	domain := cmp.Or(conf.Domain, strings.Trim(g.Host, "[]"))
	registrar := uri("", domain, 0)
	if conf.Domain == "" {
		registrar = g.uri("")
	}
	us := uri(conf.Username, domain, 0)
	callID, seq := t.nextRegister()
	req := d.outside(sip.REGISTER, registrar, us, us, f, at, callID, seq)
	contact := uri(conf.Username, at.host, at.port)
	if g.transport() != "udp" {
		contact.UriParams.Add("transport", g.transport())
	}
	req.AppendHeader(&sip.ContactHeader{Address: contact})
	req.AppendHeader(sip.NewHeader("Expires", strconv.Itoa(expires)))
	for range 3 {
		res, err := d.ask(ctx, req, f)
		if err != nil {
			return 0, 0, errors.New(silence(err, g))
		}
		switch {
		case res.IsSuccess():
			return grantedIn(res, contact, expires), 0, nil
		case res.StatusCode == 401 || res.StatusCode == 407:
			_, seq = t.nextRegister()
			next, err := t.login().authorize(req, res, seq)
			if err != nil {
				return 0, 0, errors.New(sentence(g, err))
			}
			req = next
		case res.StatusCode == 423:
			return 0, number(res, "Min-Expires"), errors.New("the gateway wants a longer registration")
		default:
			return 0, 0, errors.New(refusalSentence(g, res))
		}
	}
	return 0, 0, errors.New(sentence(g, errRefused))
}

func (t *trunk) nextRegister() (string, uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.reg.callID == "" {
		t.reg.callID = newCallID()
	}
	t.reg.seq++
	return t.reg.callID, t.reg.seq
}

// grantedIn reads how long a registrar will remember us.
func grantedIn(res *sip.Response, ours sip.Uri, asked int) int {
	granted := asked
	if e := number(res, "Expires"); e > 0 {
		granted = e
	}
	for _, h := range res.GetHeaders("Contact") {
		c, ok := h.(*sip.ContactHeader)
		if !ok || c.Address.User != ours.User || c.Address.Host != ours.Host {
			continue
		}
		if v, ok := c.Params.Get("expires"); ok {
			if n, err := strconv.Atoi(v); err == nil && n > 0 {
				granted = n
			}
		}
	}
	return max(granted, 4)
}

func silence(err error, g hop) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return "The name " + g.Host + " can't be looked up. Check it, and the DNS server."
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, sip.ErrTransactionTimeout), errors.Is(err, context.Canceled):
		return "The gateway " + g.String() + " does not answer. Check address, port and firewall."
	}
	return "The gateway " + g.String() + " can't be reached: " + err.Error() + "."
}

func sentence(g hop, err error) string {
	switch err {
	case errRefused:
		return "The gateway " + g.String() + " refused the user name or the password."
	case errNoLogin:
		return "The gateway " + g.String() + " asks for a user name and a password, and none is set."
	}
	return "The gateway " + g.String() + " asks for credentials in a way that is not known here."
}

func refusalSentence(g hop, res *sip.Response) string {
	s := "The gateway " + g.String() + " refused the registration: " + strconv.Itoa(res.StatusCode) + " " + clip(res.Reason, 80) + "."
	switch res.StatusCode {
	case 403:
		s += " Check the user name, and whether the account is active."
	case 404:
		s += " Check the user name and the domain."
	}
	return s
}
