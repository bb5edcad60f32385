package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"
)

// A contest says what is measured beside rtpengine, in turns.
type contest struct {
	modes   []string // "plain", "sha80", "gcm": what the far side of a call speaks
	calls   []int
	quanta  []time.Duration // the load generator's pacing
	turns   int             // of each system, for each line
	rate    int             // calls set up a second
	seconds float64         // for which packets are counted
	raw     string          // a file to which all that the generator says is added, or empty
}

// A load is one line of the table.
type load struct {
	mode    string
	calls   int
	quantum time.Duration
}

func (l load) String() string {
	return fmt.Sprintf("%s, %d calls, %v", modes[l.mode], l.calls, l.quantum)
}

// modes are the ways of speaking, as the table names them.
var modes = map[string]string{"plain": "RTP <-> RTP", "sha80": "RTP <-> DTLS-SRTP, SHA1-80", "gcm": "RTP <-> DTLS-SRTP, GCM"}

func (c contest) loads() (all []load) {
	for _, m := range c.modes {
		for _, n := range c.calls {
			for _, q := range c.quanta {
				all = append(all, load{m, n, q})
			}
		}
	}
	return all
}

// An arena is where the contest takes place.
type arena struct {
	contest
	dir       string
	generator string
	binary    string // ours
	rtpengine string // theirs; empty: we are measured alone
	server    int    // core
	loader    int    // core
	furnished *house // its data is the start of each turn of ours
	say       func(string, ...any)
}

