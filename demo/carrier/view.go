package carrier

import (
	"time"

	"github.com/roamline/roamline/demo/media"
	"github.com/roamline/roamline/demo/phone"
)

// A View is a call as the demonstration's page shows it.
type View struct {
	ID       string        `json:"id"`
	From     phone.Party   `json:"from"`
	To       phone.Party   `json:"to"`
	Incoming bool          `json:"incoming"` // somebody calls a Line
	State    string        `json:"state"`    // "calling", "ringing", "talking", "ended"
	Status   int           `json:"status"`   // SIP; 0 before the first answer
	Reason   string        `json:"reason"`
	Placed   time.Time     `json:"placed"`
	Seconds  int           `json:"seconds"` // since it was answered, or how long it lasted
	Hearing  float64       `json:"hearing"` // level of the last 200 ms heard, 0 to 1
	Digits   string        `json:"digits,omitempty"`
	Held     bool          `json:"held"`
	Voice    media.Figures `json:"voice"`
}

// Calls returns the running calls and the last ended ones, newest first.
func (c *Carrier) Calls() []View {
	c.mu.Lock()
	all := append([]*entry(nil), c.record...)
	c.mu.Unlock()
	out := make([]View, 0, len(all))
	for i := len(all) - 1; i >= 0; i-- {
		out = append(out, view(all[i]))
	}
	return out
}

func view(e *entry) View {
	call := e.call
	times := call.Times()
	v := View{ID: e.id, From: call.From, To: call.To, Incoming: call.Incoming, Placed: times.Placed, State: "calling",
		Digits: call.Digits(), Held: call.Held(), Voice: call.Figures()}
	v.Status, v.Reason = call.Status()
	end := time.Now()
	switch {
	case !times.Ended.IsZero():
		v.State, end = "ended", times.Ended
	case !times.Answered.IsZero():
		v.State = "talking"
		if voice := call.Voice(); voice != nil {
			v.Hearing = voice.Level()
		}
	case !times.Rang.IsZero():
		v.State = "ringing"
	}
	if !times.Answered.IsZero() {
		v.Seconds = int(end.Sub(times.Answered) / time.Second)
	}
	return v
}

// Find returns the call with the identifier that View showed.
func (c *Carrier) Find(id string) (*Call, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.record {
		if e.id == id {
			return e.call, true
		}
	}
	return nil, false
}

// ID returns the identifier of a call, as View shows it; empty if forgotten.
func (c *Carrier) ID(call *Call) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.record {
		if e.call == call {
			return e.id
		}
	}
	return ""
}
