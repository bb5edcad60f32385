package web

import (
	"time"

	"github.com/roamline/roamline"
)

// What records look like in JSON. Nothing here ever holds a secret.

type partyJSON struct {
	Number  string `json:"number" doc:"Empty if withheld."`
	Name    string `json:"name"`
	Private bool   `json:"private,omitempty"`
}

func showParty(p roamline.Party) partyJSON {
	return partyJSON{Number: string(p.Number), Name: p.Name, Private: p.Private}
}

// known returns a pointer to t, or nil if it never happened.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

type bindingJSON struct {
	User       string    `json:"user"`
	UserName   string    `json:"userName"`
	Client     string    `json:"client"`
	ClientName string    `json:"clientName"`
	Method     string    `json:"method"`
	By         string    `json:"by,omitempty" doc:"The administrator who put the user there, or the name of the system outside that said so."`
	Since      time.Time `json:"since"`
}

func (n *names) binding(b roamline.Binding) bindingJSON {
	return bindingJSON{
		User: string(b.User), UserName: n.user(b.User),
		Client: string(b.Client), ClientName: n.client(b.Client),
		Method: string(b.Proof.Method), By: string(b.Proof.By), Since: b.Since,
	}
}

type figuresJSON struct {
	Codec       string     `json:"codec"`
	Transport   string     `json:"transport"`
	Received    uint64     `json:"received" doc:"Packets."`
	Sent        uint64     `json:"sent" doc:"Packets."`
	Lost        uint64     `json:"lost" doc:"Packets of the far end that never came."`
	Discarded   uint64     `json:"discarded" doc:"Packets that were foreign or broken."`
	FarLost     uint64     `json:"farLost" doc:"Packets of ours that never came, as the far end reports."`
	JitterMs    float64    `json:"jitterMs"`
	FarJitterMs float64    `json:"farJitterMs"`
	RoundTripMs float64    `json:"roundTripMs" doc:"0: never measured."`
	FirstVoice  *time.Time `json:"firstVoice,omitempty"`
	LastVoice   *time.Time `json:"lastVoice,omitempty"`
}

func showFigures(f roamline.Figures) figuresJSON {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return figuresJSON{
		Codec: f.Codec, Transport: string(f.Transport),
		Received: f.Received, Sent: f.Sent, Lost: f.Lost, Discarded: f.Discarded, FarLost: f.FarLost,
		JitterMs: ms(f.Jitter), FarJitterMs: ms(f.FarJitter), RoundTripMs: ms(f.RoundTrip),
		FirstVoice: known(f.FirstVoice), LastVoice: known(f.LastVoice),
	}
}

type legJSON struct {
	ID         string       `json:"id"`
	State      string       `json:"state" enum:"calling,ringing,up,ending,ended"`
	Client     string       `json:"client,omitempty"`
	ClientName string       `json:"clientName,omitempty"`
	Trunk      string       `json:"trunk,omitempty"`
	TrunkName  string       `json:"trunkName,omitempty"`
	Number     string       `json:"number,omitempty" doc:"Dialled through the trunk."`
	User       string       `json:"user,omitempty"`
	UserName   string       `json:"userName,omitempty"`
	Inward     bool         `json:"inward" doc:"It was offered to the server; else the server called."`
	Ready      bool         `json:"ready" doc:"Its voice path carries."`
	Held       bool         `json:"held" doc:"Its far end put the call on hold."`
	Codec      string       `json:"codec,omitempty"`
	Cause      string       `json:"cause,omitempty"`
	Figures    *figuresJSON `json:"figures,omitempty"`
}