// compare runs the contest and prints its table, also what there is of it when
// a turn fails.
func compare(ctx context.Context, a *arena, out io.Writer) (err error) {
	if a.server, a.loader, err = cores(); err != nil {
		return err
	}
	if err := a.furnish(ctx); err != nil {
		return err
	}
	defer a.furnished.close()
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer t.Flush()
	fmt.Fprintln(t, "CALLS OF\tCALLS\tTRAFFIC\tCPU us/PACKET\tRATIO\tLOSS %\tDELAY p50 us\tp99 us\tRSS kB/CALL\tMB IN ALL\tSET-UP CPU ms/CALL")
	memory := map[load][2]float64{}
	for _, l := range a.loads() {
		var theirs, ours []generated
		for i := range a.turns {
			if a.rtpengine != "" {
				g, err := a.theirTurn(ctx, l)
				if err != nil {
					return fmt.Errorf("rtpengine, %v: %w", l, err)
				}
				a.told("rtpengine", i, l, g)
				theirs = append(theirs, g)
			}
			g, err := a.ourTurn(ctx, l)
			if err != nil {
				return fmt.Errorf("roamline, %v: %w", l, err)
			}
			a.told("roamline", i, l, g)
			ours = append(ours, g)
		}
		fmt.Fprintln(t, line(l, theirs, ours))
		memory[l] = [2]float64{median(theirs, megabytes), median(ours, megabytes)}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	a.writeGrowth(out, memory)
	return nil
}

// writeGrowth says what a call takes by the difference between the most calls
// and the fewest: what a program set aside at its start, or has not given back
// since, is in both.
func (a *arena) writeGrowth(out io.Writer, memory map[load][2]float64) {
	least, most := slices.Min(a.calls), slices.Max(a.calls)
	if least == most {
		return
	}
	for _, m := range a.modes {
		var grown [2]float64
		for _, q := range a.quanta {
			for i := range grown {
				more := memory[load{m, most, q}][i] - memory[load{m, least, q}][i]
				grown[i] += more * 1000 / float64(most-least) / float64(len(a.quanta))
			}
		}
		fmt.Fprintf(out, "%s: from %d to %d calls, each took %.0f / %.0f kB more, ours with its registered phone\n", modes[m], least, most, grown[0], grown[1])
	}
}

func megabytes(g generated) float64 { return g.RSS / 1000 }

func (a *arena) told(who string, turn int, l load, g generated) {
	a.say("%v, turn %d: %s %.2f us a packet, %.3f %% lost, delay %.0f / %.0f us, %.0f kB and %.1f ms set-up a call, %d failed, generator late by %.0f / %.0f us",
		l, turn+1, who, g.OnCPU, g.Loss, g.p50(), g.p99(), g.Grown, g.SetUp, g.Failed, g.Late50, g.Late99)
}

// p50 and p99 are of the slower direction.
func (g generated) p50() float64 { return max(g.ToWeb50, g.ToSIP50) }
func (g generated) p99() float64 { return max(g.ToWeb99, g.ToSIP99) }

// line writes medians, rtpengine's first.
func line(l load, theirs, ours []generated) string {
	pair := func(format string, of func(generated) float64) string {
		if len(theirs) == 0 {
			return fmt.Sprintf("- / "+format, median(ours, of))
		}
		return fmt.Sprintf(format+" / "+format, median(theirs, of), median(ours, of))
	}
	cpu := func(g generated) float64 { return g.OnCPU }
	ratio := "-"
	if len(theirs) > 0 {
		ratio = fmt.Sprintf("%.2f", median(ours, cpu)/median(theirs, cpu))
	}
	traffic := fmt.Sprintf("steady (%v)", l.quantum)
	if l.quantum < steady {
		traffic = fmt.Sprintf("bursty (%v)", l.quantum)
	}
	return fmt.Sprintf("%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s", modes[l.mode], l.calls, traffic,
		pair("%.2f", cpu), ratio,
		pair("%.3f", func(g generated) float64 { return g.Loss }),
		pair("%.0f", generated.p50), pair("%.0f", generated.p99),
		pair("%.0f", func(g generated) float64 { return g.Grown }),
		pair("%.0f", megabytes),
		pair("%.1f", func(g generated) float64 { return g.SetUp }))
}

// steady is the load generator's own pacing.
const steady = 500 * time.Microsecond

func median(all []generated, of func(generated) float64) float64 {
	if len(all) == 0 {
		return 0
	}
	var v []float64
	for _, g := range all {
		v = append(v, of(g))
	}
	slices.Sort(v)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// furnish prepares the data with which each of our turns begins.
func (a *arena) furnish(ctx context.Context) error {
	dir := filepath.Join(a.dir, "furnished")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	s, err := startServer(ctx, a.binary, dir, anywhere)
	if err != nil {
		return err
	}
	n := slices.Max(a.calls)
	a.say("adding %d users, phones and a trunk", n)
	a.furnished, err = furnish(ctx, s, n)
	return errors.Join(err, s.stop())
}

func (a *arena) theirTurn(ctx context.Context, l load) (g generated, err error) {
	r, err := startRtpengine(ctx, a.rtpengine, a.dir, a.server)
	if err != nil {
		return g, err
	}
	defer func() { err = errors.Join(err, r.stop()) }()
	return a.generate(ctx, l, r.running.Process.Pid, append(overNG(r.control, l), "-label", "rtpengine"))
}

// overNG has the load generator set up calls by rtpengine's control protocol.
func overNG(at string, l load) []string {
	mode := "web"
	if l.mode == "plain" {
		mode = "plain"
	}
	return []string{"-driver", "ng", "-server", at, "-n", strconv.Itoa(l.calls), "-mode", mode}
}

func (a *arena) ourTurn(ctx context.Context, l load) (g generated, err error) {
	dir, err := os.MkdirTemp(a.dir, "turn-")
	if err != nil {
		return g, err
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(filepath.Join(dir, "data"), os.DirFS(a.furnished.data)); err != nil {
		return g, err
	}
	s, err := startServer(ctx, a.binary, dir, a.server)
	if err != nil {
		return g, err
	}
	defer func() {
		if stopped := s.stop(); err == nil {
			err = stopped
		}
		if err != nil {
			err = fmt.Errorf("%w%s", err, s.lastWords())
		}
	}()
	h := &house{process: s, password: a.furnished.password, clients: a.furnished.clients, trunk: a.furnished.trunk}
	pid := s.running.Process.Pid
	if l.mode == "plain" {
		h.trunk.server = netip.MustParseAddrPort(s.sip)
		b, err := openBridge(h.trunk, l.calls)
		if err != nil {
			return g, err
		}
		defer b.close()
		hangUp, err := b.deskPhones(ctx, h)
		defer hangUp()
		if err != nil {
			return g, err
		}
		return a.generate(ctx, l, pid, append(overNG(b.addr(), l), "-label", "roamline"))
	}
	door, err := openGate(s.http)
	if err != nil {
		return g, err
	}
	defer door.close()
	at, err := free()
	if err != nil {
		return g, err
	}
	_, port, _ := net.SplitHostPort(at)
	return a.generate(ctx, l, pid, append(overSIP(h, door, port, strconv.Itoa(l.calls)), "-label", "roamline"))
}

// generate runs the load generator in a turn; calls that failed are an error.
func (a *arena) generate(ctx context.Context, l load, pid int, args []string) (generated, error) {
	within, cancel := context.WithTimeout(ctx, time.Duration(a.seconds)*time.Second+2*time.Minute)
	defer cancel()
	args = append(args, "-par", "16", "-rate", strconv.Itoa(a.rate), "-warm", "1.5", "-secs", fmt.Sprint(a.seconds), "-quantum", l.quantum.String())
	if l.mode != "plain" {
		args = append(args, "-srtp", l.mode)
	}
	g, raw, err := generate(within, a.generator, a.dir, a.loader, pid, args...)
	if err != nil {
		return g, err
	}
	if a.raw != "" {
		if err := appendFile(a.raw, raw); err != nil {
			return g, err
		}
	}
	if g.Failed*100 > l.calls {
		return g, fmt.Errorf("%d of %d calls failed", g.Failed, l.calls)
	}
	return g, nil
}

func appendFile(name string, b []byte) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}
