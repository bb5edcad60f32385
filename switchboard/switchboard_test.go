package switchboard

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/bus"
	"github.com/roamline/roamline/offer"
	"github.com/roamline/roamline/store/sqlite"
	"github.com/roamline/roamline/story"
)

// A desk is a switchboard with pretended doors, a real store and a real bus.
// Ana has 1001 and +34910000001, Bo 1002; desk1 and desk2 are admitted.
type desk struct {
	*testing.T
	*doors
	sig *signals
	sb  *Switchboard
	dir string
}

func open(t *testing.T, dir string, change func(*Options)) *desk {
	t.Helper()
	ctx := t.Context()
	st, err := sqlite.Open(ctx, filepath.Join(dir, "roamline.db"))
	ok(t, err)
	b, err := bus.Embedded(ctx, filepath.Join(dir, "bus"))
	ok(t, err)
	d := &desk{T: t, doors: newDoors(), dir: dir}
	d.sig = &signals{doors: d.doors, offers: map[roamline.LegID][]byte{}}
	o := Options{
		Site:  roamline.Site{Country: "ES", Emergency: []string{"112"}, Extensions: 5, RingFor: time.Minute, Grace: 20 * time.Millisecond},
		Store: st, Bus: b, Signals: d.sig, Voice: engine{d.doors}, Story: story.New(), Log: slog.New(slog.DiscardHandler),
		Prove: func(_ context.Context, c roamline.Claim) (roamline.Identification, error) {
			if c.Secret.Reveal() != "right" {
				return roamline.Identification{}, &roamline.Error{Op: "identify", Kind: roamline.Unauthorized}
			}
			return roamline.Identification{ID: "i", User: roamline.UserID(c.Login), Client: c.Client, Method: c.Method, At: c.At}, nil
		},
	}
	if change != nil {
		change(&o)
	}
	d.sb = New(o)
	d.sink = d.sb.Take
	ok(t, d.sb.Start(ctx))
	t.Cleanup(func() { d.shut() })
	return d
}

// shut stops the switchboard and closes what is under it, as the server does.
func (d *desk) shut() {
	if d.sb == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	d.sb.Stop(ctx)
	d.sb.Bus.Close()
	d.sb.Store.Close()
	d.sb = nil
}

