package peers

import (
	"testing"

	"github.com/roamline/roamline/test/house"
)

// Killed with a call up and one filed, the server loses neither: the next start
// ends the orphan at the carrier, says so in its record, and still knows who is
// where.
func TestNothingIsLostByKill9(t *testing.T) {
	h := house.Run(t)
	h.AddUser("ana", "+34910000001")
	tel := h.Carrier("udp")
	desk := h.Browser("Desk 1")
	identify(h.House, desk, "ana")
	first, _ := talk(h.House, tel, "+34910000001", desk)
	first.Hangup()
	filed := h.Last(1)

	orphan, _ := talk(h.House, tel, "+34910000001", desk)
	h.Kill()
	h.Again()

	lost := h.Last(2)
	if lost.Cause != "server restarted" || lost.EndedBy != "server" {
		t.Errorf("the orphan's record: %+v", lost)
	}
	if all := h.Records(); all[1].ID != filed.ID || all[1].Cause != "normal" {
		t.Errorf("the filed record: %+v", all[1])
	}
	if err := orphan.WaitEnded(h.Within()); err != nil {
		t.Errorf("the carrier still talks to nobody: %v", err)
	}
	if orphan.EndedHere() {
		t.Error("the carrier hung up by itself")
	}
	var now struct{ Items []struct{ ClientID string } }
	h.Do("GET", "/bindings", nil, &now)
	if len(now.Items) != 1 {
		t.Errorf("who is where: %+v", now)
	}
}
