package sip

import (
	"context"
	"encoding/json"
	"net/netip"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
)

// snapshotVersion is of the form below.
const snapshotVersion = 1

// seqGap is added to the CSeq of a snapshot, for the requests that were sent
// after it was written. Numbers need only grow (RFC 3261 section 12.2.1.1).
const seqGap = 1000

// A snapshot is a dialog written down.
type snapshot struct {
	Version   int               `json:"v"`
	CallID    string            `json:"callID"`
	Us        string            `json:"us"`   // with its tag
	Them      string            `json:"them"` // with its tag
	Target    string            `json:"target"`
	Routes    []string          `json:"routes,omitempty"`
	LocalSeq  uint32            `json:"localSeq"`
	RemoteSeq uint32            `json:"remoteSeq"`
	Contact   string            `json:"contact"`
	Host      string            `json:"host"`
	Port      int               `json:"port"`
	Transport string            `json:"transport"`
	Remote    string            `json:"remote"`
	Client    roamline.ClientID `json:"client,omitempty"`
	Trunk     roamline.TrunkID  `json:"trunk,omitempty"`
}

// Snapshot is the switchboard's Signals.
func (d *Door) Snapshot(id roamline.LegID) []byte {
	l, err := d.find("sip.Snapshot", id)
	if err != nil {
		return nil
	}
	defer l.unlock()
	if l.phase != phaseUp && l.phase != phaseAccepted {
		return nil
	}
	g := &l.dialog
	s := snapshot{Version: snapshotVersion, CallID: g.callID, Us: g.us.Value(), Them: g.them.Value(), Target: g.target.String(),
		LocalSeq: g.localSeq, RemoteSeq: g.remoteSeq, Contact: g.contact.String(), Host: g.at.host, Port: g.at.port,
		Transport: g.flow.transport, Remote: g.flow.remote.String(), Client: l.peer.client}
	for _, r := range g.routes {
		s.Routes = append(s.Routes, r.String())
	}
	if l.peer.trunk != nil {
		s.Trunk = l.peer.trunk.config().ID
	}
	b, err := json.Marshal(s)
	if err != nil {
		return nil
	}
	return b
}

// Orphan is the switchboard's Signals.
func (d *Door) Orphan(b []byte) error {
	const op = "sip.Orphan"
	var s snapshot
	if err := json.Unmarshal(b, &s); err != nil || s.Version != snapshotVersion {
		return &roamline.Error{Op: op, Kind: roamline.Invalid, Err: err}
	}
	g, err := s.dialog()
	if err != nil {
		return &roamline.Error{Op: op, Kind: roamline.Invalid, Of: s.CallID, Err: err}
	}
	ctx, cancel := context.WithTimeout(d.ctx, d.opt.OrphanWait)
	defer cancel()
	who := peer{client: s.Client, trunk: d.trunks.get(s.Trunk)}
	g.flow = d.flowOf(ctx, s)
	for g.flow == nil && s.Client == "" && pause(ctx, 20*time.Millisecond) { // its socket is not served yet
		g.flow = d.flowOf(ctx, s)
	}
	if g.flow == nil {
		return &roamline.Error{Op: op, Kind: roamline.Unavailable, Of: s.CallID, Err: errFlowClosed}
	}
	f := d.way(&g, who)
	g.at = d.siteFor(f, who.advertise())
	req := d.within(&g, sip.BYE, f)
	req.AppendHeader(sip.NewHeader("Reason", verdictOf(roamline.Restarted).reason))
	req.SetBody(nil)
	ctx, cancel = context.WithTimeout(d.ctx, d.late())
	defer cancel()
	for range 2 {
		res, err := d.ask(ctx, req, f)
		if err != nil {
			return fault1(op, s.CallID, err)
		}
		if res.StatusCode != 401 && res.StatusCode != 407 || who.trunk == nil {
			return nil // 481 too: the far end has no such dialog
		}
		if req, err = who.trunk.login().authorize(req, res, req.CSeq().SeqNo+1); err != nil {
			return fault1(op, s.CallID, err)
		}
	}
	return nil
}

// dialog reads what was written down.
func (s snapshot) dialog() (dialog, error) {
	g := dialog{callID: s.CallID, localSeq: s.LocalSeq + seqGap, remoteSeq: s.RemoteSeq}
	us, err := parseAddress(s.Us)
	if err != nil {
		return g, err
	}
	them, err := parseAddress(s.Them)
	if err != nil {
		return g, err
	}
	if g.us.Address, err = parseURI(us.uri); err != nil {
		return g, err
	}
	if g.them.Address, err = parseURI(them.uri); err != nil {
		return g, err
	}
	for _, p := range us.params {
		g.us.Params.Add(p.name, p.value)
	}
	for _, p := range them.params {
		g.them.Params.Add(p.name, p.value)
	}
	if g.target, err = parseURI(s.Target); err != nil {
		return g, err
	}
	if g.contact, err = parseURI(s.Contact); err != nil {
		return g, err
	}
	for _, r := range s.Routes {
		u, err := parseURI(r)
		if err != nil {
			return g, err
		}
		g.routes = append(g.routes, u)
	}
	return g, nil
}

// flowOf finds the way to the far end of a snapshot: the address of before over
// UDP, a new connection to a trunk, and to a client on a connection the one
// with which it comes back. nil if there is none in time.
func (d *Door) flowOf(ctx context.Context, s snapshot) *flow {
	remote, err := netip.ParseAddrPort(s.Remote)
	if err != nil {
		return nil
	}
	if s.Transport == "udp" || s.Client == "" {
		return d.flowTo(s.Transport, remote, "")
	}
	for {
		changed := d.registrar.wait()
		d.registrar.mu.Lock()
		live := d.registrar.live(s.Client)
		d.registrar.mu.Unlock()
		if len(live) > 0 {
			return live[0].flow
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil
		}
	}
}
