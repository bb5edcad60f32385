package call

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/roamline/roamline"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func at(s int) roamline.At { return roamline.At{Time: noon.Add(time.Duration(s) * time.Second)} }

const (
	trunk = roamline.LegID("in")
	web   = roamline.LegID("k.2")
	lab   = roamline.LegID("k.3")
)

var (
	desk1 = roamline.Target{Client: "desk1"}
	desk2 = roamline.Target{Client: "desk2"}
	pstn  = roamline.Target{Trunk: "carrier", Number: "+4930"}
	ringA = roamline.RingStage{Targets: []roamline.Target{desk1}, Users: []roamline.UserID{"ana"}, For: 30 * time.Second}
	both  = roamline.RingStage{Targets: []roamline.Target{desk1, desk2}, Users: []roamline.UserID{"ana", "bo"}, For: 30 * time.Second}
	out   = roamline.RingStage{Targets: []roamline.Target{pstn}, Users: []roamline.UserID{""}}
	out2  = roamline.RingStage{Targets: []roamline.Target{{Trunk: "other", Number: "+4930"}}, Users: []roamline.UserID{""}}
	vain  = roamline.RefuseStage{Cause: roamline.NoAnswer}
	sorry = roamline.AnnounceStage{Prompt: roamline.NobodyPicked, Cause: roamline.NoAnswer}
)

// after runs events through a fresh call that came by the trunk and returns the
// call and what the last event asked for.
func after(plan []roamline.Stage, events ...roamline.Event) (roamline.Call, []roamline.Command) {
	c := New("k", roamline.Offered{At: at(0), Leg: trunk, Path: roamline.Path{Trunk: "carrier"}})
	c, cmds := Step(c, roamline.Routed{At: at(0), Plan: plan, To: "1001", User: "ana"})
	for _, ev := range events {
		c, cmds = Step(c, ev)
	}
	return c, cmds
}

var (
	rings    = roamline.Progressed{At: at(1), Leg: web, Code: 180}
	answers  = roamline.Answered{At: at(2), Leg: web}
	joined   = roamline.Done{At: at(3), ID: 3} // ring, alert, join
	accepted = roamline.Done{At: at(3), ID: 4}
	talk     = []roamline.Event{rings, answers, joined, accepted}
)

func then(events []roamline.Event, more ...roamline.Event) []roamline.Event {
	return append(append([]roamline.Event{}, events...), more...)
}

