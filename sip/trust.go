package sip

import (
	"context"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
)

// A peer is who stands behind a flow: a trunk or a client; neither is a
// stranger.
type peer struct {
	trunk  *trunk
	client roamline.ClientID
}

func (p peer) known() bool { return p.trunk != nil || p.client != "" }

// known says whose requests come by f: a client's that registered over this
// very connection, or a trunk's by its addresses. A phone on UDP proves itself
// each time.
func (d *Door) known(f *flow) peer {
	if c := f.whose(); c != "" && d.registrar.has(c, f) {
		return peer{client: c}
	}
	if t := d.trunks.match(f); t != nil {
		return peer{trunk: t}
	}
	return peer{}
}

// prove checks credentials. No client: they are wrong; an error: nobody knows.
func (d *Door) prove(ctx context.Context, req *sip.Request, c credentials, token string, bearer bool) (roamline.ClientID, time.Time, bool, error) {
	if bearer {
		who, until, err := d.opt.Authority.Bearer(ctx, token)
		if err != nil && !refusal(err) {
			return "", time.Time{}, false, err
		}
		if err != nil || !until.After(time.Now()) {
			return "", time.Time{}, false, nil
		}
		return who, until, false, nil
	}
	who, ha1, err := d.opt.Authority.Digest(ctx, c.user, d.opt.Realm)
	if err != nil && !refusal(err) {
		return "", time.Time{}, false, err
	}
	if err != nil {
		who, ha1 = "", nil
	}
	ok, stale := d.digests.verify(c, string(req.Method), ha1)
	if !ok || who == "" {
		return "", time.Time{}, stale, nil
	}
	return who, time.Time{}, false, nil
}

// refusal reports whether an Authority said no, and not that it can't say.
func refusal(err error) bool {
	switch roamline.KindOf(err) {
	case roamline.NotFound, roamline.Unauthorized, roamline.Forbidden, roamline.Invalid:
		return true
	}
	return false
}

// speaks reports whether a request that came by f may speak in the leg's
// dialog: the tags match, and it comes by the dialog's flow, from the same
// trunk, or by another flow of the same client.
func (l *leg) speaks(f *flow, req *sip.Request) bool {
	l.lock()
	defer l.unlock()
	theirs := l.dialog.remoteTag()
	if from := tagOf(req.From()); theirs != from && theirs != "" {
		return false
	}
	if l.dialog.flow.same(f) {
		return true
	}
	if l.peer.trunk != nil {
		return l.door.trunks.match(f).same(l.peer.trunk)
	}
	c := f.whose()
	return c != "" && c == l.peer.client && l.door.registrar.has(c, f)
}

func (l *leg) remoteTag() string {
	l.lock()
	defer l.unlock()
	return l.dialog.remoteTag()
}