type callJSON struct {
	ID           string     `json:"id"`
	State        string     `json:"state" enum:"routing,ringing,joining,talking,parked,announcing,ending,over"`
	Direction    string     `json:"direction" enum:"inbound,outbound,internal,transit" doc:"Seen from the site."`
	From         partyJSON  `json:"from"`
	To           string     `json:"to"`
	User         string     `json:"user,omitempty" doc:"Whose number was called."`
	UserName     string     `json:"userName,omitempty"`
	CallerBy     string     `json:"callerBy,omitempty" doc:"Which of the site's people calls."`
	CallerByName string     `json:"callerByName,omitempty"`
	Emergency    bool       `json:"emergency"`
	Legs         []legJSON  `json:"legs" nullable:"false"`
	CallerLeg    string     `json:"callerLeg,omitempty"`
	CalleeLeg    string     `json:"calleeLeg,omitempty"`
	Cause        string     `json:"cause,omitempty"`
	Offered      time.Time  `json:"offered"`
	Rang         *time.Time `json:"rang,omitempty"`
	Answered     *time.Time `json:"answered,omitempty"`
	Ended        *time.Time `json:"ended,omitempty"`
}

func (n *names) call(v roamline.CallView) callJSON {
	c := v.Call
	j := callJSON{
		ID: string(c.ID), State: string(c.State), Direction: string(directionOf(c)),
		From: showParty(c.From), To: string(c.To),
		User: string(c.User), UserName: n.user(c.User),
		CallerBy: string(c.CallerBy), CallerByName: n.user(c.CallerBy),
		Emergency: c.Emergency, CallerLeg: string(c.Caller), CalleeLeg: string(c.Callee),
		Cause: string(c.Cause), Legs: make([]legJSON, 0, len(c.Legs)),
		Offered: c.Offered, Rang: known(c.Rang), Answered: known(c.Answered), Ended: known(c.Ended),
	}
	for _, l := range c.Legs {
		leg := legJSON{
			ID: string(l.ID), State: string(l.State),
			Client: string(l.At.Client), ClientName: n.client(l.At.Client),
			Trunk: string(l.At.Trunk), TrunkName: n.trunk(l.At.Trunk), Number: string(l.At.Number),
			User: string(l.User), UserName: n.user(l.User),
			Inward: l.Inward, Ready: l.Ready, Held: l.Held, Cause: string(l.Cause),
		}
		if f, ok := v.Figures[l.ID]; ok {
			figures := showFigures(f)
			leg.Figures, leg.Codec = &figures, f.Codec
		}
		j.Legs = append(j.Legs, leg)
	}
	return j
}

// directionOf tells which way a running call goes. A call whose caller is
// known comes from inside; whose called user is known, stays inside.
func directionOf(c roamline.Call) roamline.CallDirection {
	inside := c.CallerBy != ""
	for _, l := range c.Legs {
		if l.ID == c.Caller && l.At.Client != "" {
			inside = true
		}
	}
	switch {
	case inside && c.User != "":
		return roamline.Within
	case inside:
		return roamline.Outbound
	case c.User != "":
		return roamline.Inbound
	}
	for _, l := range c.Legs {
		if l.ID != c.Caller && l.At.Trunk != "" {
			return roamline.ThroughUs
		}
	}
	return roamline.Inbound
}

type trunkStatusJSON struct {
	Trunk      string              `json:"trunk"`
	TrunkName  string              `json:"trunkName"`
	Registered bool                `json:"registered"`
	Error      string              `json:"error" doc:"Why not, in words; empty if all is well."`
	Since      time.Time           `json:"since"`
	Calls      int                 `json:"calls"`
	Gateways   []gatewayStatusJSON `json:"gateways" nullable:"false"`
}

type gatewayStatusJSON struct {
	Address     string     `json:"address"`
	Reachable   bool       `json:"reachable"`
	RoundTripMs int64      `json:"roundTripMs"`
	Checked     *time.Time `json:"checked,omitempty"`
}

func (n *names) trunkStatus(s roamline.TrunkStatus) trunkStatusJSON {
	j := trunkStatusJSON{
		Trunk: string(s.Trunk), TrunkName: n.trunk(s.Trunk), Registered: s.Registered, Error: s.Error,
		Since: s.Since, Calls: s.Calls, Gateways: make([]gatewayStatusJSON, 0, len(s.Gateways)),
	}
	for _, g := range s.Gateways {
		j.Gateways = append(j.Gateways, gatewayStatusJSON{
			Address: g.Address, Reachable: g.Reachable, RoundTripMs: g.RoundTrip.Milliseconds(), Checked: known(g.Checked),
		})
	}
	return j
}
