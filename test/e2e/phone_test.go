package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/roamline/roamline/config"
	"github.com/roamline/roamline/demo/carrier"
	"github.com/roamline/roamline/demo/pcm"
	"github.com/roamline/roamline/test/house"
)

const (
	number = "+34910000001"
	echo   = "+34911000001" // the carrier gives back what it hears
	digest = "of-the-ward-s-phone"
)

// ward adds a phone with a digest credential where ana is, and a carrier.
func ward(t *testing.T, change func(*config.Config)) (*house.House, *carrier.Carrier) {
	t.Helper()
	h := house.Start(t, change)
	h.AddUser("ana", number)
	h.AddPhone("Ward", "ward", digest)
	tel := h.Carrier("udp", "PCMA")
	h.Put("ana", "Ward")
	return h, tel
}

func reached(h *house.House, name string) bool {
	h.Helper()
	var client struct{ Reached bool }
	h.Do("GET", "/clients/"+h.ClientID(name), nil, &client)
	return client.Reached
}

// A phone that has never heard of us registers with its digest credential, and
// is a client like any other.
func TestAPhoneIsAClient(t *testing.T) {
	for _, row := range []struct {
		way, codec, named, more string
	}{
		{"udp", "PCMA/8000/1", "PCMA", ""},
		{"tcp", "PCMU/8000/1", "PCMU", ""},
		{"tls", "opus/48000/2", "opus", ";mediaenc=srtp-mand"},
	} {
		t.Run(row.way, func(t *testing.T) {
			h, tel := ward(t, func(c *config.Config) { c.SIP.TLS = netip.MustParseAddrPort("127.0.0.1:0") })
			on := line{
				at: house.FreePort(t), codec: row.codec, user: "ward", host: h.SIP(row.way) + ";transport=" + row.way,
				account: ";auth_user=ward;auth_pass=" + digest + row.more,
			}

			waits := on
			waits.account += ";answermode=auto"
			phone := start(t, waits, 1000)
			h.Until("the phone is registered", func() bool { return reached(h, "Ward") })
			called, err := tel.Call(h.Within(), "+4930123456", number, carrier.CallOptions{})
			ok(t, err)
			ok(t, called.WaitAnswered(h.Within()))
			called.PlayTone(440)
			ok(t, called.Wait(h.Within(), "the phone's tone", func() bool { return pcm.Hears(called.Heard(), 1000) }))
			h.Until("the phone has listened", phone.listened)
			called.Hangup()
			if r := h.Last(1); r.Cause != "normal" || r.EndedBy != "caller" || r.Legs[1].Voice.Codec != row.named {
				t.Errorf("record %+v", r)
			}
			phone.hears(440)
			h.Until("the phone has taken its leave", func() bool { return !reached(h, "Ward") })

			dials := on
			dials.account += ";regint=0"
			dials.run = "/dial " + echo
			phone = start(t, dials, 1000)
			h.Until("the echo", func() bool { return pcm.Hears(phone.recorded(), 1000) })
			phone.hears(1000)
			if r := h.Last(2); r.Direction != "outbound" || r.EndedBy != "caller" || r.From.Number != number {
				t.Errorf("record %+v", r)
			}
			h.NothingLeft()
		})
	}
}

// A page that is not ours, with JsSIP, at an origin that the administrator
// allows, does the same over WebSocket.
func TestAPageOfOthersIsAClient(t *testing.T) {
	pages := httptest.NewServer(theirs(t))
	t.Cleanup(pages.Close)
	web := browse(t, 1000)
	h, tel := ward(t, func(c *config.Config) { c.HTTP.Origins = []string{pages.URL} })
	web.do("visit", command{"desk": "ward", "url": pages.URL}, nil)
	web.do("register", command{"desk": "ward", "server": "ws" + strings.TrimPrefix(h.URL(), "http") + "/sip", "user": "ward", "password": digest}, nil)
	h.Until("the page is registered", func() bool { return reached(h, "Ward") })

	called, err := tel.Call(h.Within(), "+4930123456", number, carrier.CallOptions{})
	ok(t, err)
	ok(t, called.WaitAnswered(h.Within()))
	called.PlayTone(440)
	web.do("hears", command{"desk": "ward", "hz": 440}, nil)
	ok(t, called.Wait(h.Within(), "the page's tone", func() bool { return pcm.Hears(called.Heard(), 1000) }))
	called.Hangup()
	if r := h.Last(1); r.Cause != "normal" || r.EndedBy != "caller" {
		t.Errorf("record %+v", r)
	}
	h.NothingLeft()
}

// theirs is somebody's web phone: a page with JsSIP and an element for the
// voice.
func theirs(t *testing.T) http.Handler {
	t.Helper()
	script := filepath.Join(t.TempDir(), "jssip.js")
	bundle := exec.Command("node_modules/.bin/rolldown", "jssip", "--format", "iife", "--name", "JsSIP", "--file", script)
	bundle.Dir = "../../ui"
	out, err := bundle.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	code, err := os.ReadFile(script)
	ok(t, err)
	m := http.NewServeMux()
	m.HandleFunc("/jssip.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		w.Write(code)
	})
	m.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte(`<!doctype html><title>A phone</title><audio autoplay data-testid="far-voice"></audio><script src="/jssip.js"></script>`))
	})
	return m
}

// A call walks from a desk phone to a browser and back.
func TestACallGoesFromAPhoneToAPageAndBack(t *testing.T) {
	h, tel := ward(t, nil)
	phone := start(t, line{
		at: house.FreePort(t), codec: "PCMA/8000/1", user: "ward", host: h.SIP("udp"),
		account: ";answermode=auto;auth_user=ward;auth_pass=" + digest,
	}, 1600)
	h.Until("the phone is registered", func() bool { return reached(h, "Ward") })
	web := browse(t, 1000)
	web.do("open", command{"desk": "desk", "url": h.URL()}, nil)
	h.AdmitNext("desk")
	h.Until("the desk can be called", func() bool { return reached(h, "desk") })

	called, err := tel.Call(h.Within(), "+4930123456", number, carrier.CallOptions{})
	ok(t, err)
	ok(t, called.WaitAnswered(h.Within()))
	called.PlayTone(440)
	ok(t, called.WaitTone(h.Within(), 1600))

	web.do("signInTo", command{"desk": "desk", "name": "ana", "password": house.Password, "until": "Hang up"}, nil)
	web.do("hears", command{"desk": "desk", "hz": 440}, nil)
	ok(t, called.WaitTone(h.Within(), 1000))

	h.Put("ana", "Ward")
	web.do("ended", command{"desk": "desk"}, nil)
	ok(t, called.WaitTone(h.Within(), 1600))
	called.Hangup()
	if r := h.Last(1); r.Cause != "normal" || r.EndedBy != "caller" || len(r.Legs) != 4 {
		t.Errorf("record %+v", r)
	}
	phone.hears(440)
	h.NothingLeft()
}
