package main

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/roamline/roamline/demo/carrier"
	"github.com/roamline/roamline/demo/client"
	"github.com/roamline/roamline/demo/media"
	"github.com/roamline/roamline/demo/phone"
)

// walked is how many moves, reloads and returns are measured.
const (
	walked   = 100
	returned = 20
)

// A walk is one call that follows its person between two desks.
type walk struct {
	*process
	carrier *carrier.Carrier
	desks   [2]*client.Client
	at      int // the desk where she is
	far     *carrier.Call
	here    *phone.Call // her end of it
}

const (
	walker   = "walker"
	password = "walks all day 7"
	hers     = "+34919999999"
)

// walking measures a call that goes along: how long the far end hears nothing
// in a move, in a reload, and how long she waits for her call.
func walking(ctx context.Context, s *process, t *table) error {
	w := &walk{process: s}
	defer w.close()
	if err := w.open(ctx); err != nil {
		return fmt.Errorf("moves: %w", err)
	}
	for _, m := range []struct {
		what, how string
		many      int
		do        func(context.Context) error
	}{
		{"move", "identified at another desk, by password", walked, w.move},
		{"reload", "the client registers anew, as a page does when it is loaded again", returned, w.reload},
		{"park and resume", "signed out, then identified at the other desk", returned, w.resume},
	} {
		var gaps, waits []time.Duration
		for range m.many {
			begun := time.Now()
			if err := m.do(ctx); err != nil {
				return fmt.Errorf("%s: %w", m.what, err)
			}
			voice, err := w.settled(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", m.what, err)
			}
			waits = append(waits, voice.Sub(begun))
			gaps = append(gaps, gap(w.far.Voice().Pieces(), begun))
		}
		t.add(m.what+": longest time without a packet at the far end, p50 / p99", halves(gaps), "%d times; %s", m.many, m.how)
		t.add(m.what+": until she hears, p50 / p99", halves(waits), "from the first request of the client")
	}
	w.far.Hangup()
	return w.far.WaitEnded(ctx)
}

// gap is the longest time between two packets since begun.
func gap(all []media.Piece, begun time.Time) (longest time.Duration) {
	i := slices.IndexFunc(all, func(p media.Piece) bool { return p.At.After(begun) })
	for i = max(i, 1); i < len(all); i++ {
		longest = max(longest, all[i].At.Sub(all[i-1].At))
	}
	return longest
}

// open makes the site, and the call.
func (w *walk) open(ctx context.Context) (err error) {
	if err := w.ask(ctx, "POST", "/users", map[string]any{"login": walker, "name": "Walker", "numbers": []string{hers}, "password": password}, nil); err != nil {
		return err
	}
	if w.carrier, err = carrier.Start(ctx, carrier.Options{Server: w.sip, Transport: "udp", Codecs: []string{"PCMA"}}); err != nil {
		return err
	}
	at := netip.MustParseAddrPort(w.carrier.Addr())
	if err := w.ask(ctx, "POST", "/trunks", map[string]any{"name": "walker's", "enabled": true,
		"gateways": []any{map[string]any{"host": at.Addr().String(), "port": at.Port(), "transport": "udp"}},
		"sources":  []any{map[string]any{"prefix": at.Addr().String() + "/32", "port": at.Port(), "transport": "udp"}}}, nil); err != nil {
		return err
	}
	for i := range w.desks {
		d, err := client.New(ctx, client.Options{Server: "http://" + w.http, Name: fmt.Sprintf("Desk %d", i)})
		if err != nil {
			return err
		}
		w.desks[i] = d
		if err := w.ask(ctx, "POST", "/clients/"+d.Self().ID+"/admit", map[string]any{}, nil); err != nil {
			return err
		}
		if err := d.Register(ctx); err != nil {
			return err
		}
	}
	if err := w.identify(ctx); err != nil {
		return err
	}
	if w.far, err = w.carrier.Call(ctx, "+4930123456", hers, carrier.CallOptions{}); err != nil {
		return err
	}
	if err := w.take(ctx); err != nil {
		return err
	}
	if err := w.far.WaitAnswered(ctx); err != nil {
		return err
	}
	w.far.PlayTone(440)
	_, err = w.settled(ctx)
	return err
}

func (w *walk) close() {
	for _, d := range w.desks {
		if d != nil {
			d.Close()
		}
	}
	if w.carrier != nil {
		w.carrier.Close()
	}
}

func (w *walk) identify(ctx context.Context) error {
	_, err := w.desks[w.at].Identify(ctx, walker, password)
	return err
}

// take answers what rings at her desk.
func (w *walk) take(ctx context.Context) error {
	ring, err := w.desks[w.at].WaitRing(ctx)
	if err != nil {
		return err
	}
	if w.here, err = ring.Answer(ctx); err != nil {
		return err
	}
	w.here.PlayTone(1000)
	return nil
}

func (w *walk) move(ctx context.Context) error {
	left := w.here
	w.at = 1 - w.at
	if err := w.identify(ctx); err != nil {
		return err
	}
	if err := w.take(ctx); err != nil {
		return err
	}
	return left.WaitEnded(ctx)
}

func (w *walk) reload(ctx context.Context) error {
	w.desks[w.at].Drop()
	if err := w.desks[w.at].Register(ctx); err != nil {
		return err
	}
	return w.take(ctx)
}

func (w *walk) resume(ctx context.Context) error {
	left := w.here
	if err := w.desks[w.at].SignOut(ctx); err != nil {
		return err
	}
	if err := left.WaitEnded(ctx); err != nil {
		return err
	}
	w.at = 1 - w.at
	if err := w.identify(ctx); err != nil {
		return err
	}
	return w.take(ctx)
}

// settled waits until both hear each other again, and a moment longer for what
// a switch may still hold back; it returns when she heard first.
func (w *walk) settled(ctx context.Context) (time.Time, error) {
	if err := w.here.WaitTone(ctx, 440); err != nil {
		return time.Time{}, err
	}
	have := len(w.far.Voice().Pieces())
	err := w.far.Wait(ctx, "more voice", func() bool { return len(w.far.Voice().Pieces()) >= have+10 })
	return w.here.Figures().First, err
}
