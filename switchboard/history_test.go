package switchboard

import (
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/roamline/roamline"
)

// TestHistoriesLeaveNothing lets people come and go, call, answer, walk, be
// lost and hang up, in any order and as fast as it goes; then everybody hangs
// up, and nothing is left. ROAMLINE_HISTORIES says how many (make soak: 10000).
func TestHistoriesLeaveNothing(t *testing.T) {
	many := 100
	if s := os.Getenv("ROAMLINE_HISTORIES"); s != "" {
		n, err := strconv.Atoi(s)
		ok(t, err)
		many = n
	}
	d := start(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for n := range many {
		h := history{desk: d, rand: rand.New(rand.NewPCG(seed, uint64(n)))}
		for range 5 + h.rand.IntN(25) {
			h.happen()
		}
		h.end()
		if t.Failed() {
			t.Fatalf("history %d of seed %d", n, seed)
		}
	}
}

type history struct {
	*desk
	rand *rand.Rand
}

func pick[T any](h *history, all ...T) T { return all[h.rand.IntN(len(all))] }

// dialog returns a leg that has a dialog; empty if there is none.
func (h *history) dialog() roamline.LegID {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.dialogs) == 0 {
		return ""
	}
	return pick(h, slices.Sorted(maps.Keys(h.dialogs))...)
}

func (h *history) happen() {
	user, client := pick(h, "ana", "bo"), pick(h, "desk1", "desk2")
	switch h.rand.IntN(12) {
	case 0, 1:
		h.call(pick(h, "+34910000001", "1002", "1001"))
	case 2, 3:
		h.identify(user, client)
	case 4:
		h.release(roamline.ClientID(client))
	case 5:
		h.sb.Take(roamline.Reached{At: now(), Client: roamline.ClientID(client)})
	case 6:
		h.sb.Take(roamline.Lost{At: now(), Client: roamline.ClientID(client)})
	case 7, 8, 9:
		select {
		case leg := <-h.invited:
			h.answer(leg)
			h.sb.Take(roamline.FirstVoice{At: now(), Leg: leg})
		default:
		}
	case 10:
		if leg := h.dialog(); leg != "" {
			h.hungUp(leg, pick(h, roamline.Normal, roamline.Unreachable, roamline.Busy))
		}
	case 11:
		if leg := h.dialog(); leg != "" {
			h.sb.Take(pick[roamline.Event](h, roamline.VoiceGone{At: now(), Leg: leg, Cause: roamline.VoiceLost},
				roamline.Confirmed{At: now(), Leg: leg}, roamline.Progressed{At: now(), Leg: leg, Code: 180}))
		}
	}
}

// release signs whoever is at a client out, if the grace time was not quicker.
func (h *history) release(c roamline.ClientID) {
	if err := h.sb.Release(h.Context(), c, roamline.SignedOut); err != nil && roamline.KindOf(err) != roamline.NotFound {
		h.Error(err)
	}
}

// end hangs up whatever is left, signs everybody out, and looks.
func (h *history) end() {
	h.until("every dialog ended", func() bool {
		for leg := range h.dialogs {
			delete(h.dialogs, leg)
			h.sb.Take(roamline.HungUp{At: now(), Leg: leg, Cause: roamline.Normal})
		}
		return len(h.sb.running()) == 0
	})
	h.nothingLeft()
	for _, b := range h.sb.Bindings() {
		h.release(b.Client)
	}
	for {
		select {
		case <-h.invited:
			continue
		default:
		}
		return
	}
}
