package sipp

import (
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/roamline/roamline/config"
	"github.com/roamline/roamline/demo/client"
	"github.com/roamline/roamline/test/house"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	anas    = "+34910000001"
	nobodys = "+34910000099"
)

// A row is one call from the carrier. Sipp fails it if another code comes than
// the scenario's.
type row struct {
	rule    string
	number  string // anas if empty
	carrier []step
	desk    func(*house.House, *client.Ring) // what is done where it rings; nil: nobody is signed in
	change  func(*config.Config)
	cause   string // in the record; empty: there must be none
	endedBy string // empty: not checked
	answers bool   // whether the record says when it was answered

	stranger bool // no trunk knows the carrier
	repeats  int  // how many times the 200 is seen before the ACK; 0: once
	holds    bool // re-INVITE 2 holds, re-INVITE 3 resumes
}

// finally is a call that is refused with a code.
func finally(code int) []step { return []step{invite, trying, status(code), ackRefusal} }

// refused is a call that rings, and then is refused with a code.
func refused(code int) []step {
	return []step{invite, trying, status(180), status(code), ackRefusal}
}

var rows = []row{
	{rule: "a busy callee: 486", carrier: refused(486), cause: "busy", endedBy: "callee",
		desk: func(_ *house.House, r *client.Ring) { r.Refuse(486, "Busy Here") }},
	{rule: "a callee who declines: 603", carrier: refused(603), cause: "declined", endedBy: "callee",
		desk: func(_ *house.House, r *client.Ring) { r.Decline() }},
	{rule: "nobody answers in time: 480", carrier: refused(480), cause: "no answer", endedBy: "server", desk: wait,
		change: func(c *config.Config) { c.Site.RingFor = time.Second }},
	{rule: "nobody is signed in: 480", carrier: finally(480), cause: "not signed in", endedBy: "server"},
	{rule: "nobody's number: 404", number: nobodys, carrier: finally(404), cause: "unknown number", endedBy: "server", desk: wait},
	{rule: "a stranger to a number that is there: 401", carrier: finally(401), stranger: true},
	{rule: "a stranger to a number that is not there: 401", number: nobodys, carrier: finally(401), stranger: true},
	{rule: "the caller cancels: 487", cause: "cancelled", endedBy: "caller", desk: wait,
		carrier: []step{invite, trying, status(180), cancel, headed(200, "CSeq", "CANCEL"), status(487), ackRefusal}},
	{rule: "BYE in an early dialog ends the call as CANCEL does", cause: "cancelled", endedBy: "caller", desk: wait,
		carrier: []step{invite, trying, status(180), bye, headed(200, "CSeq", "BYE"), status(487), ackRefusal}},
	{rule: "a CANCEL that crosses the 200 changes nothing", cause: "normal", endedBy: "caller", answers: true, desk: answer,
		carrier: []step{invite, trying, status(180), headed(200, "CSeq", "INVITE"), cancel, headed(200, "CSeq", "CANCEL"),
			ack, talk(200), bye, headed(200, "CSeq", "BYE")}},
	{rule: "a BYE that overtakes the ACK ends the call", cause: "normal", endedBy: "caller", answers: true, desk: answer,
		carrier: []step{invite, trying, status(180), headed(200, "CSeq", "INVITE"), bye, headed(200, "CSeq", "BYE"), ack}},
	{rule: "an INVITE with no offer: ours is in the 200, the answer in the ACK", cause: "normal", endedBy: "caller", answers: true, desk: answer,
		carrier: []step{inviteLate, trying, status(180), described(200, "m=audio [1-9]"), ackAnswer, talk(200), bye, headed(200, "CSeq", "BYE")}},
	{rule: "re-INVITE: hold, and resume", cause: "normal", endedBy: "caller", answers: true, desk: held, holds: true,
		carrier: []step{invite, trying, status(180), described(200, "m=audio [1-9]"), ack, talk(300),
			hold, trying, described(200, "a=recvonly"), acknowledge(2), talk(700),
			resume, trying, described(200, "m=audio [1-9]"), acknowledge(3), talk(300), bye, headed(200, "CSeq", "BYE")}},
	{rule: "a session that the carrier does not refresh ends by BYE", cause: "session expired", endedBy: "server", answers: true, desk: answer,
		change: func(c *config.Config) { c.SIP.SessionExpires = 3 * time.Second }, // less than a file may say
		carrier: []step{inviteTimed, trying, status(180), headed(200, "Session-Expires", "3;refresher=uac"), ack,
			hungUp("SIP;cause=408")}},
	{rule: "the 200 is repeated until the ACK, ever slower", cause: "normal", endedBy: "caller", answers: true, desk: answer, repeats: 4,
		carrier: []step{invite, trying, status(180), status(200), status(200), status(200), status(200), ack, talk(200),
			bye, headed(200, "CSeq", "BYE")}},
}

