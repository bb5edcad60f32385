package sip

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
)

// trunks replaces the carrier by a trunk to gateways, and answers their first
// OPTIONS as they would: 503 by those that are named down.
func (w *world) trunks(conf roamline.Trunk, secret string, gateways ...*ua) {
	w.Helper()
	conf.ID, conf.Name, conf.Enabled, conf.Rev = "t_carrier", "Carrier", true, 7
	for i, g := range gateways {
		conf.Gateways = append(conf.Gateways, roamline.Gateway{Host: "127.0.0.1", Port: int(g.addr.Port()), Transport: "udp", Priority: i})
	}
	w.door.SetTrunks([]roamline.Trunk{conf}, func(roamline.TrunkID) roamline.Secret { return roamline.NewSecret(secret) })
	for _, g := range gateways {
		for {
			req, ok := g.message(w).(*sip.Request)
			if ok && req.Method == sip.OPTIONS {
				g.respond(req, 200, "")
				break
			}
			if ok && req.Method == sip.REGISTER { // it may come first
				g.in <- []byte(req.String())
			}
		}
	}
}

func TestNextGateway(t *testing.T) {
	for _, row := range []struct {
		rule string
		fail func(w *world, g *ua, inv *sip.Request)
	}{
		{"503 of the first", func(w *world, g *ua, inv *sip.Request) { g.respond(inv, 503, ""); g.request(w, sip.ACK) }},
		{"408 of the first", func(w *world, g *ua, inv *sip.Request) { g.respond(inv, 408, ""); g.request(w, sip.ACK) }},
		{"silence of the first", func(*world, *ua, *sip.Request) {}},
	} {
		t.Run(row.rule, func(t *testing.T) {
			w := open(t)
			first, second := w.phone("first"), w.phone("second")
			w.trunks(roamline.Trunk{}, "", first, second)
			must(w, w.door.Invite("k_1.2", toCarrier("112"), roamline.Path{}, roamline.Party{Number: "1001"}, roamline.Manual, []byte(crlf(offerText))))
			row.fail(w, first, first.request(w, sip.INVITE))
			inv := second.request(w, sip.INVITE)
			if inv.Recipient.Port != int(second.addr.Port()) {
				t.Errorf("%s", inv)
			}
			second.respond(inv, 200, "", answerText)
			event[roamline.Answered](w)
			second.request(w, sip.ACK)
			w.quietly()
		})
	}
	t.Run("both fail", func(t *testing.T) {
		w := open(t)
		first, second := w.phone("first"), w.phone("second")
		w.trunks(roamline.Trunk{}, "", first, second)
		must(w, w.door.Invite("k_1.2", toCarrier("112"), roamline.Path{}, roamline.Party{Number: "1001"}, roamline.Manual, []byte(crlf(offerText))))
		first.respond(first.request(w, sip.INVITE), 503, "")
		second.respond(second.request(w, sip.INVITE), 503, "")
		if ev := event[roamline.HungUp](w); ev.Cause != roamline.Unreachable || ev.Code != 503 {
			t.Errorf("%+v", ev)
		}
	})
	t.Run("a late 200 of the first is ended", func(t *testing.T) {
		w := open(t)
		first, second := w.phone("first"), w.phone("second")
		w.trunks(roamline.Trunk{}, "", first, second)
		must(w, w.door.Invite("k_1.2", toCarrier("112"), roamline.Path{}, roamline.Party{Number: "1001"}, roamline.Manual, []byte(crlf(offerText))))
		lost := first.request(w, sip.INVITE)
		inv := second.request(w, sip.INVITE)
		second.respond(inv, 200, "", answerText)
		event[roamline.Answered](w)
		first.respond(lost, 200, "", answerText)
		for {
			if req := first.message(w).(*sip.Request); req.Method == sip.BYE {
				if tagOf(req.To()) != first.tag {
					t.Errorf("%s", req)
				}
				break
			}
		}
		w.quietly()
	})
	t.Run("a refusal by the number called is final", func(t *testing.T) {
		w := open(t)
		first, second := w.phone("first"), w.phone("second")
		w.trunks(roamline.Trunk{}, "", first, second)
		must(w, w.door.Invite("k_1.2", toCarrier("112"), roamline.Path{}, roamline.Party{Number: "1001"}, roamline.Manual, []byte(crlf(offerText))))
		first.respond(first.request(w, sip.INVITE), 404, "")
		if ev := event[roamline.HungUp](w); ev.Cause != roamline.UnknownNumber {
			t.Errorf("%+v", ev)
		}
		second.nothing(w)
	})
}

