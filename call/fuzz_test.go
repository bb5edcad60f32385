package call

import (
	"testing"
	"time"

	"github.com/roamline/roamline"
)

// A world plays the doors and the voice engine to a call: it remembers which
// commands are still to be answered and which legs it was asked to let go.
type world struct {
	t       *testing.T
	call    roamline.Call
	pending []roamline.CommandID
	let     map[roamline.LegID]int
	last    roamline.CommandID
}

func (w *world) step(ev roamline.Event) {
	before := w.call.State
	c, cmds := Step(w.call, ev)
	w.call = c
	if before == roamline.Over && (len(cmds) > 0 || c.State != roamline.Over) {
		w.t.Fatalf("an ended call came back by %T", ev)
	}
	for _, cmd := range cmds {
		var id roamline.CommandID
		switch cmd := cmd.(type) {
		case roamline.Ring:
			id = cmd.ID
		case roamline.Alert:
			id = cmd.ID
		case roamline.Join:
			id = cmd.ID
		case roamline.Accept:
			id = cmd.ID
		case roamline.Announce:
			id = cmd.ID
		case roamline.Hold:
			id = cmd.ID
		case roamline.Dial:
			id = cmd.ID
		case roamline.Hangup:
			id = cmd.ID
			w.let[cmd.Leg]++
		case roamline.SetTimer:
			continue
		}
		if id <= w.last {
			w.t.Fatalf("command %d of %T was given out before", id, cmd)
		}
		w.last = id
		w.pending = append(w.pending, id)
	}
	w.check()
}

// check holds what must be true at every moment.
func (w *world) check() {
	c, up := w.call, 0
	for _, l := range c.Legs {
		if l.State == roamline.LegUp && l.ID != c.Caller && l.Takes == "" {
			up++
		}
		if w.let[l.ID] > 1 {
			w.t.Fatalf("leg %s was let go %d times", l.ID, w.let[l.ID])
		}
	}
	if up > 1 {
		w.t.Fatalf("%d callees are up at once", up)
	}
	s := &step{Call: c}
	sides := 0
	for _, side := range []roamline.LegID{c.Caller, c.Callee} {
		if s.leg(side) != nil {
			sides++
		}
	}
	switch {
	case c.State == roamline.Talking && (up != 1 || sides != 2):
		w.t.Fatalf("talking with %d callees up, %d sides", up, sides)
	case c.State == roamline.Parked && sides != 1:
		w.t.Fatalf("parked with %d sides", sides)
	}
	heirs := map[roamline.LegID]int{}
	for _, l := range c.Legs {
		if l.Takes != "" && s.leg(l.ID) != nil {
			if heirs[l.Takes]++; heirs[l.Takes] > 1 || l.Takes != c.Caller && l.Takes != c.Callee {
				w.t.Fatalf("leg %s is one heir of %d, of %s", l.ID, heirs[l.Takes], l.Takes)
			}
		}
	}
}

// FuzzStep: whatever happens in whatever order, when the call has been stopped
// and the doors have done what they were asked, no leg is left.
func FuzzStep(f *testing.F) {
	f.Add([]byte{0, 1, 1, 2, 1, 0, 3, 0, 0, 0, 6, 0})
	f.Add([]byte{3, 9, 1, 8, 2, 0, 4, 1, 5, 5, 0, 7})
	f.Fuzz(func(t *testing.T, script []byte) {
		plans := [][]roamline.Stage{
			{ringA, vain}, {moves, vain}, {both, sorry}, {out, out2, vain}, {sorry}, {vain}, {}, {roamline.RingStage{}, both},
			{hers, vain}, {waits, sorry},
		}
		w := &world{t: t, let: map[roamline.LegID]int{},
			call: New("k", roamline.Offered{At: at(0), Leg: trunk, Path: roamline.Path{Trunk: "carrier"}})}
		for i := 0; i+1 < len(script) && i < 400; i += 2 {
			w.step(w.event(script[i], script[i+1], plans))
		}
		w.step(roamline.Stop{At: at(99), Cause: roamline.Shutdown})
		for len(w.pending) > 0 {
			w.finish(0)
		}
		if w.call.State != roamline.Over {
			t.Fatalf("the call is still %s: %+v", w.call.State, w.call.Legs)
		}
		for _, l := range w.call.Legs {
			if l.State != roamline.LegEnded || w.let[l.ID] != 1 {
				t.Fatalf("leg %s is %s and was let go %d times", l.ID, l.State, w.let[l.ID])
			}
		}
	})
}

var (
	users   = []roamline.UserID{"ana", "bo"}
	clients = []roamline.ClientID{"desk1", "desk2", "desk3"}
)

// finish answers the i-th pending command.
func (w *world) finish(i int) {
	id := w.pending[i]
	w.pending = append(w.pending[:i], w.pending[i+1:]...)
	w.step(roamline.Done{At: at(50), ID: id})
}

// event turns two bytes into something that the doors could say.
func (w *world) event(kind, arg byte, plans [][]roamline.Stage) roamline.Event {
	leg := w.call.Legs[int(arg)%len(w.call.Legs)].ID
	causes := []roamline.Cause{roamline.Normal, roamline.Busy, roamline.Unreachable, roamline.Cancelled}
	cause := causes[int(arg>>4)%len(causes)]
	var sdp []byte
	if arg&8 != 0 {
		sdp = []byte("v=0")
	}
	switch kind % 16 {
	case 0:
		return roamline.Routed{At: at(0), Plan: plans[int(arg)%len(plans)], Grace: time.Duration(arg>>7) * time.Minute, CallerBy: "bo"}
	case 1:
		return roamline.Progressed{At: at(1), Leg: leg, Code: 183, SDP: sdp}
	case 2:
		return roamline.Answered{At: at(2), Leg: leg, SDP: sdp}
	case 3, 4:
		if len(w.pending) == 0 {
			return roamline.Done{At: at(3), ID: roamline.CommandID(arg)}
		}
		i := int(arg) % len(w.pending)
		id := w.pending[i]
		w.pending = append(w.pending[:i], w.pending[i+1:]...)
		if kind%16 == 3 {
			return roamline.Done{At: at(3), ID: id}
		}
		return roamline.Failed{At: at(3), ID: id, Cause: cause}
	case 5:
		return roamline.HungUp{At: at(4), Leg: leg, Cause: cause}
	case 6:
		return roamline.Fired{At: at(5), Timer: w.call.Timer - roamline.Generation(arg&1)}
	case 7:
		return roamline.VoiceGone{At: at(6), Leg: leg, Cause: roamline.VoiceLost}
	case 8:
		return roamline.VoiceReady{At: at(6), Leg: leg}
	case 11:
		return roamline.FirstVoice{At: at(6), Leg: leg}
	case 12, 13:
		return roamline.Here{At: at(6), User: users[int(arg>>2)%2], Client: clients[int(arg)%len(clients)]}
	case 14:
		return roamline.Gone{At: at(6), User: users[int(arg>>2)%2], Client: clients[int(arg)%len(clients)]}
	case 9:
		return roamline.Flow{At: at(6), Leg: leg, Held: arg&16 != 0}
	case 10:
		return roamline.Pressed{At: at(6), Leg: leg, Digit: roamline.Digit{Key: '1'}}
	}
	return roamline.Stop{At: at(7), Cause: roamline.Shutdown}
}
