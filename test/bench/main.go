// Bench measures the real server from outside: it runs `roamline serve` as a
// process of its own on loopback with a temporary data folder, puts users,
// phones and a trunk there through the administrator's socket, and prints a
// table for comparison with other versions on the same machine. Then it runs
// rtpengine and the server in turns, each alone on one core with the load
// generator on another, and prints both side by side.
//
//	go run ./test/bench
//	go run ./test/bench -only relay -modes gcm -calls 200 -turns 3
//
// It must be started in the repository, whose program it builds. What has to do
// with relayed packets needs a load generator: the environment's
// ROAMLINE_LOADGEN names its program or the folder of its source; else
// ../shared/bench is tried. rtpengine is Debian's; without it we are measured
// alone.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	buildLimit = 3 * time.Minute // for both programs, with empty caches
	limit      = 5 * time.Minute // for all that is measured of the server by itself
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
	only     string        // "server", "relay", or empty: both
	contest  contest
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
	flag.StringVar(&p.only, "only", "", "server: by itself; relay: beside rtpengine; empty: both")
	c := &p.contest
	modes := flag.String("modes", "plain,sha80,gcm", "beside rtpengine: what is relayed")
	calls := flag.String("calls", "200,500", "beside rtpengine: calls at once (at most 500)")
	quanta := flag.String("quantum", "500us,100us", "beside rtpengine: the load generator's pacing, steady and bursty")
	flag.IntVar(&c.turns, "turns", 3, "beside rtpengine: turns of each, for each line")
	flag.IntVar(&c.rate, "set-up-rate", 100, "beside rtpengine: calls set up a second")
	flag.Float64Var(&c.seconds, "secs", 5, "beside rtpengine: seconds for which packets are counted in a turn")
	flag.StringVar(&c.raw, "raw", "", "beside rtpengine: a file to which all figures of each turn are added, a line of JSON each")
	flag.Parse()
	if err := c.read(*modes, *calls, *quanta); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, p, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// read takes the flags that are lists.
func (c *contest) read(modeList, calls, quanta string) error {
	for m := range strings.SplitSeq(modeList, ",") {
		if modes[m] == "" {
			return fmt.Errorf("-modes: %q is none of plain, sha80, gcm", m)
		}
		c.modes = append(c.modes, m)
	}
	for n := range strings.SplitSeq(calls, ",") {
		v, err := strconv.Atoi(n)
		if err != nil || v < 1 || v > 500 {
			return fmt.Errorf("-calls: %q is not 1 to 500", n)
		}
		c.calls = append(c.calls, v)
	}
	for q := range strings.SplitSeq(quanta, ",") {
		v, err := time.ParseDuration(q)
		if err != nil || v <= 0 {
			return fmt.Errorf("-quantum: %q is no duration", q)
		}
		c.quanta = append(c.quanta, v)
	}
	return nil
}

// run measures and prints the tables; what it does meanwhile goes to progress.
func run(ctx context.Context, p plan, out, progress io.Writer) error {
	if p.users < 1 || p.users > 1000 || min(p.rate, p.bindings, p.rung, p.answered, p.slower, p.contest.turns, p.contest.rate) < 1 || p.contest.seconds <= 0 {
		return fmt.Errorf("all counts must be at least 1, and -users at most 1000")
	}
	if p.only != "" && p.only != "server" && p.only != "relay" {
		return fmt.Errorf("-only is server or relay")
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
	if generator == "" {
		say("no load generator, so nothing on relayed packets: %s", missing)
	}
	t := table{}
	if p.only != "relay" {
		if err := byItself(ctx, p, dir, binary, generator, &t, say); err != nil {
			return err
		}
		fmt.Fprintln(out, strings.Join(append(machine(), "Server, callers and phones shared the cores."), "\n"))
		if err := t.print(out); err != nil {
			return err
		}
	}
	if p.only == "server" || generator == "" {
		return nil
	}
	a := &arena{contest: p.contest, dir: dir, generator: generator, binary: binary, say: say}
	var version string
	if a.rtpengine, version, err = findRtpengine(building, progress); err != nil {
		version = "no rtpengine"
		say("rtpengine cannot be had, so we are measured alone: %v", err)
	}
	fmt.Fprintf(out, "\n%s\nrtpengine / Roamline, medians of %d turns: %s, in user space with one media thread. Each had one core, and the load generator another.\n"+
		"Set-up: ours with SIP on both sides, rtpengine's without any. Delay: the slower direction, the generator's own included.\n",
		strings.Join(machine(), "\n"), p.contest.turns, version)
	return compare(ctx, a, out)
}

// byItself measures all but the comparison.
func byItself(ctx context.Context, p plan, dir, binary, generator string, t *table, say func(string, ...any)) (err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	s, err := startServer(ctx, binary, dir, anywhere)
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
	say("a call follows its person, %d times", walked+2*returned)
	if err := walking(ctx, s, t); err != nil {
		return err
	}
	say("adding %d users, phones and a trunk", p.users)
	h, err := furnish(ctx, s, p.users)
	if err != nil {
		return err
	}
	defer h.close()
	if err := measure(ctx, h, p, t, say); err != nil {
		return err
	}
	if generator == "" {
		return nil
	}
	say("relaying %d calls for %v", p.users, p.voice)
	return relay(ctx, h, generator, dir, p, t)
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