const challengeText = "Digest realm=\"carrier\", nonce=\"abc\", algorithm=MD5, qop=\"auth, auth-int\""

func TestTrunkChallenges(t *testing.T) {
	w := open(t)
	g := w.phone("gateway")
	w.trunks(roamline.Trunk{Username: "acme"}, "sesame", g)
	must(w, w.door.Invite("k_1.2", toCarrier("+34600"), roamline.Path{}, roamline.Party{Number: "1001"}, roamline.Manual, []byte(crlf(offerText))))
	inv := g.request(w, sip.INVITE)
	g.respond(inv, 407, "Proxy-Authenticate: "+challengeText+"\n")
	g.request(w, sip.ACK)
	again := g.request(w, sip.INVITE)
	if v := header(again, "Proxy-Authorization"); !strings.Contains(v, `username="acme"`) || !strings.Contains(v, "qop=auth") ||
		again.CSeq().SeqNo != inv.CSeq().SeqNo+1 || again.CallID().Value() != inv.CallID().Value() {
		t.Errorf("%s", again)
	}
	g.respond(again, 200, "", answerText)
	event[roamline.Answered](w)
	if ack := g.request(w, sip.ACK); header(ack, "Proxy-Authorization") == "" || ack.CSeq().SeqNo != again.CSeq().SeqNo {
		t.Errorf("%s", ack)
	}
	must(w, w.door.Hangup("k_1.2", roamline.Normal))
	bye := g.request(w, sip.BYE)
	g.respond(bye, 401, "WWW-Authenticate: "+challengeText+"\n")
	if bye := g.request(w, sip.BYE); header(bye, "Authorization") == "" {
		t.Errorf("%s", bye)
	}
	if s := w.trace.text(); strings.Contains(s, "cnonce") || strings.Contains(s, "sesame") {
		t.Error("the trace shows credentials")
	}
}

func TestTrunkRegisters(t *testing.T) {
	w := open(t)
	g := w.phone("gateway")
	w.trunks(roamline.Trunk{Username: "acme", Register: true, Domain: "carrier.example"}, "sesame", g)
	reg := g.request(w, sip.REGISTER)
	if reg.Recipient.Host != "carrier.example" || reg.To().Address.User != "acme" || reg.Contact().Address.User != "acme" {
		t.Errorf("%s", reg)
	}
	g.respond(reg, 401, "WWW-Authenticate: "+challengeText+"\n")
	again := g.request(w, sip.REGISTER)
	if header(again, "Authorization") == "" || again.CallID().Value() != reg.CallID().Value() {
		t.Errorf("%s", again)
	}
	g.respond(again, 200, "Expires: 300\n")
	w.until("registered", func() bool { return w.door.TrunkStatus()[0].Registered })
	if s := w.door.TrunkStatus()[0]; s.Error != "" || !s.Gateways[0].Reachable {
		t.Errorf("%+v", s)
	}
	// The carrier calls our contact; the number is in To.
	g.write("INVITE sip:acme@127.0.0.1 SIP/2.0\nVia: " + g.via + ";branch=" + newBranch() + "\nFrom: <sip:1@x>;tag=9\nTo: <sip:+34910000001@y>\n" +
		"Call-ID: to-contact\nCSeq: 1 INVITE\nContact: <sip:g@" + g.host + ">\nContent-Length: 0\n\n")
	if ev := event[roamline.Offered](w); ev.Dialed != "+34910000001" {
		t.Errorf("dialed %q", ev.Dialed)
	}
}

