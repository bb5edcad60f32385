package main

import (
	"fmt"
	"os"
	"testing"
	"time"
)

func TestPercentiles(t *testing.T) {
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(100-i)*time.Millisecond)
	}
	for _, row := range []struct {
		rule string
		of   []time.Duration
		want string
	}{
		{"of nothing is nothing", nil, "0.00 / 0.00 ms"},
		{"of one is that one", []time.Duration{3 * time.Millisecond}, "3.00 / 3.00 ms"},
		{"nearest rank, in any order", hundred, "50.00 / 99.00 ms"},
	} {
		if got := halves(row.of); got != row.want {
			t.Errorf("%s: %s", row.rule, got)
		}
	}
}

func histogram(fast, middle, slow int) samples {
	return readSamples(fmt.Sprintf(`# TYPE x histogram
x_bucket{le="0.001"} %d
x_bucket{le="0.005"} %d
x_bucket{le="+Inf"} %d
x_sum 1
x_count %d
`, fast, fast+middle, fast+middle+slow, fast+middle+slow))
}

func TestHistogramsTellTheBucket(t *testing.T) {
	for _, row := range []struct {
		rule          string
		before, after samples
		want          string
	}{
		{"all quick", samples{}, histogram(100, 0, 0), "<= 1 / <= 1 ms"},
		{"one in a hundred is not the p99", samples{}, histogram(99, 0, 1), "<= 1 / <= 1 ms"},
		{"two in a hundred are", samples{}, histogram(98, 2, 0), "<= 1 / <= 5 ms"},
		{"beyond the last bucket", samples{}, histogram(0, 60, 40), "<= 5 / beyond ms"},
		{"what was before does not count", histogram(1000, 0, 0), histogram(1000, 10, 0), "<= 5 / <= 5 ms"},
	} {
		if got := row.after.since(row.before).halves("x"); got != row.want {
			t.Errorf("%s: %s", row.rule, got)
		}
	}
}

func TestMetricsAddUpByPrefix(t *testing.T) {
	s := readSamples("roamline_calls{state=\"ringing\"} 2\nroamline_calls{state=\"talking\"} 3\nroamline_calls_ended_total{cause=\"busy\"} 7\n")
	if got := s.sum("roamline_calls{"); got != 5 {
		t.Error(got)
	}
}

func TestProcessorTimeRises(t *testing.T) {
	before, err := processor(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); ; {
		now, err := processor(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		if now > before {
			return
		}
		if time.Now().After(end) {
			t.Fatal("a busy process used no processor")
		}
	}
}

func TestCallerIsTheNumberInFrom(t *testing.T) {
	for _, row := range []struct{ rule, message, want string }{
		{"with a name", "INVITE sip:a SIP/2.0\r\nTo: <sip:b@c>\r\nFrom: \"Ana\" <sip:+49300000001@h>;tag=x\r\n\r\n", "+49300000001"},
		{"without", "INVITE sip:a SIP/2.0\r\nFrom: <sip:+49300000002@h:5060>;tag=x\r\n\r\n", "+49300000002"},
		{"no From", "INVITE sip:a SIP/2.0\r\n\r\n", ""},
	} {
		if got := caller([]byte(row.message)); got != row.want {
			t.Errorf("%s: %q", row.rule, got)
		}
	}
}
