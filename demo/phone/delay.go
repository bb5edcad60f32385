package phone

import (
	"context"
	"time"

	"github.com/roamline/roamline/demo/media"
	"github.com/roamline/roamline/demo/pcm"
)

// marker is what Delay sends: a sound that is like nothing else.
var marker = pcm.Chirp(200 * time.Millisecond)

// Delay measures how long a sound takes from one call to another of the same
// process: from the sending of the packet that begins a marker to the arrival
// of the packet in which it is found. What from played before is replaced.
func Delay(ctx context.Context, from, to *Call) (time.Duration, error) {
	there := len(to.Heard())
	p := from.Play(marker)
	if p == nil || to.Voice() == nil {
		return 0, ErrNotRinging
	}
	var delay time.Duration
	find := func() bool { return findMarker(p, to.Voice(), there, &delay) }
	err := to.Wait(ctx, "the marker", find)
	return delay, err
}

// findMarker looks into what was heard after sample there.
func findMarker(p *media.Playback, v *media.Session, there int, delay *time.Duration) bool {
	began := p.Began()
	heard := v.Heard()
	if began.IsZero() || len(heard) < there+len(marker)+pcm.Frame {
		return false
	}
	at, likeness := pcm.Find(heard[there:min(len(heard), there+3*pcm.Rate)], marker)
	if likeness < 0.5 {
		return false
	}
	arrived, ok := v.Arrived(there + at + pcm.Frame/2) // well inside the marker's first packet
	*delay = arrived.Sub(began)
	return ok && *delay >= 0
}