func TestStep(t *testing.T) {
	type cmds = []roamline.Command
	hang := func(id int, leg roamline.LegID, why roamline.Cause) roamline.Command {
		return roamline.Hangup{ID: roamline.CommandID(id), Leg: leg, Cause: why}
	}
	for _, row := range []struct {
		rule   string
		plan   []roamline.Stage
		events []roamline.Event
		state  roamline.CallState
		cmds   cmds
	}{
		{"a routed call rings", []roamline.Stage{ringA}, nil, roamline.Ringing, cmds{
			roamline.Ring{ID: 1, Leg: web, To: desk1, User: "ana"}, roamline.SetTimer{Timer: 1, After: 30 * time.Second}}},
		{"the caller is told once", []roamline.Stage{ringA}, []roamline.Event{rings}, roamline.Ringing, cmds{roamline.Alert{ID: 2, Leg: trunk}}},
		{"a second 180 says nothing new", []roamline.Stage{ringA}, []roamline.Event{rings, rings}, roamline.Ringing, nil},
		{"a client's early media is not passed on", []roamline.Stage{ringA},
			[]roamline.Event{roamline.Progressed{At: at(1), Leg: web, Code: 183, SDP: []byte("v=0")}}, roamline.Ringing, cmds{roamline.Alert{ID: 2, Leg: trunk}}},
		{"a trunk's early media is", []roamline.Stage{out},
			[]roamline.Event{roamline.Progressed{At: at(1), Leg: web, Code: 183, SDP: []byte("v=0")}}, roamline.Ringing, cmds{roamline.Alert{ID: 2, Leg: trunk, Early: web}}},
		{"first answer wins", []roamline.Stage{both}, []roamline.Event{roamline.Answered{At: at(2), Leg: lab}}, roamline.Joining, cmds{
			hang(3, web, roamline.Elsewhere), roamline.Join{ID: 4, A: trunk, B: lab}, roamline.SetTimer{Timer: 2, After: joinFor}}},
		{"a second answer is too late", []roamline.Stage{both}, []roamline.Event{roamline.Answered{At: at(2), Leg: lab}, roamline.Answered{At: at(2), Leg: web}}, roamline.Joining, nil},
		{"voice ready, caller accepted", []roamline.Stage{ringA}, []roamline.Event{rings, answers, joined}, roamline.Talking, cmds{
			roamline.SetTimer{Timer: 3}, roamline.Accept{ID: 4, Leg: trunk}}},
		{"no voice path: the plan goes on", []roamline.Stage{ringA, sorry}, []roamline.Event{rings, answers, roamline.Failed{At: at(9), ID: 3, Cause: roamline.VoiceFailed}}, roamline.Announcing, cmds{
			hang(4, web, roamline.VoiceFailed), roamline.Announce{ID: 5, Leg: trunk, Prompt: roamline.NobodyPicked}, roamline.SetTimer{Timer: 3, After: announceFor}}},
		{"the caller hangs up", []roamline.Stage{ringA}, then(talk, roamline.HungUp{At: at(9), Leg: trunk, Cause: roamline.Normal}), roamline.Ending, cmds{
			roamline.SetTimer{Timer: 4}, hang(5, trunk, roamline.Normal), hang(6, web, roamline.Normal)}},
		{"the caller gives up", []roamline.Stage{both}, []roamline.Event{rings, roamline.HungUp{At: at(9), Leg: trunk, Cause: roamline.Cancelled}}, roamline.Ending, cmds{
			roamline.SetTimer{Timer: 2}, hang(4, trunk, roamline.Cancelled), hang(5, web, roamline.Cancelled), hang(6, lab, roamline.Cancelled)}},
		{"the callee declines: that is the end", []roamline.Stage{ringA, sorry}, []roamline.Event{rings, roamline.HungUp{At: at(9), Leg: web, Cause: roamline.Declined}}, roamline.Ending, cmds{
			hang(3, web, roamline.Declined), roamline.SetTimer{Timer: 2}, hang(4, trunk, roamline.Declined)}},
		{"one of two declines: the other still rings", []roamline.Stage{both}, []roamline.Event{rings, roamline.HungUp{At: at(9), Leg: web, Cause: roamline.Declined}}, roamline.Ringing, cmds{
			hang(4, web, roamline.Declined)}},
		{"nobody answers in time", []roamline.Stage{ringA, vain}, []roamline.Event{rings, roamline.Fired{At: at(30), Timer: 1}}, roamline.Ending, cmds{
			hang(3, web, roamline.NoAnswer), roamline.SetTimer{Timer: 2}, hang(4, trunk, roamline.NoAnswer)}},
		{"a stale timer changes nothing", []roamline.Stage{ringA}, then(talk, roamline.Fired{At: at(30), Timer: 1}), roamline.Talking, nil},
		{"a client that can't be called: the plan goes on", []roamline.Stage{ringA, vain}, []roamline.Event{roamline.Failed{At: at(1), ID: 1, Cause: roamline.Unreachable}}, roamline.Ending, cmds{
			hang(2, web, roamline.Unreachable), roamline.SetTimer{Timer: 2}, hang(3, trunk, roamline.Unreachable)}},
		{"a dead trunk: the next one", []roamline.Stage{out, out2}, []roamline.Event{roamline.HungUp{At: at(1), Leg: web, Cause: roamline.Unreachable}}, roamline.Ringing, cmds{
			hang(2, web, roamline.Unreachable), roamline.Ring{ID: 3, Leg: lab, To: out2.Targets[0]}, roamline.SetTimer{Timer: 2, After: timerC}}},
		{"busy beyond the first trunk is busy", []roamline.Stage{out, out2}, []roamline.Event{roamline.HungUp{At: at(1), Leg: web, Cause: roamline.Busy}}, roamline.Ending, cmds{
			hang(2, web, roamline.Busy), roamline.SetTimer{Timer: 2}, hang(3, trunk, roamline.Busy)}},
		{"the prompt is over: she is refused", []roamline.Stage{sorry}, []roamline.Event{roamline.Done{At: at(5), ID: 1}}, roamline.Ending, cmds{
			roamline.SetTimer{Timer: 2}, hang(2, trunk, roamline.NoAnswer)}},
		{"hold: the other side hears music", []roamline.Stage{ringA}, then(talk, roamline.Flow{At: at(9), Leg: web, Held: true}), roamline.Talking, cmds{
			roamline.Hold{ID: 5, Leg: trunk, On: true}}},
		{"a digit is passed on", []roamline.Stage{ringA}, then(talk, roamline.Pressed{At: at(9), Leg: trunk, Digit: roamline.Digit{Key: '5'}}), roamline.Talking, cmds{
			roamline.Dial{ID: 5, Leg: web, Digit: roamline.Digit{Key: '5'}}}},
		{"no ACK ends the call", []roamline.Stage{ringA}, []roamline.Event{rings, answers, joined, roamline.Failed{At: at(35), ID: 4, Cause: roamline.NotAcknowledged}}, roamline.Ending, cmds{
			roamline.SetTimer{Timer: 4}, hang(5, trunk, roamline.NotAcknowledged), hang(6, web, roamline.NotAcknowledged)}},
		{"lost voice ends the call", []roamline.Stage{ringA}, then(talk, roamline.VoiceGone{At: at(60), Leg: web, Cause: roamline.VoiceLost}), roamline.Ending, cmds{
			roamline.SetTimer{Timer: 4}, hang(5, trunk, roamline.VoiceLost), hang(6, web, roamline.VoiceLost)}},
		{"a stranger's leg changes nothing", []roamline.Stage{ringA}, []roamline.Event{roamline.Answered{At: at(1), Leg: "other"}}, roamline.Ringing, nil},
		{"over when every leg is let go", []roamline.Stage{vain}, []roamline.Event{roamline.Done{At: at(1), ID: 1}}, roamline.Over, nil},
		{"over stays over", []roamline.Stage{vain}, []roamline.Event{roamline.Done{At: at(1), ID: 1}, answers}, roamline.Over, nil},
	} {
		t.Run(row.rule, func(t *testing.T) {
			c, got := after(row.plan, row.events...)
			if c.State != row.state {
				t.Errorf("state %q, want %q", c.State, row.state)
			}
			if diff := cmp.Diff(row.cmds, got); diff != "" {
				t.Errorf("commands (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhoEndedACall(t *testing.T) {
	for _, row := range []struct {
		rule  string
		leg   roamline.LegID
		cause roamline.Cause
		by    string
	}{
		{"the caller hung up", trunk, roamline.Normal, "caller"},
		{"the callee hung up", web, roamline.Normal, "callee"},
		{"the server let an expired session go", trunk, roamline.SessionExpired, "server"},
		{"the server waited in vain for an ACK", trunk, roamline.NotAcknowledged, "server"},
		{"the server lost a client", web, roamline.Unreachable, "server"},
	} {
		c, _ := after([]roamline.Stage{ringA}, then(talk, roamline.HungUp{At: at(9), Leg: row.leg, Cause: row.cause})...)
		if got := Record(c).EndedBy; got != row.by {
			t.Errorf("%s: ended by %q, want %q", row.rule, got, row.by)
		}
	}
}

func TestWhatRemainsOfACall(t *testing.T) {
	c, _ := after([]roamline.Stage{ringA}, then(talk, roamline.HungUp{At: at(9), Leg: web, Cause: roamline.Normal},
		roamline.Done{At: at(9), ID: 5}, roamline.Done{At: at(10), ID: 6})...)
	r := Record(c)
	want := roamline.Record{
		Call: "k", To: "1001", User: "ana", Direction: roamline.Inbound, Cause: roamline.Normal, EndedBy: "callee",
		Offered: at(0).Time, Rang: at(1).Time, Answered: at(3).Time, Ended: at(10).Time,
		Legs: []roamline.LegRecord{
			{Leg: trunk, At: roamline.Target{Trunk: "carrier"}, Cause: roamline.Normal},
			{Leg: web, At: desk1, User: "ana", Cause: roamline.Normal},
		},
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}
