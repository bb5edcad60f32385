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
	hers  = roamline.RingStage{Targets: []roamline.Target{desk1}, Users: []roamline.UserID{"ana"}, For: 30 * time.Second, Await: []roamline.UserID{"ana"}}
	waits = roamline.RingStage{For: 30 * time.Second, Await: []roamline.UserID{"ana"}, Wait: 20 * time.Second}
	moves = roamline.RingStage{Targets: ringA.Targets, Users: ringA.Users, For: ringA.For, OnBusy: []roamline.Stage{out, out2, vain}}
	out   = roamline.RingStage{Targets: []roamline.Target{pstn}, Users: []roamline.UserID{""}}
	out2  = roamline.RingStage{Targets: []roamline.Target{{Trunk: "other", Number: "+4930"}}, Users: []roamline.UserID{""}}
	vain  = roamline.RefuseStage{Cause: roamline.NoAnswer}
	sorry = roamline.AnnounceStage{Prompt: roamline.NobodyPicked, Cause: roamline.NoAnswer}
)

// after runs events through a fresh call that came by the trunk and returns the
// call and what the last event asked for.
func after(plan []roamline.Stage, events ...roamline.Event) (roamline.Call, []roamline.Command) {
	c := New("k", roamline.Offered{At: at(0), Leg: trunk, Path: roamline.Path{Trunk: "carrier"}})
	c, cmds := Step(c, roamline.Routed{At: at(0), Plan: plan, To: "1001", User: "ana", Grace: time.Minute})
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
		{"busy, and she wants her calls elsewhere then", []roamline.Stage{moves, vain}, []roamline.Event{rings, roamline.HungUp{At: at(2), Leg: web, Cause: roamline.Busy}}, roamline.Ringing, cmds{
			hang(3, web, roamline.Busy), roamline.Ring{ID: 4, Leg: lab, To: pstn}, roamline.SetTimer{Timer: 2, After: timerC}}},
		{"busy, and the first way elsewhere is dead: the next one", []roamline.Stage{moves, vain}, []roamline.Event{roamline.HungUp{At: at(1), Leg: web, Cause: roamline.Busy},
			roamline.HungUp{At: at(2), Leg: lab, Cause: roamline.Unreachable}}, roamline.Ringing, cmds{
			hang(4, lab, roamline.Unreachable), roamline.Ring{ID: 5, Leg: "k.4", To: out2.Targets[0]}, roamline.SetTimer{Timer: 3, After: timerC}}},
		{"busy there, too, is the end", []roamline.Stage{moves, vain}, []roamline.Event{roamline.HungUp{At: at(1), Leg: web, Cause: roamline.Busy},
			roamline.HungUp{At: at(2), Leg: lab, Cause: roamline.Busy}}, roamline.Ending, cmds{
			hang(4, lab, roamline.Busy), roamline.SetTimer{Timer: 3}, hang(5, trunk, roamline.Busy)}},
		{"not answered goes on with the plan, not to where busy leads", []roamline.Stage{moves, vain}, []roamline.Event{rings, roamline.Fired{At: at(30), Timer: 1}}, roamline.Ending, cmds{
			hang(3, web, roamline.NoAnswer), roamline.SetTimer{Timer: 2}, hang(4, trunk, roamline.NoAnswer)}},
		{"the prompt is over: she is refused", []roamline.Stage{sorry}, []roamline.Event{roamline.Done{At: at(5), ID: 1}}, roamline.Ending, cmds{
			roamline.SetTimer{Timer: 2}, hang(2, trunk, roamline.NoAnswer)}},
		{"hold: the other side hears music", []roamline.Stage{ringA}, then(talk, roamline.Flow{At: at(9), Leg: web, Held: true}), roamline.Talking, cmds{
			roamline.Hold{ID: 5, Leg: trunk, On: true}}},
		{"a digit is passed on", []roamline.Stage{ringA}, then(talk, roamline.Pressed{At: at(9), Leg: trunk, Digit: roamline.Digit{Key: '5'}}), roamline.Talking, cmds{
			roamline.Dial{ID: 5, Leg: web, Digit: roamline.Digit{Key: '5'}}}},
		{"no ACK ends the call", []roamline.Stage{ringA}, []roamline.Event{rings, answers, joined, roamline.Failed{At: at(35), ID: 4, Cause: roamline.NotAcknowledged}}, roamline.Ending, cmds{
			roamline.SetTimer{Timer: 4}, hang(5, trunk, roamline.NotAcknowledged), hang(6, web, roamline.NotAcknowledged)}},
		{"the lost voice of a trunk ends the call", []roamline.Stage{ringA}, then(talk, roamline.VoiceGone{At: at(60), Leg: trunk, Cause: roamline.VoiceLost}), roamline.Ending, cmds{
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

// Ana talks at desk 1 and walks on.
func TestMove(t *testing.T) {
	type cmds = []roamline.Command
	hang := func(id int, leg roamline.LegID, why roamline.Cause) roamline.Command {
		return roamline.Hangup{ID: roamline.CommandID(id), Leg: leg, Cause: why}
	}
	here := func(c roamline.ClientID) roamline.Event { return roamline.Here{At: at(10), User: "ana", Client: c} }
	gone := func(c roamline.ClientID) roamline.Event { return roamline.Gone{At: at(10), User: "ana", Client: c} }
	timer := func(n int, after time.Duration) roamline.Command {
		return roamline.SetTimer{Timer: roamline.Generation(n), After: after}
	}
	ring := func(id int, leg roamline.LegID, at roamline.Target) roamline.Command {
		return roamline.Ring{ID: roamline.CommandID(id), Leg: leg, To: at, User: "ana", Like: trunk}
	}
	music := func(id int, on bool) roamline.Command {
		return roamline.Hold{ID: roamline.CommandID(id), Leg: trunk, On: on}
	}
	answersAtLab := roamline.Answered{At: at(11), Leg: lab}
	ready, voiced := roamline.VoiceReady{At: at(11), Leg: lab}, roamline.FirstVoice{At: at(11), Leg: lab}
	for _, row := range []struct {
		rule   string
		plan   roamline.Stage
		events []roamline.Event
		state  roamline.CallState
		cmds   cmds
	}{
		{"she identifies elsewhere: a leg is opened there, the present one stays", ringA,
			then(talk, here("desk2")), roamline.Talking, cmds{ring(5, lab, desk2), timer(4, moveFor)}},
		{"it has answered: its voice is waited for", ringA,
			then(talk, here("desk2"), answersAtLab), roamline.Talking, nil},
		{"it is ready: a first packet is waited for, a moment", ringA,
			then(talk, here("desk2"), answersAtLab, ready), roamline.Talking, cmds{timer(5, quietFor)}},
		{"its voice has come: the call is there, what is left is let go", ringA,
			then(talk, here("desk2"), answersAtLab, ready, voiced), roamline.Talking, cmds{
				roamline.Join{ID: 6, A: trunk, B: lab}, hang(7, web, roamline.Elsewhere), timer(6, 0)}},
		{"it is ready and silent: the call is there too", ringA,
			then(talk, here("desk2"), answersAtLab, ready, roamline.Fired{At: at(12), Timer: 5}), roamline.Talking, cmds{
				roamline.Join{ID: 6, A: trunk, B: lab}, hang(7, web, roamline.Elsewhere), timer(6, 0), timer(7, 0)}},
		{"identifying twice there changes nothing", ringA,
			then(talk, here("desk2"), here("desk2")), roamline.Talking, nil},
		{"back before it is ready: the move is given up", ringA,
			then(talk, here("desk2"), here("desk1")), roamline.Talking, cmds{hang(6, lab, roamline.Elsewhere), timer(5, 0)}},
		{"a third client: the second is given up", ringA,
			then(talk, here("desk2"), here("desk3")), roamline.Talking, cmds{
				hang(6, lab, roamline.Elsewhere), ring(7, "k.4", roamline.Target{Client: "desk3"}), timer(5, moveFor)}},
		{"the new one can't: the call stays where it was", ringA,
			then(talk, here("desk2"), roamline.HungUp{At: at(11), Leg: lab, Cause: roamline.Declined}), roamline.Talking, cmds{
				hang(6, lab, roamline.Declined), timer(5, 0)}},
		{"the new one can't be reached: the same", ringA,
			then(talk, here("desk2"), roamline.Failed{At: at(10), ID: 5, Cause: roamline.Unreachable}), roamline.Talking, cmds{
				hang(6, lab, roamline.Unreachable), timer(5, 0)}},
		{"the new one does not answer in time: the same", ringA,
			then(talk, here("desk2"), roamline.Fired{At: at(20), Timer: 4}), roamline.Talking, cmds{
				hang(6, lab, roamline.NoAnswer), timer(5, 0)}},
		{"the old one hangs up while she moves: the far end waits with music", ringA,
			then(talk, here("desk2"), roamline.HungUp{At: at(11), Leg: web, Cause: roamline.Normal}), roamline.Parked, cmds{
				hang(6, web, roamline.Normal), music(7, true), timer(5, 59*time.Second+time.Second)}},
		{"somebody else takes the old one while she moves: it is cut at once", ringA,
			then(talk, here("desk2"), gone("desk1")), roamline.Parked, cmds{
				hang(6, web, roamline.Elsewhere), music(7, true), timer(5, time.Minute)}},
		{"the far end hangs up while she moves: both are let go", ringA,
			then(talk, here("desk2"), roamline.HungUp{At: at(11), Leg: trunk, Cause: roamline.Normal}), roamline.Ending, cmds{
				timer(5, 0), hang(6, trunk, roamline.Normal), hang(7, web, roamline.Normal), hang(8, lab, roamline.Normal)}},
		{"she signs out: the call is parked", ringA,
			then(talk, gone("desk1")), roamline.Parked, cmds{hang(5, web, roamline.Elsewhere), music(6, true), timer(4, time.Minute)}},
		{"somebody else goes: nothing", ringA,
			then(talk, roamline.Gone{At: at(10), User: "bo", Client: "desk1"}), roamline.Talking, nil},
		{"her client is lost: the call is parked, and it is tried again", ringA,
			then(talk, roamline.HungUp{At: at(10), Leg: web, Cause: roamline.Unreachable}), roamline.Parked, cmds{
				hang(5, web, roamline.Unreachable), music(6, true), timer(4, time.Minute),
				ring(7, lab, desk1), timer(5, time.Minute)}},
		{"her client's voice is lost: the call is parked, and her client is tried again", ringA,
			then(talk, roamline.VoiceGone{At: at(10), Leg: web, Cause: roamline.VoiceLost}), roamline.Parked, cmds{
				hang(5, web, roamline.VoiceLost), music(6, true), timer(4, time.Minute),
				ring(7, lab, desk1), timer(5, time.Minute)}},
		{"she hangs up: that is the end, and no loss", ringA,
			then(talk, roamline.HungUp{At: at(10), Leg: web, Cause: roamline.Normal}), roamline.Ending, cmds{
				timer(4, 0), hang(5, trunk, roamline.Normal), hang(6, web, roamline.Normal)}},
		{"parked, and she identifies: a leg is opened there", ringA,
			then(talk, gone("desk1"), here("desk2")), roamline.Parked, cmds{ring(7, lab, desk2), timer(5, time.Minute)}},
		{"parked, and the new leg carries voice: the music stops and they talk", ringA,
			then(talk, gone("desk1"), here("desk2"), answersAtLab, ready, voiced), roamline.Talking, cmds{
				roamline.Join{ID: 8, A: trunk, B: lab}, music(9, false), timer(7, 0)}},
		{"parked, and the new leg fails: the call waits on", ringA,
			then(talk, gone("desk1"), here("desk2"), roamline.HungUp{At: at(20), Leg: lab, Cause: roamline.Declined}), roamline.Parked, cmds{
				hang(8, lab, roamline.Declined), timer(6, 50*time.Second)}},
		{"parked, and the far end hangs up", ringA,
			then(talk, gone("desk1"), roamline.HungUp{At: at(20), Leg: trunk, Cause: roamline.Normal}), roamline.Ending, cmds{
				timer(5, 0), hang(7, trunk, roamline.Normal)}},
		{"parked, and nobody comes back", ringA,
			then(talk, gone("desk1"), roamline.Fired{At: at(70), Timer: 4}), roamline.Ending, cmds{
				timer(5, 0), hang(7, trunk, roamline.Abandoned)}},
		{"a call on hold moves on hold", ringA,
			then(talk, roamline.Flow{At: at(9), Leg: web, Held: true}, here("desk2"), answersAtLab, ready), roamline.Talking, cmds{
				roamline.Join{ID: 7, A: trunk, B: lab}, hang(8, web, roamline.Elsewhere), timer(5, 0)}},
		{"the far end holds: at the new place she hears music too", ringA,
			then(talk, roamline.Flow{At: at(9), Leg: trunk, Held: true}, here("desk2"), answersAtLab, ready, voiced), roamline.Talking, cmds{
				roamline.Join{ID: 7, A: trunk, B: lab}, roamline.Hold{ID: 8, Leg: lab, On: true}, hang(9, web, roamline.Elsewhere), timer(6, 0)}},
		{"ringing follows her", hers, []roamline.Event{rings, here("desk2")}, roamline.Ringing, cmds{
			hang(3, web, roamline.Elsewhere), roamline.Ring{ID: 4, Leg: lab, To: desk2, User: "ana"}}},
		{"it does not follow somebody else", hers, []roamline.Event{rings, roamline.Here{At: at(2), User: "bo", Client: "desk2"}}, roamline.Ringing, nil},
		{"her client is lost while it rings: she may come back", hers,
			[]roamline.Event{rings, roamline.HungUp{At: at(2), Leg: web, Cause: roamline.Unreachable}}, roamline.Ringing, cmds{hang(3, web, roamline.Unreachable)}},
		{"and does: it rings again", hers,
			[]roamline.Event{rings, roamline.HungUp{At: at(2), Leg: web, Cause: roamline.Unreachable}, here("desk1")}, roamline.Ringing, cmds{
				roamline.Ring{ID: 4, Leg: lab, To: desk1, User: "ana"}, timer(2, 30*time.Second)}},
		{"she signs out while it rings: she may identify elsewhere", hers, []roamline.Event{rings, gone("desk1")}, roamline.Ringing, cmds{
			hang(3, web, roamline.Unreachable)}},
		{"nobody there, and she is awaited: the caller hears that it rings", waits, nil, roamline.Ringing, cmds{
			roamline.Alert{ID: 1, Leg: trunk}, timer(1, 20*time.Second)}},
		{"she comes: it rings there", waits, []roamline.Event{here("desk1")}, roamline.Ringing, cmds{
			roamline.Ring{ID: 2, Leg: web, To: desk1, User: "ana"}, timer(2, 30*time.Second)}},
		{"she does not come: the plan goes on", waits, []roamline.Event{roamline.Fired{At: at(20), Timer: 1}}, roamline.Ending, cmds{
			timer(2, 0), hang(2, trunk, roamline.NotThere)}},
		{"she walks on in the moment of answering: the call moves when it stands", hers,
			[]roamline.Event{rings, answers, here("desk2"), joined}, roamline.Talking, cmds{
				timer(3, 0), roamline.Accept{ID: 4, Leg: trunk}, ring(5, lab, desk2), timer(4, moveFor)}},
	} {
		t.Run(row.rule, func(t *testing.T) {
			c, got := after([]roamline.Stage{row.plan, vain}, row.events...)
			if c.State != row.state {
				t.Errorf("state %q, want %q", c.State, row.state)
			}
			if diff := cmp.Diff(row.cmds, got); diff != "" {
				t.Errorf("commands (-want +got):\n%s", diff)
			}
		})
	}
}

// Bo called Ana, who is gone. He walks on himself: the call still waits for her,
// and he hears the music where he is now.
func TestHeWhoWaitsWalksToo(t *testing.T) {
	c := New("k", roamline.Offered{At: at(0), Leg: trunk, Path: roamline.Path{Client: "desk3"}})
	c, _ = Step(c, roamline.Routed{At: at(0), Plan: []roamline.Stage{hers}, User: "ana", CallerBy: "bo", Grace: time.Minute})
	var cmds []roamline.Command
	for _, ev := range append(talk, roamline.Gone{At: at(5), User: "ana", Client: "desk1"},
		roamline.Here{At: at(6), User: "bo", Client: "desk2"}, roamline.Answered{At: at(7), Leg: lab},
		roamline.VoiceReady{At: at(7), Leg: lab}, roamline.FirstVoice{At: at(7), Leg: lab}) {
		c, cmds = Step(c, ev)
	}
	want := []roamline.Command{
		roamline.Hold{ID: 8, Leg: lab, On: true}, roamline.Hangup{ID: 9, Leg: trunk, Cause: roamline.Elsewhere},
		roamline.SetTimer{Timer: 7, After: 58 * time.Second}}
	if diff := cmp.Diff(want, cmds); c.State != roamline.Parked || c.Caller != lab || diff != "" {
		t.Errorf("%s, the caller is %s; commands (-want +got):\n%s", c.State, c.Caller, diff)
	}
	for _, ev := range []roamline.Event{roamline.Here{At: at(8), User: "ana", Client: "desk1"}, roamline.Answered{At: at(9), Leg: "k.4"},
		roamline.VoiceReady{At: at(9), Leg: "k.4"}, roamline.FirstVoice{At: at(9), Leg: "k.4"}} {
		c, cmds = Step(c, ev)
	}
	want = []roamline.Command{roamline.Join{ID: 11, A: lab, B: "k.4"}, roamline.Hold{ID: 12, Leg: lab}, roamline.SetTimer{Timer: 10}}
	if diff := cmp.Diff(want, cmds); c.State != roamline.Talking || diff != "" {
		t.Errorf("%s; commands (-want +got):\n%s", c.State, diff)
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
