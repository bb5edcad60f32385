// Bench measures the real server from outside: it runs `roamline serve` as a
// process of its own on loopback with a temporary data folder, puts users,
// phones and a trunk there through the administrator's socket, and prints one
// table for comparison with other versions on the same machine.
//
//	go run ./test/bench
//
// It must be started in the repository, whose program it builds. The row on
// relayed packets needs a load generator: the environment's ROAMLINE_LOADGEN
// names its program or the folder of its source; else ../shared/bench is tried.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const (
	buildLimit = 3 * time.Minute // for both programs, with empty caches
	limit      = 2 * time.Minute // for all that is measured
)

// A plan says how much is measured.
type plan struct {
	users    int           // each at a client of her own; so many calls at once
	rate     int           // calls and bindings offered a second
	bindings int           // in all
	rung     int           // calls that ring and are cancelled
	answered int           // calls that are answered, voice and all
	slower   int           // of those, a second
	voice    time.Duration // for which packets are relayed and counted
}

func main() {
	p := plan{}
	flag.IntVar(&p.users, "users", 100, "users, clients, and calls at once (at most 1000)")
	flag.IntVar(&p.rate, "rate", 100, "calls that ring, and bindings, offered a second")
	flag.IntVar(&p.bindings, "bindings", 1000, "bindings in all")
	flag.IntVar(&p.rung, "rung", 1000, "calls that ring and are cancelled, in all")
	flag.IntVar(&p.answered, "answered", 200, "calls that are answered, in all")
	flag.IntVar(&p.slower, "answered-rate", 20, "calls that are answered, offered a second")
	flag.DurationVar(&p.voice, "voice", 10*time.Second, "how long relayed packets are counted")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, p, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// run measures and prints the table; what it does meanwhile goes to progress.
func run(ctx context.Context, p plan, out, progress io.Writer) (err error) {
	if p.users < 1 || p.users > 1000 || min(p.rate, p.bindings, p.rung, p.answered, p.slower) < 1 {
		return fmt.Errorf("all counts must be at least 1, and -users at most 1000")
	}
	dir, err := os.MkdirTemp("", "roamline-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	say := func(f string, a ...any) { fmt.Fprintf(progress, f+"\n", a...) }

	say("building")
	building, cancel := context.WithTimeout(ctx, buildLimit)
	defer cancel()
	binary, err := buildServer(building, dir)
	if err != nil {
		return err
	}
	generator, missing := findGenerator(building, dir)

	ctx, cancel = context.WithTimeout(ctx, limit)
	defer cancel()
	s, err := startServer(ctx, binary, dir)
	if err != nil {
		return err
	}
	defer func() {
		if stopped := s.stop(); err == nil {
			err = stopped
		}
		if err != nil {
			err = fmt.Errorf("%w%s", err, s.lastWords())
		}
	}()
	say("adding %d users, phones and a trunk", p.users)
	h, err := furnish(ctx, s, p.users)
	if err != nil {
		return err
	}
	defer h.close()
	t := table{}
	if err := measure(ctx, h, p, &t, say); err != nil {
		return err
	}
	switch {
	case generator == "":
		say("no load generator, so no row on relayed packets: %s", missing)
	default:
		say("relaying %d calls for %v", p.users, p.voice)
		if err := relay(ctx, h, generator, dir, p, &t); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, strings.Join(machine(), "\n"))
	return t.print(out)
}

// measure is all that needs no load generator.
func measure(ctx context.Context, h *house, p plan, t *table, say func(string, ...any)) error {
	say("%d bindings, %d a second", p.bindings, p.rate)
	if err := bindings(ctx, h, p, t); err != nil {
		return err
	}
	say("%d phones register", p.users)
	if err := h.register(ctx); err != nil {
		return err
	}
	defer h.hangUp()
	say("%d calls ring, %d a second", p.rung, p.rate)
	if err := ringing(ctx, h, p, t); err != nil {
		return err
	}
	say("%d calls are answered, %d a second", p.answered, p.slower)
	return answering(ctx, h, p, t)
}
