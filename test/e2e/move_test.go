package e2e

import (
	"testing"
	"time"

	"github.com/roamline/roamline/test/house"
)

// desks is a site with a carrier and pages at two desks.
func desks(t *testing.T) (*house.House, *chromium, line) {
	t.Helper()
	h := house.Start(t, nil)
	h.AddUser("ana", number)
	at := house.FreePort(t)
	h.AddTrunk("carrier", at, "udp", nil)
	web := browse(t, 1000)
	for _, desk := range []string{"desk1", "desk2"} {
		web.do("open", command{"desk": desk, "url": h.URL()}, nil)
		h.AdmitNext(desk)
		h.Until(desk+" can be called", func() bool { return reached(h, desk) })
	}
	return h, web, caller(at, "PCMA/8000/1", "sip:"+number+"@"+h.SIP("udp"))
}

func signIn(web *chromium, desk string) {
	web.do("signIn", command{"desk": desk, "name": "ana", "password": house.Password}, nil)
}

// talk lets baresip call ana, who answers at a desk and hears it.
func talk(t *testing.T, web *chromium, desk string, far line) *baresip {
	t.Helper()
	b := start(t, far, 440)
	web.do("answer", command{"desk": desk}, nil)
	web.do("hears", command{"desk": desk, "hz": 440}, nil)
	return b
}

func TestATalkGoesAlong(t *testing.T) {
	h, web, far := desks(t)
	signIn(web, "desk1")
	carrier := talk(t, web, "desk1", far)

	begun := time.Now()
	web.do("signInTo", command{"desk": "desk2", "name": "ana", "password": house.Password, "until": "Hang up"}, nil)
	web.do("hears", command{"desk": "desk2", "hz": 440}, nil)
	t.Logf("from signing in to hearing, at another desk: %v", time.Since(begun))
	web.do("ended", command{"desk": "desk1"}, nil)
	web.do("says", command{"desk": "desk2", "text": "Moved here from desk1"}, nil)
	h.Until("baresip has listened", carrier.listened)

	begun = time.Now()
	web.do("reload", command{"desk": "desk2", "until": "Hang up"}, nil)
	web.do("hears", command{"desk": "desk2", "hz": 440}, nil)
	t.Logf("from reloading the page to hearing: %v", time.Since(begun))

	web.do("signOut", command{"desk": "desk2"}, nil)
	web.do("ended", command{"desk": "desk2"}, nil)
	web.do("signInTo", command{"desk": "desk1", "name": "ana", "password": house.Password, "until": "Hang up"}, nil)
	web.do("hears", command{"desk": "desk1", "hz": 440}, nil)

	web.do("hangUp", command{"desk": "desk1"}, nil)
	carrier.hears(1000)
	if r := h.Last(1); r.Cause != "normal" || r.EndedBy != "callee" || len(r.Legs) != 5 {
		t.Errorf("record %+v", r)
	}
	h.NothingLeft()
}

func TestRingingGoesAlong(t *testing.T) {
	h, web, far := desks(t)
	signIn(web, "desk1")
	start(t, far, 440)
	web.do("rung", command{"desk": "desk1"}, nil)
	web.do("reload", command{"desk": "desk1", "until": "Answer"}, nil)
	web.do("signInTo", command{"desk": "desk2", "name": "ana", "password": house.Password, "until": "Answer"}, nil)
	web.do("answer", command{"desk": "desk2"}, nil)
	web.do("hears", command{"desk": "desk2", "hz": 440}, nil)
	web.do("hangUp", command{"desk": "desk2"}, nil)
	if r := h.Last(1); r.Cause != "normal" || r.EndedBy != "callee" {
		t.Errorf("record %+v", r)
	}
	h.NothingLeft()
}