func TestWhatACallMayComeTo(t *testing.T) {
	for _, r := range rows {
		t.Run(r.rule, func(t *testing.T) { r.run(house.Start(t, r.change)) })
	}
}

func (r row) run(h *house.House) {
	h.AddUser("ana", anas)
	voice := listen(h)
	if !r.stranger {
		h.AddTrunk("carrier", house.FreePort(h), "udp", map[string]any{"sources": []any{map[string]any{"prefix": "127.0.0.1/32"}}}) // sipp takes any port
	}
	desk := h.Browser("Desk")
	if r.desk != nil {
		if _, err := desk.Identify(h.Within(), "ana", house.Password); err != nil {
			h.Fatal(err)
		}
	}
	number := r.number
	if number == "" {
		number = anas
	}
	before := sockets(h)
	c := start(h, number, voice, r.repeats > 0, scenario(r.carrier...))
	defer func() {
		if h.Failed() {
			h.Log(c.log())
		}
	}()
	if r.desk != nil && number == anas {
		ring, err := desk.WaitRing(h.Within())
		if err != nil {
			h.Fatalf("%v; sipp: %v", err, c.end())
		}
		r.desk(h, ring)
		defer func() {
			if err := ring.WaitEnded(h.Within()); err != nil {
				h.Error(err)
			}
		}()
	}
	if err := c.end(); err != nil {
		h.Fatalf("sipp: %v", err)
	}
	if r.repeats > 0 {
		growing(h, c.times("received", "SIP/2.0 200 ", "CSeq: 1 INVITE"), r.repeats)
	}
	if r.holds {
		quiet(h, c, voice)
	}
	r.check(h)
	h.NothingLeft()
	h.Until("no socket left that the call opened", func() bool { return sockets(h) == before })
	select {
	case <-desk.Rings():
		h.Error("it rang once more")
	default:
	}
}

// check compares the record with the row.
func (r row) check(h *house.House) {
	h.Helper()
	if r.cause == "" {
		h.NothingLeft()
		if got := h.Records(); len(got) != 0 {
			h.Errorf("a record of a call that never was: %+v", got)
		}
		return
	}
	got := h.Last(1)
	if got.Cause != r.cause || r.endedBy != "" && got.EndedBy != r.endedBy || (got.Answered != nil) != r.answers || got.Direction != "inbound" {
		h.Errorf("record %+v; want %q, ended by %s, answered %v", got, r.cause, r.endedBy, r.answers)
	}
	if n := len(h.Records()); n != 1 {
		h.Errorf("%d records of one call", n)
	}
}

// wait leaves the telephone alone.
func wait(h *house.House, r *client.Ring) {
	h.Helper()
	if err := r.WaitEnded(h.Within()); err != nil {
		h.Error(err)
	}
}

func answer(h *house.House, r *client.Ring) {
	h.Helper()
	if err := r.Call.Answer(); err != nil { // and does not wait for voice: the call may be over before
		h.Error(err)
	}
}

// held answers, is held, and so hears music; the carrier itself is silent.
func held(h *house.House, r *client.Ring) {
	h.Helper()
	answer(h, r)
	h.Until("music at the browser", func() bool {
		return slices.ContainsFunc(r.Heard(), func(sample int16) bool { return sample > 500 || sample < -500 })
	})
}

// quiet checks that the carrier got no voice while it held, and got some before
// and after (RFC 3264 section 8.4).
func quiet(h *house.House, c *run, v *sink) {
	h.Helper()
	held, resumed := c.times("sent", "ACK ", "CSeq: 2 ACK"), c.times("sent", "INVITE ", "CSeq: 3 INVITE")
	if len(held) != 1 || len(resumed) != 1 {
		h.Fatalf("held at %v, resumed at %v", held, resumed)
	}
	var before, while, after int
	for _, t := range v.times() {
		switch {
		case t.Before(held[0]):
			before++
		case t.After(resumed[0]):
			after++
		case t.After(held[0].Add(150 * time.Millisecond)): // what was on its way
			while++
		}
	}
	if before == 0 || while > 0 || after == 0 {
		h.Errorf("voice packets: %d before the hold, %d during it, %d after it", before, while, after)
	}
}

// growing checks RFC 3261 section 13.3.1.4: the interval starts at T1 (500 ms)
// and doubles. A busy machine may be late with any of them, so only the whole is
// looked at: at one pace it would take no more than 1.5 s.
func growing(h *house.House, at []time.Time, n int) {
	h.Helper()
	if len(at) != n {
		h.Fatalf("the 200 came %d times, want %d", len(at), n)
	}
	if all := at[n-1].Sub(at[0]); all < 2500*time.Millisecond {
		h.Errorf("the 200 came %d times in %v, want about 3.5 s", n, all)
	}
}