// until waits until something holds.
func (w *world) until(what string, holds func() bool) {
	w.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			w.Fatalf("never %s", what)
		}
		<-time.After(time.Millisecond) // nothing announces it: it is asked again and again
	}
}

func TestTrunkIsRefused(t *testing.T) {
	w := open(t)
	g := w.phone("gateway")
	w.trunks(roamline.Trunk{Username: "acme", Register: true}, "wrong", g)
	g.respond(g.request(w, sip.REGISTER), 401, "WWW-Authenticate: "+challengeText+"\n")
	g.respond(g.request(w, sip.REGISTER), 401, "WWW-Authenticate: "+challengeText+"\n")
	w.until("an error", func() bool {
		return strings.Contains(w.door.TrunkStatus()[0].Error, "refused the user name or the password")
	})
}

func TestNumbersThroughTrunk(t *testing.T) {
	w := open(t)
	g := w.phone("gateway")
	w.trunks(roamline.Trunk{Identity: roamline.IdentityPAI,
		In:  []roamline.Rewrite{{Match: `00(\d+)`, With: "+$1"}, {Match: `9\d{8}`, With: "+34$0"}},
		Out: []roamline.Rewrite{{Match: `\+(\d+)`, With: "00$1"}}}, "", g)
	for i, row := range []struct {
		rule, extra string
		from        roamline.Party
	}{
		{"From is shown", "", roamline.Party{Number: "gateway", Name: "gateway"}},
		{"the asserted identity is believed", "P-Asserted-Identity: \"Ana\" <sip:910000002@x>\n", roamline.Party{Number: "+34910000002", Name: "Ana"}},
		{"a tel URI goes before", "P-Asserted-Identity: <sip:1@x>, <tel:0044123>\n", roamline.Party{Number: "+44123", Name: "gateway"}},
		{"who wants to be withheld is", "P-Asserted-Identity: <sip:910000002@x>\nPrivacy: id\n", roamline.Party{Private: true}},
	} {
		callID := "numbers-" + row.rule[:3] + string(rune('0'+i))
		callID = strings.ReplaceAll(callID, " ", "")
		g.ask("INVITE", "sip:910000001@127.0.0.1", callID, 1, "", row.extra, offerText)
		g.response(w, 100)
		ev := event[roamline.Offered](w)
		if ev.From != row.from || ev.Dialed != "+34910000001" {
			t.Errorf("%s: %+v", row.rule, ev)
		}
		must(w, w.door.Hangup(ev.Leg, roamline.Busy))
		g.response(w, 486)
	}
	for i, row := range []struct {
		rule           string
		from           roamline.Party
		user, pai, prv string
	}{
		{"shown", roamline.Party{Number: "+34910000001", Name: "Ana"}, "0034910000001", `"Ana" <sip:0034910000001@127.0.0.1>`, ""},
		{"withheld", roamline.Party{Number: "+34910000001", Private: true}, "anonymous", "<sip:0034910000001@127.0.0.1>", "id"},
		{"unknown", roamline.Party{}, "anonymous", "", ""},
	} {
		id := roamline.LegID("k_1." + string(rune('2'+i)))
		must(w, w.door.Invite(id, toCarrier("+44123"), roamline.Path{}, row.from, roamline.Manual, []byte(crlf(offerText))))
		var inv *sip.Request
		for inv == nil || inv.Method != sip.INVITE {
			inv, _ = g.message(w).(*sip.Request)
		}
		if inv.Recipient.User != "0044123" || inv.From().Address.User != row.user || header(inv, "P-Asserted-Identity") != row.pai || header(inv, "Privacy") != row.prv {
			t.Errorf("%s: %s", row.rule, inv)
		}
		g.respond(inv, 486, "")
		event[roamline.HungUp](w)
	}
}

