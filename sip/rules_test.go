package sip

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
)

func TestInviteRules(t *testing.T) {
	w := open(t)
	for _, row := range []struct {
		rule, target, extra, body string
		code                      int
	}{
		{"no hop left", "sip:1@127.0.0.1", "Max-Forwards: 0\n", offerText, 400}, // it has 70 already: two of them
		{"a scheme that is not ours", "mailto:ana@example.net", "", offerText, 416},
		{"an extension that we do not know", "sip:1@127.0.0.1", "Require: magic, 100rel\n", offerText, 420},
		{"a body that we do not know", "sip:1@127.0.0.1", "Content-Type: text/plain\n", "hello", 415},
		{"a body that may be ignored", "sip:1@127.0.0.1", "Content-Type: text/plain\nContent-Disposition: icon;handling=optional\n", "hello", 0},
		{"an encoding that we do not know", "sip:1@127.0.0.1", "Content-Type: application/sdp\nContent-Encoding: gzip\n", offerText, 415},
		{"no description wanted", "sip:1@127.0.0.1", "Accept: text/plain\n", offerText, 406},
		{"a tel URI", "tel:+34910000001;phone-context=x", "", offerText, 0},
	} {
		callID := "rule-" + newTag()
		w.carrier.ask("INVITE", row.target, callID, 1, "", row.extra, row.body)
		if row.code == 0 {
			w.carrier.response(w, 100)
			ev := event[roamline.Offered](w)
			must(w, w.door.Hangup(ev.Leg, roamline.Busy))
			row.code = 486
		}
		for {
			res := w.carrier.message(w).(*sip.Response)
			if res.CallID() != nil && res.CallID().Value() != callID || res.StatusCode == 100 {
				continue // one before, repeated
			}
			if res.StatusCode != row.code {
				t.Errorf("%s: %s, want %d", row.rule, res.StartLine(), row.code)
			}
			if row.code == 420 && header(res, "Unsupported") != "magic" {
				t.Errorf("%s: Unsupported: %s", row.rule, header(res, "Unsupported"))
			}
			break
		}
	}
}

func TestLoops(t *testing.T) {
	t.Run("our own INVITE comes back", func(t *testing.T) {
		w := open(t)
		inv := w.callOut("k_1.2")
		w.carrier.write("INVITE sip:1@127.0.0.1 SIP/2.0\nVia: " + w.carrier.via + ";branch=" + newBranch() + "\nVia: " + inv.Via().Value() +
			"\nFrom: " + inv.From().Value() + "\nTo: " + inv.To().Value() + "\nCall-ID: " + inv.CallID().Value() +
			"\nCSeq: 1 INVITE\nContact: <sip:c@" + w.carrier.host + ">\nContent-Length: 0\n\n")
		for {
			if res, ok := w.carrier.message(w).(*sip.Response); ok {
				if res.StatusCode != 482 {
					t.Errorf("got %s", res.StartLine())
				}
				break
			}
		}
		w.quietly()
	})
	t.Run("one request by two ways", func(t *testing.T) {
		w := open(t)
		w.callIn("merged", "", offerText)
		w.carrier.ask("INVITE", "sip:+34910000001@127.0.0.1", "merged", 1, "", "", offerText)
		w.carrier.response(w, 482)
		w.quietly()
	})
}

func TestSinkMayCallTheDoor(t *testing.T) {
	var door atomic.Pointer[Door]
	w := open(t, func(o *Options) {
		out := o.Sink
		o.Sink = func(ev roamline.Event) {
			if ev, ok := ev.(roamline.Offered); ok {
				door.Load().Alert(ev.Leg, nil)
				door.Load().Accept(ev.Leg, []byte(crlf(answerText)))
			}
			out(ev)
		}
	})
	door.Store(w.door)
	w.callIn("at-once", "", offerText)
	w.carrier.response(w, 180)
	w.carrier.response(w, 200)
}

