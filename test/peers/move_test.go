package peers

import (
	"testing"

	"github.com/roamline/roamline/config"
	"github.com/roamline/roamline/demo/carrier"
	"github.com/roamline/roamline/demo/client"
	"github.com/roamline/roamline/demo/pcm"
	"github.com/roamline/roamline/test/house"
)

// markers is a sound whose every 20 ms say which they are: sixteen bits, each
// ten samples high or low, counted from from on.
type markers struct {
	next uint16
	at   int // samples of it that were spoken
}

func (m *markers) Fill(to []int16) bool {
	for i := range to {
		to[i] = -8000
		if m.next>>(m.at*16/pcm.Frame)&1 == 1 {
			to[i] = 8000
		}
		if m.at++; m.at == pcm.Frame {
			m.at, m.next = 0, m.next+1
		}
	}
	return true
}

// marks returns the numbers of the markers that a call has heard, in order.
func marks(c *carrier.Call) (numbers []uint16) {
	for _, p := range c.Voice().Pieces() {
		n, clear := uint16(0), len(p.Sound) == pcm.Frame
		for bit := 0; clear && bit < 16; bit++ {
			switch v := p.Sound[bit*pcm.Frame/16+5]; {
			case v > 6000:
				n |= 1 << bit
			case v > -6000:
				clear = false
			}
		}
		if clear {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// follows waits for a call that comes along with its person, and takes it as
// her client does: by itself.
func follows(h *house.House, at *client.Client) *carrier.Call {
	h.Helper()
	ring, err := at.WaitRing(h.Within())
	if err != nil {
		h.Fatal(err)
	}
	if mode := ring.Dialog().Invitation().GetHeader("Answer-Mode"); mode == nil || mode.Value() != "Auto" {
		h.Error("the call does not ask to be answered by itself")
	}
	call, err := ring.Answer(h.Within())
	if err != nil {
		h.Fatal(err)
	}
	return call
}

// pickUp waits until it rings at a client, and answers.
func pickUp(h *house.House, at *client.Client) *carrier.Call {
	h.Helper()
	ring, err := at.WaitRing(h.Within())
	if err != nil {
		h.Fatal(err)
	}
	call, err := ring.Answer(h.Within())
	if err != nil {
		h.Fatal(err)
	}
	return call
}

func awaitEnd(h *house.House, c *carrier.Call) {
	h.Helper()
	if err := c.WaitEnded(h.Within()); err != nil {
		h.Fatal(err)
	}
}

// ward is a site with a carrier, and Ana at the first of three desks.
func ward(t *testing.T) (h *house.House, tel *carrier.Carrier, desks [3]*client.Client) {
	t.Helper()
	h = house.Start(t, nil)
	h.AddUser("ana", "+34910000001")
	h.AddUser("bo", "+34910000002")
	tel = h.Carrier("udp", "PCMA")
	for i, name := range []string{"Desk 1", "Desk 2", "Desk 3"} {
		desks[i] = h.Browser(name)
	}
	identify(h, desks[0], "ana")
	return h, tel, desks
}

// Every 20 ms of what the far end says is heard at the one desk or at the
// other, and the far end hears Ana's on and on.
func TestNothingIsLostInAMove(t *testing.T) {
	h, tel, desks := ward(t)
	caller, at1 := talk(h, tel, "+34910000001", desks[0])
	caller.PlaySource(&markers{})
	at1.PlaySource(&markers{})
	wait(h, at1, "markers", func() bool { return len(marks(at1)) >= 10 })

	identify(h, desks[1], "ana")
	at2 := follows(h, desks[1])
	at2.PlaySource(&markers{next: 1 << 15})
	awaitEnd(h, at1)
	wait(h, at2, "more markers", func() bool { return len(marks(at2)) >= 20 })
	wait(h, caller, "markers of desk 2", func() bool {
		m := marks(caller)
		return len(m) > 0 && m[len(m)-1] > 1<<15+20
	})
	caller.Hangup()

	there := map[uint16]bool{}
	before, after := marks(at1), marks(at2)
	for _, n := range append(before, after...) {
		there[n] = true
	}
	for n := before[0]; n < after[len(after)-1]; n++ {
		if !there[n] {
			t.Errorf("20 ms number %d of the far end were heard nowhere; desk 1 heard up to %d, desk 2 from %d on", n, before[len(before)-1], after[0])
		}
	}
	heard := marks(caller)
	for i := 1; i < len(heard); i++ {
		if a, b := heard[i-1], heard[i]; a < 1<<15 && b >= 1<<15 {
			t.Logf("the far end heard desk 1 up to %d, then desk 2 from %d on; longest time between two packets %v", a, b-1<<15, caller.Figures().Longest)
		} else if b != a+1 {
			t.Errorf("the far end heard %d after %d", b, a)
		}
	}
	if r := h.Last(1); len(r.Legs) != 3 || r.EndedBy != "caller" {
		t.Errorf("record %+v", r)
	}
	h.NothingLeft()
}

func wait(h *house.House, c *carrier.Call, what string, ok func() bool) {
	h.Helper()
	if err := c.Wait(h.Within(), what, ok); err != nil {
		h.Fatalf("%s: %v", what, err)
	}
}

// Signed out in the middle of a call, she takes it up again wherever she
// identifies; meanwhile the far end hears music.
func TestACallWaitsForItsPerson(t *testing.T) {
	h, tel, desks := ward(t)
	caller, at1 := talk(h, tel, "+34910000001", desks[0])
	if err := desks[0].SignOut(h.Within()); err != nil {
		t.Fatal(err)
	}
	awaitEnd(h, at1)
	wait(h, caller, "music", func() bool { t := tail(caller.Heard()); return !pcm.Hears(t, 1000) && loud(t) })

	identify(h, desks[1], "ana")
	at2 := follows(h, desks[1])
	at2.PlayTone(1600)
	hears(h, at2, 440)
	hears(h, caller, 1600)
	at2.Hangup()
	if r := h.Last(1); r.Cause != "normal" || r.EndedBy != "callee" {
		t.Errorf("record %+v", r)
	}
	h.NothingLeft()
}

func loud(s []int16) bool {
	for _, v := range s {
		if v > 1000 {
			return true
		}
	}
	return false
}

// Somebody else takes the desk that she has just left: nothing of hers is heard
// there any more, also if her new desk is not ready yet.
func TestADeskThatIsTakenIsSilentAtOnce(t *testing.T) {
	h, tel, desks := ward(t)
	caller, at1 := talk(h, tel, "+34910000001", desks[0])
	identify(h, desks[1], "ana")
	ring, err := desks[1].WaitRing(h.Within())
	if err != nil {
		t.Fatal(err)
	}
	identify(h, desks[0], "bo")
	awaitEnd(h, at1)
	at2, err := ring.Answer(h.Within())
	if err != nil {
		t.Fatal(err)
	}
	at2.PlayTone(1600)
	hears(h, at2, 440)
	hears(h, caller, 1600)
	caller.Hangup()
	h.Last(1)
	h.NothingLeft()
}

// A client that can't take the call leaves it where it was.
func TestACallStaysWhereItIsIfItCannotFollow(t *testing.T) {
	h, tel, desks := ward(t)
	caller, at1 := talk(h, tel, "+34910000001", desks[0])
	identify(h, desks[1], "ana")
	ring, err := desks[1].WaitRing(h.Within())
	if err != nil {
		t.Fatal(err)
	}
	ring.Refuse(480, "Temporarily Unavailable")
	at1.PlayTone(1600)
	hears(h, caller, 1600)
	identify(h, desks[2], "ana")
	at3 := follows(h, desks[2])
	at3.PlayTone(700)
	hears(h, caller, 700)
	at3.Hangup()
	h.Last(1)
	h.NothingLeft()
}

// It rings at one desk, and follows her to the next.
func TestRingingFollows(t *testing.T) {
	h, tel, desks := ward(t)
	caller, err := tel.Call(h.Within(), "+4930123456", "+34910000001", carrier.CallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	first, err := desks[0].WaitRing(h.Within())
	if err != nil {
		t.Fatal(err)
	}
	identify(h, desks[1], "ana")
	second, err := desks[1].WaitRing(h.Within())
	if err != nil {
		t.Fatal(err)
	}
	if second.Dialog().Invitation().GetHeader("Answer-Mode") != nil {
		t.Error("a call that rings is to be answered by itself")
	}
	awaitEnd(h, first.Call)
	at2, err := second.Answer(h.Within())
	if err != nil {
		t.Fatal(err)
	}
	caller.PlayTone(440)
	hears(h, at2, 440)
	caller.Hangup()
	h.Last(1)
	h.NothingLeft()
}

// She is signed in nowhere: the caller hears that it rings, and she is rung
// where she signs in.
func TestACallWaitsForHerToSignIn(t *testing.T) {
	h := house.Start(t, func(c *config.Config) { c.Site.WaitFor = house.Limit })
	h.AddUser("ana", "+34910000001")
	tel, desk := h.Carrier("udp", "PCMA"), h.Browser("Desk")
	caller, err := tel.Call(h.Within(), "+4930123456", "+34910000001", carrier.CallOptions{})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-caller.Ringing():
	case <-h.Within().Done():
		t.Fatal("the caller does not hear that it rings")
	}
	identify(h, desk, "ana")
	at := pickUp(h, desk)
	caller.PlayTone(440)
	hears(h, at, 440)
	caller.Hangup()
	h.Last(1)
	h.NothingLeft()
}

// The one who called walks on as well, and so do both at once.
func TestBothSidesMayWalk(t *testing.T) {
	h, _, desks := ward(t)
	identify(h, desks[1], "bo")
	ana, err := desks[0].Call(h.Within(), "+34910000002")
	if err != nil {
		t.Fatal(err)
	}
	bo := pickUp(h, desks[1])
	bo.PlayTone(440)
	hears(h, ana, 440)

	identify(h, desks[2], "ana")
	anaAt3 := follows(h, desks[2])
	awaitEnd(h, ana)
	hears(h, anaAt3, 440)
	anaAt3.PlayTone(1000)
	hears(h, bo, 1000)

	identify(h, desks[0], "bo")
	boAt1 := follows(h, desks[0])
	awaitEnd(h, bo)
	hears(h, boAt1, 1000)
	boAt1.Hangup()
	if r := h.Last(1); r.EndedBy != "callee" || len(r.Legs) != 4 {
		t.Errorf("record %+v", r)
	}
	h.NothingLeft()
}