func start(t *testing.T) *desk {
	d := open(t, t.TempDir(), nil)
	ctx := t.Context()
	for _, u := range []string{"ana", "bo"} {
		_, err := d.sb.Store.Users().Create(ctx, roamline.User{ID: roamline.UserID(u), Login: u, Name: strings.ToUpper(u[:1]) + u[1:]})
		ok(t, err)
	}
	for n, u := range map[roamline.Number]string{"1001": "ana", "+34910000001": "ana", "1002": "bo"} {
		_, err := d.sb.Store.Listings().Create(ctx, roamline.Listing{Number: n, To: roamline.Destination{Kind: roamline.ToUser, ID: u}})
		ok(t, err)
	}
	for _, c := range []roamline.Client{{ID: "desk1", State: roamline.Admitted}, {ID: "desk2", State: roamline.Admitted}, {ID: "new", State: roamline.Waiting}} {
		c.Name, c.Kind, c.Thumbprint = string(c.ID), roamline.Browser, string(c.ID)
		_, err := d.sb.Store.Clients().Create(ctx, c)
		ok(t, err)
	}
	_, err := d.sb.Store.Trunks().Create(ctx, roamline.Trunk{ID: "carrier", Name: "carrier", Enabled: true})
	ok(t, err)
	return d
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (d *desk) identify(user, client string) {
	d.Helper()
	_, err := d.sb.Identify(d.Context(), roamline.Claim{Client: roamline.ClientID(client), Method: roamline.ByPassword, Login: user, Secret: roamline.NewSecret("right"), At: time.Now()})
	ok(d.T, err)
}

// call offers a call by the trunk and returns its leg.
func (d *desk) call(number string) roamline.LegID {
	leg := roamline.LegID(roamline.NewID("l_"))
	d.mu.Lock()
	d.dialogs[leg] = true
	d.mu.Unlock()
	d.sb.Take(roamline.Offered{At: now(), Leg: leg, Path: roamline.Path{Trunk: "carrier", Voice: roamline.RTP}, From: roamline.Party{Number: "+4930"}, Dialed: number, SDP: trunkOffer()})
	return leg
}

// until waits until what was asked of the doors satisfies is.
func (d *desk) until(what string, is func() bool) {
	d.Helper()
	limit := time.After(10 * time.Second)
	for {
		d.mu.Lock()
		yes, asked := is(), slices.Clone(d.asked)
		d.mu.Unlock()
		if yes {
			return
		}
		select {
		case <-d.more:
		case <-time.After(5 * time.Millisecond): // not everything that is waited for is asked of a door
		case <-limit:
			d.Fatalf("never %s; asked: %q", what, asked)
		}
	}
}

func (d *desk) asks(what string) {
	d.Helper()
	d.until(what, func() bool { return slices.Contains(d.asked, what) })
}

func (d *desk) answer(leg roamline.LegID) {
	d.mu.Lock()
	sdp := d.sig.offers[leg]
	d.mu.Unlock()
	d.sb.Take(roamline.Progressed{At: now(), Leg: leg, Code: 180})
	d.sb.Take(roamline.Answered{At: now(), Leg: leg, SDP: answerTo(sdp)})
}

// talk makes a call to Ana and returns both legs.
func (d *desk) talk() (caller, callee roamline.LegID) {
	caller = d.call("+34910000001")
	callee = <-d.invited
	d.answer(callee)
	d.asks("accept")
	d.sb.Take(roamline.Confirmed{At: now(), Leg: caller})
	return caller, callee
}

// hungUp: a far end ends its leg.
func (d *desk) hungUp(leg roamline.LegID, why roamline.Cause) {
	d.mu.Lock()
	delete(d.dialogs, leg)
	d.mu.Unlock()
	d.sb.Take(roamline.HungUp{At: now(), Leg: leg, Cause: why})
}

// record waits for the only call's record.
func (d *desk) record() roamline.Record {
	d.Helper()
	var all []roamline.Record
	d.until("a record", func() bool {
		all, _ = d.sb.Store.Records(d.Context(), roamline.RecordQuery{})
		return len(all) == 1
	})
	return all[0]
}

// nothingLeft: no dialog, voice, call or snapshot.
func (d *desk) nothingLeft() {
	d.Helper()
	d.until("nothing left", func() bool {
		kept, _ := d.sb.Bus.Snapshots(d.Context())
		return len(d.dialogs) == 0 && len(d.voices) == 0 && len(d.sb.running()) == 0 && len(kept) == 0 && len(d.sb.legs) == 0
	})
}

func TestACallFindsThePerson(t *testing.T) {
	d := start(t)
	d.identify("ana", "desk1")
	caller, callee := d.talk()
	d.asks("invite desk1")
	d.mu.Lock()
	if d.joined[caller] != callee {
		t.Errorf("the caller is joined to %q", d.joined[caller])
	}
	d.mu.Unlock()
	d.hungUp(caller, roamline.Normal)
	r := d.record()
	if r.Cause != roamline.Normal || r.EndedBy != "caller" || r.User != "ana" || r.Answered.IsZero() || len(r.Legs) != 2 || r.Legs[1].Voice.Received != 100 {
		t.Errorf("record %+v", r)
	}
	d.nothingLeft()
}

func TestTheNextCallRingsWhereSheIsNow(t *testing.T) {
	d := start(t)
	d.identify("ana", "desk1")
	d.identify("ana", "desk2")
	d.call("1001")
	d.asks("invite desk2")
	if at, there := d.sb.At("desk1"); there {
		t.Errorf("still at desk1: %+v", at)
	}
	var stays []roamline.Stay
	d.until("the history", func() bool {
		stays, _ = d.sb.Store.Stays(t.Context(), roamline.StayQuery{User: "ana"})
		return len(stays) == 2
	})
	if stays[0].Binding.Client != "desk2" || !stays[0].Until.IsZero() || stays[1].Reason != roamline.MovedOn {
		t.Errorf("history %+v", stays)
	}
}

func TestRefusals(t *testing.T) {
	for _, row := range []struct {
		rule, number string
		here         bool
		far          func(d *desk, caller, callee roamline.LegID)
		hangup       string
		cause        roamline.Cause
	}{
		{"nobody bound", "1001", false, nil, "hangup not signed in", roamline.NotThere},
		{"unknown number", "1999", true, nil, "hangup unknown number", roamline.UnknownNumber},
		{"she declines", "1001", true, func(d *desk, _, callee roamline.LegID) {
			d.hungUp(callee, roamline.Declined)
		}, "hangup declined", roamline.Declined},
		{"the caller gives up", "1001", true, func(d *desk, caller, _ roamline.LegID) {
			d.hungUp(caller, roamline.Cancelled)
		}, "hangup cancelled", roamline.Cancelled},
		{"an answer without a common codec", "1001", true, func(d *desk, _, callee roamline.LegID) {
			d.sb.Take(roamline.Answered{At: now(), Leg: callee, SDP: []byte("nonsense")})
		}, "hangup no common codec", roamline.Incompatible},
		{"no ACK", "1001", true, func(d *desk, caller, callee roamline.LegID) {
			d.answer(callee)
			d.asks("accept")
			d.hungUp(caller, roamline.NotAcknowledged)
		}, "hangup not acknowledged", roamline.NotAcknowledged},
	} {
		t.Run(row.rule, func(t *testing.T) {
			d := start(t)
			if row.here {
				d.identify("ana", "desk1")
			}
			caller := d.call(row.number)
			if row.far != nil {
				row.far(d, caller, <-d.invited)
			}
			d.asks(row.hangup)
			if r := d.record(); r.Cause != row.cause {
				t.Errorf("cause %q, want %q", r.Cause, row.cause)
			}
			d.nothingLeft()
		})
	}
}

func TestHoldPlaysMusicToTheOtherSide(t *testing.T) {
	d := start(t)
	d.identify("ana", "desk1")
	_, callee := d.talk()
	hold := offer.New(endpoint(roamline.DTLS), 3).Offer([]roamline.Codec{roamline.PCMA}, roamline.SendOnly)
	d.sb.Take(roamline.Reoffered{At: now(), Leg: callee, SDP: hold})
	d.asks("play hold")
	d.asks("reanswer ")
	resume := offer.New(endpoint(roamline.DTLS), 3).Offer([]roamline.Codec{roamline.PCMA}, roamline.SendRecv)
	d.sb.Take(roamline.Reoffered{At: now(), Leg: callee, SDP: resume})
	d.asks("hush")
}

func TestAnAdmittedClientOnly(t *testing.T) {
	d := start(t)
	_, err := d.sb.Identify(t.Context(), roamline.Claim{Client: "new", Login: "ana", Secret: roamline.NewSecret("right")})
	if roamline.KindOf(err) != roamline.Forbidden {
		t.Errorf("a waiting client: %v", err)
	}
	_, err = d.sb.Identify(t.Context(), roamline.Claim{Client: "desk1", Login: "ana", Secret: roamline.NewSecret("wrong")})
	if roamline.KindOf(err) != roamline.Unauthorized {
		t.Errorf("a wrong secret: %v", err)
	}
}

func TestALostClientIsReleasedAfterGrace(t *testing.T) {
	d := start(t)
	d.sb.Take(roamline.Reached{At: now(), Client: "desk1"})
	d.identify("ana", "desk1")
	d.sb.Take(roamline.Lost{At: now(), Client: "desk1"})
	d.until("released", func() bool { _, there := d.sb.At("desk1"); return !there })
	var stays []roamline.Stay
	d.until("the history", func() bool {
		stays, _ = d.sb.Store.Stays(t.Context(), roamline.StayQuery{})
		return len(stays) == 1 && !stays[0].Until.IsZero()
	})
	if stays[0].Reason != roamline.ConnectionLost {
		t.Errorf("reason %q", stays[0].Reason)
	}
}

func TestWatchersGetThePresentThenChanges(t *testing.T) {
	d := start(t)
	d.identify("ana", "desk1")
	news := d.sb.Watch(t.Context())
	first, second := <-news, <-news
	if first.Kind != roamline.NewsBound || second.Kind != roamline.NewsReady {
		t.Fatalf("present: %v, %v", first.Kind, second.Kind)
	}
	d.identify("ana", "desk2")
	left, came := <-news, <-news
	if left.Kind != roamline.NewsReleased || left.Reason != roamline.MovedOn || left.By == nil || left.By.Client != "desk2" {
		t.Errorf("the old page was told %+v", left)
	}
	if came.Kind != roamline.NewsBound || came.Client != "desk2" {
		t.Errorf("the new page was told %+v", came)
	}
}

// A crash: the process is gone with a call up. The next start writes the
// record, tells both far ends, and still knows who is where.
func TestAfterACrash(t *testing.T) {
	d := start(t)
	d.identify("ana", "desk1")
	d.talk()
	d.until("the call's snapshot", func() bool {
		kept, _ := d.sb.Bus.Snapshots(t.Context())
		for _, s := range kept {
			if strings.Contains(string(s), `"Answered":"20`) {
				return true
			}
		}
		return false
	})
	// The old switchboard is left behind as it is: nothing more is done by it.
	dead := d.sb
	d.sb = nil
	dead.done()
	dead.who.stop()
	dead.work.Wait()
	ok(t, dead.Bus.Close())
	ok(t, dead.Store.Close())

	after := open(t, d.dir, func(o *Options) { o.Site.Grace = time.Hour })
	r := after.record()
	if r.Cause != roamline.Restarted || r.EndedBy != "server" || len(r.Legs) != 2 {
		t.Errorf("record %+v", r)
	}
	ends := []string{<-after.orphans, <-after.orphans}
	if ends[0] == ends[1] {
		t.Errorf("told twice: %q", ends)
	}
	if b, there := after.sb.At("desk1"); !there || b.User != "ana" {
		t.Error("the restart forgot who is where")
	}
	after.until("no snapshot left", func() bool {
		kept, _ := after.sb.Bus.Snapshots(t.Context())
		return len(kept) == 0
	})
}

func TestAStoppingServerRefusesAndCuts(t *testing.T) {
	d := start(t)
	d.identify("ana", "desk1")
	d.talk()
	ctx, cancel := context.WithCancel(t.Context())
	cut := make(chan int)
	go func() { cut <- d.sb.Stop(ctx) }()
	d.until("stopping", func() bool { return d.sb.stopping.Load() })
	d.call("1001")
	d.asks("hangup " + string(roamline.Shutdown))
	cancel()
	if n := <-cut; n != 1 {
		t.Errorf("%d calls were cut", n)
	}
}

func TestAnUnusedBindingEnds(t *testing.T) {
	d := open(t, t.TempDir(), func(o *Options) { o.Site.Idle = time.Hour })
	ctx := t.Context()
	_, err := d.sb.Store.Users().Create(ctx, roamline.User{ID: "ana", Login: "ana", Name: "Ana"})
	ok(t, err)
	for _, c := range []roamline.ClientID{"desk1", "desk2"} {
		_, err := d.sb.Store.Clients().Create(ctx, roamline.Client{ID: c, Name: string(c), Kind: roamline.Browser, State: roamline.Admitted, Thumbprint: string(c)})
		ok(t, err)
	}
	d.identify("ana", "desk1")
	use := func(at time.Time) {
		d.sb.who.mu.Lock()
		d.sb.who.used["desk1"] = at
		d.sb.who.mu.Unlock()
	}
	use(time.Now().Add(-59 * time.Minute))
	d.sb.who.unused()
	if _, there := d.sb.At("desk1"); !there {
		t.Error("ended a minute early")
	}
	use(time.Now().Add(-2 * time.Hour))
	d.sb.Touch("desk1")
	d.sb.who.unused()
	if _, there := d.sb.At("desk1"); !there {
		t.Error("ended though it was used")
	}
	use(time.Now().Add(-2 * time.Hour))
	d.sb.who.unused()
	if _, there := d.sb.At("desk1"); there {
		t.Error("not ended")
	}
}

// The door tells of lost clients while it closes, after the switchboard.
func TestNobodyIsExpectedBackAfterTheStop(t *testing.T) {
	d := start(t)
	d.sb.Take(roamline.Reached{At: now(), Client: "desk1"})
	d.identify("ana", "desk1")
	sb := d.sb
	d.shut()
	sb.Take(roamline.Lost{At: now(), Client: "desk1"})
	sb.who.mu.Lock()
	defer sb.who.mu.Unlock()
	if len(sb.who.leaving) != 0 {
		t.Error("a stopped switchboard waits for a client")
	}
}

func TestACallFollowsAndCanBeFetched(t *testing.T) {
	d := start(t)
	for _, c := range []roamline.ClientID{"desk1", "desk2"} {
		d.sb.Take(roamline.Reached{At: now(), Client: c})
	}
	d.identify("ana", "desk1")
	caller, _ := d.talk()
	id := d.sb.Calls()[0].Call.ID

	d.identify("ana", "desk2")
	first := <-d.invited
	d.asks("invite at once desk2")
	d.hungUp(first, roamline.Declined) // no microphone there
	if err := d.sb.Fetch(t.Context(), id, "desk1"); roamline.KindOf(err) != roamline.Conflict {
		t.Errorf("fetched where nobody is: %v", err)
	}
	if err := d.sb.Fetch(t.Context(), "k_other", "desk2"); roamline.KindOf(err) != roamline.NotFound {
		t.Errorf("fetched what is not there: %v", err)
	}
	ok(t, d.sb.Fetch(t.Context(), id, "desk2"))
	again := <-d.invited
	d.answer(again)
	d.sb.Take(roamline.FirstVoice{At: now(), Leg: again})
	d.asks("hangup elsewhere")
	d.mu.Lock()
	if d.joined[caller] != again {
		t.Errorf("the caller is joined to %q", d.joined[caller])
	}
	d.mu.Unlock()
	d.hungUp(caller, roamline.Normal)
	d.nothingLeft()
}