func TestLimitOfCalls(t *testing.T) {
	w := open(t, func(o *Options) { o.Emergency = []roamline.Number{"112"} })
	g := w.phone("gateway")
	w.trunks(roamline.Trunk{MaxCalls: 1}, "", g)
	g.ask("INVITE", "sip:1@127.0.0.1", "one", 1, "", "", offerText)
	event[roamline.Offered](w)
	g.response(w, 100)
	g.ask("INVITE", "sip:1@127.0.0.1", "two", 1, "", "", offerText)
	g.response(w, 486)
	if err := w.door.Invite("k_1.2", toCarrier("+34"), roamline.Path{}, roamline.Party{}, roamline.Manual, nil); roamline.KindOf(err) != roamline.Exhausted {
		t.Errorf("a second call: %v", err)
	}
	must(w, w.door.Invite("k_1.3", toCarrier("112"), roamline.Path{}, roamline.Party{}, roamline.Manual, []byte("v=0")))
}

func TestDrainRefusesCalls(t *testing.T) {
	w := open(t)
	w.door.Drain()
	w.carrier.ask("INVITE", "sip:1@127.0.0.1", "drained", 1, "", "", offerText)
	w.carrier.response(w, 503)
}

func TestOrphanIsEnded(t *testing.T) {
	w := open(t)
	ev, _ := w.answered("orphan", "")
	snap := w.door.Snapshot(ev.Leg)
	if snap == nil {
		t.Fatal("no snapshot")
	}
	if w.door.Snapshot("k_0.1") != nil {
		t.Error("a snapshot of nothing")
	}
	fresh := open(t) // after the crash; its carrier is another socket
	done := make(chan error, 1)
	go func() { done <- fresh.door.Orphan(snap) }()
	bye := w.carrier.request(w, sip.BYE)
	if bye.CallID().Value() != "orphan" || tagOf(bye.To()) != w.carrier.tag || header(bye, "Reason") != `SIP;cause=503;text="Server restarted"` {
		t.Errorf("%s", bye)
	}
	w.carrier.to = fresh.udp
	w.carrier.respond(bye, 200, "")
	must(w, <-done)
	if err := fresh.door.Orphan([]byte(`{"v":99}`)); roamline.KindOf(err) != roamline.Invalid {
		t.Errorf("a snapshot of tomorrow: %v", err)
	}
}

func TestOrphanOfABrowser(t *testing.T) {
	w := open(t)
	b := w.browser("tab")
	w.registerWeb(b)
	path := w.door.Paths(roamline.Target{Client: "c_web"})[0]
	must(w, w.door.Invite("k_1.2", roamline.Target{Client: "c_web"}, path, roamline.Party{Number: "1001"}, roamline.Manual, []byte(crlf(offerText))))
	b.respond(b.request(w, sip.INVITE), 200, "", answerText)
	event[roamline.Answered](w)
	snap := w.door.Snapshot("k_1.2")
	fresh := open(t)
	done := make(chan error, 1)
	go func() { done <- fresh.door.Orphan(snap) }()
	again := fresh.browser("tab")
	again.register("web-token", "c_web", 600, 1)
	for range 2 { // the BYE may pass the answer to REGISTER
		switch msg := again.message(fresh).(type) {
		case *sip.Response:
			if msg.StatusCode != 200 {
				t.Errorf("REGISTER got %s", msg.StartLine())
			}
		case *sip.Request:
			if msg.Method != sip.BYE {
				t.Fatalf("got %s, wants BYE", msg.StartLine())
			}
			again.respond(msg, 200, "")
		}
	}
	must(w, <-done)
}

// names is a Resolver of made-up names.
type names struct{}

