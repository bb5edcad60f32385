package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// offered runs do n times, rate times a second, whether or not the earlier ones
// are done. It returns how many failed; more than one in a hundred is an error.
func offered(ctx context.Context, n, rate int, do func(i int) error) (failed int, err error) {
	var (
		mu    sync.Mutex
		first error
		work  sync.WaitGroup
	)
	begun := time.Now()
	for i := range n {
		select {
		case <-time.After(time.Until(begun.Add(time.Duration(i) * time.Second / time.Duration(rate)))):
		case <-ctx.Done():
			work.Wait()
			return 0, ctx.Err()
		}
		work.Go(func() {
			err := do(i)
			if err == nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if failed++; first == nil {
				first = err
			}
		})
	}
	work.Wait()
	if failed*100 > n {
		return failed, fmt.Errorf("%d of %d failed, the first: %w", failed, n, first)
	}
	return failed, nil
}

// A span is what the server did during a measurement.
type span struct {
	processor time.Duration
	counted   samples
	failed    int
	late      []time.Duration // see watch
}

// machine writes how late the machine itself was meanwhile.
func (s span) machine() string { return "a sleeper was late by " + halves(s.late) }

// per writes the processor time for each of n.
func (s span) per(n int) string {
	return fmt.Sprintf("%.2f ms", milliseconds(s.processor)/float64(n))
}

// during offers work and returns what the server did for it, until it had no
// call any more.
func during(ctx context.Context, h *house, n, rate int, do func(i int) error) (s span, err error) {
	before, err := h.metrics(ctx)
	if err != nil {
		return s, err
	}
	begun, err := processor(h.running.Process.Pid)
	if err != nil {
		return s, err
	}
	seen := watch()
	s.failed, err = offered(ctx, n, rate, do)
	if s.late = seen(); err != nil {
		return s, err
	}
	if err := h.quiet(ctx); err != nil {
		return s, err
	}
	ended, err := processor(h.running.Process.Pid)
	if err != nil {
		return s, err
	}
	s.processor = ended - begun
	after, err := h.metrics(ctx)
	s.counted = after.since(before)
	return s, err
}

// watch sleeps again and again until it is asked, and then says by how much it
// overslept: what is measured at the same time can't be quicker than that, and
// where it is much, others use the cores.
func watch() (late func() []time.Duration) {
	const nap = 5 * time.Millisecond
	stop, done := make(chan struct{}), make(chan struct{})
	var seen []time.Duration
	go func() {
		defer close(done)
		for {
			begun := time.Now()
			select {
			case <-stop:
				return
			case <-time.After(nap):
				seen = append(seen, time.Since(begun)-nap)
			}
		}
	}()
	return func() []time.Duration {
		close(stop)
		<-done
		return seen
	}
}

// bindings measures from proof to routable: an administrator's word is the
// proof, as it is for a password once that was checked.
func bindings(ctx context.Context, h *house, p plan, t *table) error {
	var (
		mu   sync.Mutex
		took []time.Duration
	)
	s, err := during(ctx, h, p.bindings, p.rate, func(i int) error {
		// Everybody moves to the next client: each time two bindings end.
		u := i % p.users
		begun := time.Now()
		err := h.put(ctx, u, (u+1+i/p.users)%p.users)
		mu.Lock()
		defer mu.Unlock()
		took = append(took, time.Since(begun))
		return err
	})
	if err != nil {
		return fmt.Errorf("bindings: %w", err)
	}
	t.add("proof to routable, p50 / p99", s.counted.halves("roamline_bind_seconds"),
		"at the server: buckets of roamline_bind_seconds, %.0f moves at %d a second", s.counted["roamline_bind_seconds_count"], p.rate)
	t.add("the same with HTTP and look-ups", halves(took), "PUT /clients/{id}/binding by the Unix socket, round trip; %d failed; %s", s.failed, s.machine())
	t.add("CPU per binding", s.per(p.bindings), "the server's user + system time")
	return h.home(ctx)
}

// ringing measures the way of an INVITE through the server.
func ringing(ctx context.Context, h *house, p plan, t *table) error {
	h.trunk.clock.reset()
	h.trunk.answer.Store(false)
	s, err := during(ctx, h, p.rung, p.rate, func(i int) error { return h.trunk.ring(ctx, i, i%p.users) })
	if err != nil {
		return fmt.Errorf("calls that ring: %w", err)
	}
	took, again := h.trunk.clock.read()
	if len(took) == 0 {
		return fmt.Errorf("calls that ring: no INVITE could be matched")
	}
	t.add("INVITE in to INVITE out, p50 / p99", halves(took),
		"seen from outside: UDP trunk sends, WebSocket phone has read; %d calls at %d a second, %d failed, %d sent again; %s",
		len(took), p.rate, s.failed, again, s.machine())
	t.add("the same at the server", s.counted.halves("roamline_route_seconds"), "buckets of roamline_route_seconds, %.0f calls", s.counted["roamline_route_seconds_count"])
	t.add("CPU per call that rings", s.per(p.rung), "INVITE, 180, CANCEL, 487 and the record; the server's user + system time")
	return nil
}

// answering measures what whole calls cost.
func answering(ctx context.Context, h *house, p plan, t *table) error {
	h.trunk.answer.Store(true)
	s, err := during(ctx, h, p.answered, p.slower, func(i int) error {
		return h.trunk.talk(ctx, p.rung+i, i%p.users)
	})
	if err != nil {
		return fmt.Errorf("calls that are answered: %w", err)
	}
	t.add("CPU per call set-up", s.per(p.answered),
		"INVITE to ICE, DTLS, 200, BYE and the record; %d calls at %d a second, %d failed; user + system time", p.answered, p.slower, s.failed)
	return nil
}
