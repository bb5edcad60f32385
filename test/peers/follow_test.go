// Package peers tries the real server with real peers: calls are placed,
// answered, heard.
package peers

import (
	"testing"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/bus/bustest"
	"github.com/roamline/roamline/config"
	"github.com/roamline/roamline/demo/carrier"
	"github.com/roamline/roamline/demo/client"
	"github.com/roamline/roamline/demo/pcm"
	"github.com/roamline/roamline/store/storetest"
	"github.com/roamline/roamline/test/house"
)

// hears waits until a call has heard a tone.
func hears(h *house.House, c *carrier.Call, hz float64) {
	h.Helper()
	err := c.Wait(h.Within(), "a tone", func() bool { return pcm.Hears(tail(c.Heard()), hz) })
	if err != nil {
		h.Fatalf("%v Hz not heard: %v", hz, err)
	}
}

// tail is the last half second, so that what was said before does not count.
func tail(heard []int16) []int16 { return heard[max(0, len(heard)-4000):] }

// talk calls number from the carrier, lets the client answer, and listens both
// ways.
func talk(h *house.House, from *carrier.Carrier, number string, at *client.Client) (caller, callee *carrier.Call) {
	h.Helper()
	caller, err := from.Call(h.Within(), "+4930123456", number, carrier.CallOptions{Name: "Carla"})
	if err != nil {
		h.Fatal(err)
	}
	ring, err := at.WaitRing(h.Within())
	if err != nil {
		h.Fatal(err)
	}
	callee, err = ring.Answer(h.Within())
	if err != nil {
		h.Fatal(err)
	}
	if err := caller.WaitAnswered(h.Within()); err != nil {
		h.Fatal(err)
	}
	caller.PlayTone(440)
	callee.PlayTone(1000)
	hears(h, callee, 440)
	hears(h, caller, 1000)
	return caller, callee
}

func identify(h *house.House, at *client.Client, login string) {
	h.Helper()
	if _, err := at.Identify(h.Within(), login, house.Password); err != nil {
		h.Fatal(err)
	}
}

// The main job: a call finds the person, the person walks, the next call finds
// her there and only there.
func TestTheLineFollowsThePerson(t *testing.T) {
	for _, row := range []struct {
		rule      string
		transport string
		carrier   []string
		browser   []string
		codec     string
		change    func(*config.Config)
	}{
		{"over UDP, PCMA relayed", "udp", []string{"PCMA"}, nil, "PCMA", nil},
		{"over TCP, PCMU relayed", "tcp", []string{"PCMU"}, nil, "PCMU", nil},
		{"Opus relayed from end to end", "udp", []string{"opus"}, nil, "opus", nil},
		{"Opus in the browser, PCMA at the carrier: transcoded", "udp", []string{"PCMA"}, []string{"opus"}, "PCMA", nil},
		{"on PostgreSQL, with an external NATS", "udp", []string{"PCMA"}, nil, "PCMA", func(c *config.Config) {
			c.DatabaseURL = roamline.NewSecret(storetest.Postgres(t))
			c.NATSURL = roamline.NewSecret(bustest.Server(t))
		}},
	} {
		t.Run(row.rule, func(t *testing.T) {
			h := house.Start(t, row.change)
			h.AddUser("ana", "+34910000001", "1001")
			tel := h.Carrier(row.transport, row.carrier...)
			desk1, desk2 := h.Browser("Desk 1", row.browser...), h.Browser("Desk 2", row.browser...)

			identify(h, desk1, "ana")
			caller, _ := talk(h, tel, "+34910000001", desk1)
			caller.Hangup()
			r := h.Last(1)
			if r.Cause != "normal" || r.EndedBy != "caller" || r.Legs[0].Voice.Codec != row.codec {
				t.Errorf("record %+v", r)
			}

			identify(h, desk2, "ana")
			_, callee := talk(h, tel, "+34910000001", desk2)
			select {
			case <-desk1.Rings():
				t.Error("desk 1 rang too")
			default:
			}
			callee.Hangup()
			if r := h.Last(2); r.EndedBy != "callee" {
				t.Errorf("record %+v", r)
			}
			h.NothingLeft()
		})
	}
}
