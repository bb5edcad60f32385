package main

import (
	"os/exec"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestMedianIsOfTheMiddle(t *testing.T) {
	of := func(v ...float64) (all []generated) {
		for _, x := range v {
			all = append(all, generated{OnCPU: x})
		}
		return all
	}
	for _, row := range []struct {
		rule string
		all  []generated
		want float64
	}{
		{"of nothing is nothing", nil, 0},
		{"of one is that one", of(3), 3},
		{"one that runs away does not count", of(900, 1, 2), 2},
		{"between the two in the middle", of(4, 1, 2, 900), 3},
	} {
		if got := median(row.all, func(g generated) float64 { return g.OnCPU }); got != row.want {
			t.Errorf("%s: %v", row.rule, got)
		}
	}
}

func TestLineOfTheComparison(t *testing.T) {
	theirs := []generated{{OnCPU: 20, Loss: .5, ToWeb50: 1, ToSIP50: 2, ToWeb99: 4, ToSIP99: 3, Grown: 160, RSS: 70_000, SetUp: 2}}
	ours := []generated{{OnCPU: 10, ToWeb50: 5, ToSIP50: 6, ToWeb99: 8, ToSIP99: 7, Grown: 90, RSS: 80_000, SetUp: 4}}
	for _, row := range []struct {
		rule         string
		load         load
		theirs, ours []generated
		want         string
	}{
		{"rtpengine's figures first", load{"gcm", 200, 500 * time.Microsecond}, theirs, ours,
			"RTP <-> DTLS-SRTP, GCM|200|steady (500µs)|20.00 / 10.00|0.50|0.500 / 0.000|2 / 6|4 / 8|160 / 90|70 / 80|2.0 / 4.0"},
		{"alone without it", load{"plain", 500, 100 * time.Microsecond}, nil, ours,
			"RTP <-> RTP|500|bursty (100µs)|- / 10.00|-|- / 0.000|- / 6|- / 8|- / 90|- / 80|- / 4.0"},
	} {
		if got := strings.ReplaceAll(line(row.load, row.theirs, row.ours), "\t", "|"); got != row.want {
			t.Errorf("%s:\n%s\n%s", row.rule, got, row.want)
		}
	}
}

func TestContestReadsItsFlags(t *testing.T) {
	for _, row := range []struct{ rule, modes, calls, quanta, wrong string }{
		{"lists", "plain,gcm", "1,500", "500us,100us", ""},
		{"no such mode", "opus", "1", "1ms", "-modes"},
		{"no mode", "", "1", "1ms", "-modes"},
		{"too many calls", "gcm", "501", "1ms", "-calls"},
		{"no calls", "gcm", "0", "1ms", "-calls"},
		{"not a duration", "gcm", "1", "1", "-quantum"},
	} {
		var c contest
		err := c.read(row.modes, row.calls, row.quanta)
		if row.wrong == "" && err != nil || row.wrong != "" && (err == nil || !strings.HasPrefix(err.Error(), row.wrong)) {
			t.Errorf("%s: %v", row.rule, err)
		}
		if row.wrong == "" && len(c.loads()) != 2*2*2 {
			t.Errorf("%s: %v", row.rule, c.loads())
		}
	}
}

func TestProcessStartsOnItsCore(t *testing.T) {
	server, generator, err := cores()
	if err != nil {
		t.Skip(err) // a machine with one core compares nothing
	}
	for _, core := range []int{server, generator} {
		cmd := exec.Command("grep", "Cpus_allowed_list", "/proc/self/status")
		var out strings.Builder
		cmd.Stdout = &out
		if err := startOn(cmd, core); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
		if f := strings.Fields(out.String()); len(f) != 2 || f[1] != string(rune('0'+core)) && core < 10 {
			t.Errorf("core %d: %q", core, out.String())
		}
	}
	if s, g, err := cores(); s != server || g != generator || err != nil {
		t.Errorf("afterwards our own cores are %d, %d, %v (of %d)", s, g, err, runtime.NumCPU())
	}
}

func TestBencode(t *testing.T) {
	for _, row := range []struct {
		rule, text string
		want       any
	}{
		{"dictionary", "d7:command5:offer5:flagsl1:a1:be3:numi-3ee", map[string]any{"command": "offer", "flags": []any{"a", "b"}, "num": -3}},
		{"empty string", "0:", ""},
		{"what encode writes", string(encode(map[string]string{"result": "ok", "a": ""})), map[string]any{"result": "ok", "a": ""}},
		{"string that ends early", "5:four", nil},
		{"negative length", "-1:", nil},
		{"open list", "l1:a", nil},
		{"key without value", "d1:ae", nil},
		{"key that is no string", "di1e1:ae", nil},
		{"too deep", strings.Repeat("l", 100) + strings.Repeat("e", 100), nil},
		{"nothing", "", nil},
	} {
		got, rest, err := decode([]byte(row.text))
		if row.want == nil {
			if err == nil {
				t.Errorf("%s: %v", row.rule, got)
			}
			continue
		}
		if err != nil || len(rest) > 0 || !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s: %v, %q, %v", row.rule, got, rest, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("d7:command4:pinge"))
	f.Add([]byte("lli1eee0:"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, rest, err := decode(b); err == nil && len(rest) >= len(b) {
			t.Errorf("%q took nothing", b)
		}
	})
}
