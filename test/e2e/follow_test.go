// Package e2e tries the main job with peers that are not ours: baresip is the
// carrier, Chromium with the real page is the client.
package e2e

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/roamline/roamline/test/house"
	"github.com/roamline/roamline/ui"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheLineFollowsThePersonInARealBrowser(t *testing.T) {
	if _, built := ui.Pages(); !built {
		t.Fatal("the pages are not built: run make build first")
	}
	h := house.Start(t, nil)
	h.AddUser("ana", "+34910000001")
	at := house.FreePort(t)
	h.AddTrunk("carrier", at, "udp", nil)
	dialled := "sip:+34910000001@" + h.SIP("udp")
	web := browse(t, 1000)

	for i, desk := range []string{"desk1", "desk2"} {
		web.do("open", command{"desk": desk, "url": h.URL()}, nil)
		h.AdmitNext(desk)
		web.do("signIn", command{"desk": desk, "name": "ana", "password": house.Password}, nil)
		web.do("connected", command{"desk": desk}, nil)
		far := dial(t, at, dialled, 440)
		web.do("answer", command{"desk": desk}, nil)
		web.do("hears", command{"desk": desk, "hz": 440}, nil)
		if n := web.rings(desk); n != 1 {
			t.Errorf("%s rang %d times, not once", desk, n)
		}
		if n := web.rings("desk1"); n != 1 {
			t.Errorf("after call %d desk 1 has rung %d times, not once", i+1, n)
		}
		h.Until("baresip has listened", far.listened)
		web.do("hangUp", command{"desk": desk}, nil)
		r := h.Last(i + 1)
		far.hears(1000)
		if r.Cause != "normal" || r.EndedBy != "callee" || len(r.Legs) != 2 || r.Legs[0].Voice.Codec != "PCMA" {
			t.Errorf("record %+v", r)
		}
	}
	h.NothingLeft()
}