func (names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	switch host {
	case "a.example":
		return []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}, nil
	case "b.example":
		return []netip.Addr{netip.MustParseAddr("192.0.2.2")}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func (names) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	if name == "srv.example" && service == "sip" && proto == "udp" {
		return "", []*net.SRV{{Target: "b.example.", Port: 5070}, {Target: "a.example.", Port: 5080}}, nil
	}
	return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func TestResolve(t *testing.T) {
	for _, row := range []struct {
		rule string
		g    roamline.Gateway
		want string
	}{
		{"an address is itself", roamline.Gateway{Host: "192.0.2.9"}, "192.0.2.9:5060"},
		{"IPv6 with brackets", roamline.Gateway{Host: "[2001:db8::9]", Port: 5061, Transport: "tls"}, "[2001:db8::9]:5061"},
		{"a name with a port is looked up as an address", roamline.Gateway{Host: "a.example", Port: 5070}, "192.0.2.1:5070 [2001:db8::1]:5070"},
		{"SRV without a port", roamline.Gateway{Host: "srv.example"}, "192.0.2.2:5070 192.0.2.1:5080 [2001:db8::1]:5080"},
		{"no SRV: the default port", roamline.Gateway{Host: "b.example", Transport: "tls"}, "192.0.2.2:5061"},
		{"nothing at all", roamline.Gateway{Host: "c.example"}, ""},
	} {
		got, err := hop{row.g}.resolve(context.Background(), names{})
		var list []string
		for _, a := range got {
			list = append(list, a.String())
		}
		if s := strings.Join(list, " "); s != row.want || (err != nil) != (row.want == "") {
			t.Errorf("%s: %s, %v", row.rule, s, err)
		}
	}
}

func TestWhoseTrunk(t *testing.T) {
	prefix := netip.MustParsePrefix
	d := &Door{}
	tt := newTrunkTable(d)
	for _, conf := range []roamline.Trunk{
		{ID: "t_net", Name: "net", Enabled: true, Sources: []roamline.Source{{Prefix: prefix("192.0.2.0/24")}}},
		{ID: "t_port", Name: "port", Enabled: true, Sources: []roamline.Source{{Prefix: prefix("192.0.2.0/24"), Port: 5070, Transport: "udp"}}},
		{ID: "t_gw", Name: "gw", Enabled: true, Gateways: []roamline.Gateway{{Host: "198.51.100.1", Port: 5060, Transport: "udp"}, {Host: "198.51.100.2", Transport: "tcp"}}},
	} {
		tr := &trunk{conf: conf, calls: &count{}}
		for _, g := range conf.Gateways {
			tr.gateways = append(tr.gateways, gateway{hop: hop{g}})
		}
		tt.by[conf.ID] = tr
	}
	for _, row := range []struct {
		rule, transport, from string
		want                  roamline.TrunkID
	}{
		{"by its network", "udp", "192.0.2.7:1234", "t_net"},
		{"by its port, which says more", "udp", "192.0.2.7:5070", "t_port"},
		{"another transport", "tcp", "192.0.2.7:5070", "t_net"},
		{"a gateway", "udp", "198.51.100.1:5060", "t_gw"},
		{"a gateway's address, another port", "udp", "198.51.100.1:9", ""},
		{"a gateway's connection", "tcp", "198.51.100.2:33333", "t_gw"},
		{"a gateway by another transport", "udp", "198.51.100.2:5060", ""},
		{"nobody", "udp", "203.0.113.1:5060", ""},
		{"never a browser", "wss", "192.0.2.7:1234", ""},
	} {
		f := &flow{transport: row.transport, remote: netip.MustParseAddrPort(row.from)}
		if row.transport == "udp" {
			f.udp = &socket{}
		}
		var got roamline.TrunkID
		if tr := tt.match(f); tr != nil {
			got = tr.conf.ID
		}
		if got != row.want {
			t.Errorf("%s: %q, want %q", row.rule, got, row.want)
		}
	}
}
