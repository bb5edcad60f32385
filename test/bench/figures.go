package main

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// A table is what is printed in the end.
type table struct{ rows [][3]string }

func (t *table) add(what, value, how string, a ...any) {
	t.rows = append(t.rows, [3]string{what, value, fmt.Sprintf(how, a...)})
}

func (t *table) print(to io.Writer) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	for _, r := range append([][3]string{{"WHAT", "FIGURE", "HOW"}}, t.rows...) {
		fmt.Fprintf(w, "%s\t%s\t%s\n", r[0], r[1], r[2])
	}
	return w.Flush()
}

// machine says what the figures depend on.
func machine() []string {
	model := "unknown processor"
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	load, _ := os.ReadFile("/proc/loadavg")
	return []string{
		fmt.Sprintf("%d cores (%s), %s, %s/%s", runtime.NumCPU(), model, runtime.Version(), runtime.GOOS, runtime.GOARCH),
		fmt.Sprintf("Load average of 1, 5, 15 minutes: %s", firstFields(string(load), 3)),
	}
}

func firstFields(text string, n int) string {
	f := strings.Fields(text)
	return strings.Join(f[:min(n, len(f))], " ")
}

// percentile returns the nearest-rank percentile of durations, 0 < q <= 1.
func percentile(d []time.Duration, q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(d))
	return sorted[max(int(math.Ceil(q*float64(len(sorted))))-1, 0)]
}

// halves writes p50 and p99 in milliseconds.
func halves(d []time.Duration) string {
	return fmt.Sprintf("%.2f / %.2f ms", milliseconds(percentile(d, .5)), milliseconds(percentile(d, .99)))
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// tick is the unit of the times in /proc/PID/stat (USER_HZ, proc_pid_stat(5)).
const tick = 10 * time.Millisecond

// processor returns the time that a process has spent on the cores, user and
// system, to 10 ms.
func processor(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The second field, the program's name, may hold spaces and brackets.
	f := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(f) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat is too short", pid)
	}
	user, err := strconv.ParseInt(f[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * tick, err
}

// samples are metrics by name with labels, as the text format writes them.
type samples map[string]float64

func readSamples(text string) samples {
	s := samples{}
	for in := bufio.NewScanner(strings.NewReader(text)); in.Scan(); {
		line := in.Text()
		i := strings.LastIndexByte(line, ' ')
		if i < 0 || strings.HasPrefix(line, "#") {
			continue
		}
		if v, err := strconv.ParseFloat(line[i+1:], 64); err == nil {
			s[line[:i]] = v
		}
	}
	return s
}

// sum adds up what begins with prefix.
func (s samples) sum(prefix string) (total float64) {
	for name, v := range s {
		if strings.HasPrefix(name, prefix) {
			total += v
		}
	}
	return total
}

// since returns what was counted after before.
func (s samples) since(before samples) samples {
	d := samples{}
	for name, v := range s {
		d[name] = v - before[name]
	}
	return d
}

// halves writes p50 and p99 of a histogram of seconds: the bounds of the
// buckets that they fall into.
func (s samples) halves(name string) string {
	return s.bound(name, .5) + " / " + s.bound(name, .99) + " ms"
}

func (s samples) bound(name string, q float64) string {
	rank := q * s[name+"_count"]
	least := math.Inf(1)
	for k, v := range s {
		le, ok := strings.CutPrefix(k, name+`_bucket{le="`)
		if !ok || v < rank {
			continue
		}
		if b, err := strconv.ParseFloat(strings.TrimSuffix(le, `"}`), 64); err == nil {
			least = min(least, b)
		}
	}
	if math.IsInf(least, 1) {
		return "beyond"
	}
	return "<= " + strconv.FormatFloat(least*1000, 'g', -1, 64)
}