func TestNothingStays(t *testing.T) {
	w := open(t)
	began := time.Now()
	_, tag := w.answered("gone-1", "")
	w.carrier.ask("BYE", "sip:roamline@127.0.0.1", "gone-1", 2, tag, "", "")
	w.carrier.response(w, 200)
	event[roamline.HungUp](w)
	inv := w.callOut("k_1.2") // cancelled, and never answered
	w.carrier.respond(inv, 180, "")
	event[roamline.Progressed](w)
	must(w, w.door.Hangup("k_1.2", roamline.Elsewhere))
	w.until("empty", func() bool { return w.held() == "" || time.Since(began) > 15*time.Second })
	if s := w.held(); s != "" {
		t.Error(s)
	}
}

// held says what the door still keeps of calls.
func (w *world) held() string {
	d := w.door
	d.mu.RLock()
	s := fmt.Sprint(d.legs, d.dialogs, d.byCallID)
	d.mu.RUnlock()
	d.client.mu.Lock()
	s += fmt.Sprint(slices.Collect(maps.Keys(d.client.by)))
	d.client.mu.Unlock()
	d.server.mu.Lock()
	s += fmt.Sprint(slices.Collect(maps.Keys(d.server.by)))
	d.server.mu.Unlock()
	if n := d.TrunkStatus()[0].Calls; n != 0 {
		s += fmt.Sprint(" calls ", n)
	}
	if s == "map[] map[] map[][][]" {
		return ""
	}
	return s
}

func TestIPv6(t *testing.T) {
	pc, err := net.ListenPacket("udp", "[::1]:0")
	if err != nil {
		t.Skip("this machine has no IPv6 loopback: ", err)
	}
	w := open(t)
	go w.door.ServeUDP(pc)
	w.until("served", func() bool { return w.door.socketFor(addrs("::1")[0]) != nil })
	u := w.phoneAt("six", "[::1]:0")
	u.to = addrPort(pc.LocalAddr())
	w.door.SetTrunks([]roamline.Trunk{{ID: "t_six", Name: "six", Enabled: true, Gateways: []roamline.Gateway{
		{Host: "::1", Port: int(u.addr.Port()), Transport: "udp"}}}}, nil)
	must(w, w.door.Invite("k_1.2", roamline.Target{Trunk: "t_six", Number: "1"}, roamline.Path{}, roamline.Party{Number: "2"}, roamline.Manual, []byte(crlf(offerText))))
	var inv *sip.Request
	for inv == nil || inv.Method != sip.INVITE {
		inv, _ = u.message(w).(*sip.Request)
	}
	if inv.Recipient.String() != "sip:1@[::1]:"+inv.Recipient.String()[len("sip:1@[::1]:"):] || inv.Via().Host != "::1" {
		t.Errorf("%s", inv)
	}
	u.respond(inv, 200, "", answerText)
	event[roamline.Answered](w)
	for {
		if req := u.message(w).(*sip.Request); req.Method == sip.ACK {
			break
		}
	}
	u.ask("BYE", "sip:roamline@[::1]", inv.CallID().Value(), 1, tagOf(inv.From()), "", "")
	u.response(w, 200)
	event[roamline.HungUp](w)
}

func TestSite(t *testing.T) {
	w := open(t, func(o *Options) {
		o.Advertise = addrs("203.0.113.1", "2001:db8::1")
		o.LocalNetworks = prefixes("10.0.0.0/8")
	})
	for _, row := range []struct{ rule, remote, wanted, host string }{
		{"the outside sees the advertised address", "198.51.100.1:5060", "", "203.0.113.1"},
		{"a local network our own", "10.1.2.3:5060", "", "10.9.9.9"},
		{"this machine too", "127.0.0.1:5060", "", "10.9.9.9"},
		{"a trunk what it wants", "198.51.100.1:5060", "192.0.2.77", "192.0.2.77"},
	} {
		f := &flow{door: w.door, transport: "udp", udp: &socket{}, remote: mustAddr(row.remote), local: mustAddr("10.9.9.9:5060")}
		if at := w.door.siteFor(f, row.wanted); at.host != row.host || at.port != 5060 {
			t.Errorf("%s: %+v", row.rule, at)
		}
	}
}
