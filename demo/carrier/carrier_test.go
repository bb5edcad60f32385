package carrier_test

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/roamline/roamline/demo/carrier"
	"github.com/roamline/roamline/demo/phone"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair starts two carriers that call each other; calls to unknown numbers of
// the second come out of the channel.
func pair(t *testing.T, transport string, codecs ...string) (a, b *carrier.Carrier, calls chan *carrier.Call, ctx context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	calls = make(chan *carrier.Call, 4)
	b, err := carrier.Start(ctx, carrier.Options{Transport: transport, RingFor: 50 * time.Millisecond, Codecs: codecs,
		Unknown: func(c *carrier.Call) { c.Ring(); calls <- c }})
	if err != nil {
		t.Fatal(err)
	}
	a, err = carrier.Start(ctx, carrier.Options{Transport: transport, Server: b.Addr(), Codecs: codecs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close(); cancel() })
	return a, b, calls, ctx
}

// talk places a call that is answered.
func talk(t *testing.T, transport string, o carrier.CallOptions, codecs ...string) (here, there *carrier.Call, ctx context.Context) {
	t.Helper()
	a, _, calls, ctx := pair(t, transport, codecs...)
	here, err := a.Call(ctx, "+34600000001", "+34910000001", o)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case there = <-calls:
	case <-ctx.Done():
		t.Fatal("the call did not arrive")
	}
	if err := there.Answer(); err != nil {
		t.Fatal(err)
	}
	if err := here.WaitAnswered(ctx); err != nil {
		t.Fatal(err)
	}
	return here, there, ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestVoiceBothWays(t *testing.T) {
	for _, row := range []struct {
		name, transport, codec string
		late                   bool
	}{
		{"PCMU over UDP", "udp", "PCMU", false},
		{"PCMA over TCP", "tcp", "PCMA", false},
		{"opus", "udp", "opus", false},
		{"the offer comes with the 200", "udp", "PCMU", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			here, there, ctx := talk(t, row.transport, carrier.CallOptions{Name: "Pharmacy", LateOffer: row.late}, row.codec)
			if there.From != (phone.Party{Number: "+34600000001", Name: "Pharmacy"}) || there.To.Number != "+34910000001" {
				t.Errorf("the call arrived as %v -> %v", there.From, there.To)
			}
			here.PlayTone(440)
			there.PlayTone(1000)
			must(t, there.WaitTone(ctx, 440))
			must(t, here.WaitTone(ctx, 1000))
			delay, err := phone.Delay(ctx, here, there)
			must(t, err)
			if delay > 50*time.Millisecond {
				t.Errorf("the voice took %v", delay)
			}
			here.Hangup()
			must(t, there.WaitEnded(ctx))
			f := there.Figures()
			if f.Codec != row.codec || f.Lost > 0 || f.Foreign > 0 || f.Received < 30 {
				t.Errorf("figures %+v", f)
			}
			if !here.EndedHere() || there.EndedHere() {
				t.Error("the wrong end hung up")
			}
		})
	}
}

func TestDigitsAndHold(t *testing.T) {
	here, there, ctx := talk(t, "udp", carrier.CallOptions{})
	if !here.SendDigit("159#") {
		t.Fatal("no digits agreed")
	}
	must(t, there.Voice().WaitDigits(ctx, "159#"))

	must(t, here.Hold(ctx, false))
	must(t, there.Wait(ctx, "the hold", there.Held))
	must(t, here.Resume(ctx))
	must(t, there.Wait(ctx, "the end of the hold", func() bool { return !there.Held() }))
	must(t, there.Hold(ctx, true)) // from the other end, fully silent
	must(t, here.Wait(ctx, "the hold", here.Held))
	must(t, there.Resume(ctx))
	there.PlayTone(700)
	must(t, here.WaitTone(ctx, 700))
	there.Hangup()
	must(t, here.WaitEnded(ctx))
}

func TestEnds(t *testing.T) {
	for _, row := range []struct {
		name, number string
		status       int
	}{
		{"a busy line says 486", "+34911000003", 486},
		{"a declining one 603", "0034911000006", 603},
	} {
		t.Run(row.name, func(t *testing.T) {
			a, _, _, ctx := pair(t, "udp")
			call, err := a.Call(ctx, "+34600000001", row.number, carrier.CallOptions{})
			must(t, err)
			must(t, call.WaitEnded(ctx))
			if got, _ := call.Status(); got != row.status {
				t.Errorf("status %d", got)
			}
		})
	}
	t.Run("a caller gives up while it rings", func(t *testing.T) {
		a, b, calls, ctx := pair(t, "udp")
		call, err := a.Call(ctx, "+34600000001", "+34910000001", carrier.CallOptions{})
		must(t, err)
		there := <-calls
		<-call.Ringing()
		call.Hangup()
		must(t, call.WaitEnded(ctx))
		must(t, there.WaitEnded(ctx))
		if got, _ := there.Status(); got != 487 {
			t.Errorf("status there %d", got)
		}
		if got, _ := call.Status(); got != 487 {
			t.Errorf("status here %d", got)
		}
		if there.Answer() == nil {
			t.Error("answered after the end")
		}
		if v := b.Calls(); len(v) != 1 || v[0].State != "ended" {
			t.Errorf("views %+v", v)
		}
	})
	t.Run("no common codec says 488", func(t *testing.T) {
		a, _, calls, ctx := pair(t, "udp", "PCMU")
		call, err := a.Call(ctx, "1", "+34910000001", carrier.CallOptions{Codecs: []string{"opus"}})
		must(t, err)
		if (<-calls).Answer() == nil {
			t.Error("answered")
		}
		must(t, call.WaitEnded(ctx))
		if got, _ := call.Status(); got != 488 {
			t.Errorf("status %d", got)
		}
	})
}

func TestLinesSpeak(t *testing.T) {
	a, _, _, ctx := pair(t, "udp")
	call, err := a.Call(ctx, "1", "911000007", carrier.CallOptions{})
	must(t, err)
	must(t, call.WaitAnswered(ctx))
	must(t, call.WaitEnded(ctx))
	if s := call.Times().Ended.Sub(call.Times().Answered); s < 2*time.Second {
		t.Errorf("the short talker talked for %v", s)
	}
	if len(call.Heard()) < 8000 {
		t.Error("nothing heard")
	}
}
