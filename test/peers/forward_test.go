package peers

import (
	"testing"
	"time"

	"github.com/roamline/roamline/config"
	"github.com/roamline/roamline/demo/carrier"
	"github.com/roamline/roamline/demo/pcm"
	"github.com/roamline/roamline/test/house"
)

// echoes is a number beyond the trunk that gives back what it hears.
const echoes = "+34911000001"

// set gives a user her call settings.
func set(h *house.House, login string, calls map[string]any) {
	h.Helper()
	var found struct{ Items []struct{ ID, Login string } }
	h.Do("GET", "/users", nil, &found)
	for _, u := range found.Items {
		if u.Login == login {
			h.Do("PATCH", "/users/"+u.ID, map[string]any{"calls": calls}, nil)
		}
	}
}

// Where her calls go when she does not take them.
func TestForwards(t *testing.T) {
	h := house.Start(t, func(c *config.Config) { c.Site.RingFor = time.Second })
	h.AddUser("ana", "+34910000001")
	h.AddUser("bo", "1002")
	tel, desk, colleague := h.Carrier("udp", "PCMA"), h.Browser("Desk"), h.Browser("Colleague")
	identify(h, colleague, "bo")
	call := func() *carrier.Call {
		c, err := tel.Call(h.Within(), "+4930123456", "+34910000001", carrier.CallOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	echoed := func(c *carrier.Call) {
		t.Helper()
		if err := c.WaitAnswered(h.Within()); err != nil {
			t.Fatal(err)
		}
		c.PlayTone(700)
		wait(h, c, "the echo", func() bool { return pcm.Hears(tail(c.Heard()), 700) })
		c.Hangup()
		awaitEnd(h, c)
	}

	set(h, "ana", map[string]any{"forwardNotSignedIn": echoes})
	echoed(call())

	identify(h, desk, "ana")
	set(h, "ana", map[string]any{"forwardNoAnswer": echoes})
	c := call()
	ring, err := desk.WaitRing(h.Within())
	if err != nil {
		t.Fatal(err)
	}
	echoed(c)
	awaitEnd(h, ring.Call)

	set(h, "ana", map[string]any{"forwardBusy": "1002"})
	c = call()
	if ring, err = desk.WaitRing(h.Within()); err != nil {
		t.Fatal(err)
	}
	ring.Refuse(486, "Busy Here")
	if ring, err = colleague.WaitRing(h.Within()); err != nil {
		t.Fatal(err)
	}
	at, err := ring.Answer(h.Within())
	if err != nil {
		t.Fatal(err)
	}
	at.PlayTone(1000)
	hears(h, c, 1000)
	c.Hangup()
	awaitEnd(h, c)

	set(h, "ana", map[string]any{"doNotDisturb": true, "forwardBusy": ""})
	c = call()
	awaitEnd(h, c)
	if status, _ := c.Status(); status != 486 {
		t.Errorf("do not disturb: %d", status)
	}
	h.Last(4)
	h.NothingLeft()
}
