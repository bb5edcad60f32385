package ua

import (
	"bufio"
	"bytes"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// deaf is a session that only tells how it went.
type deaf struct {
	progress, accepted, acked chan struct{}
	ended                     chan End
}

func newDeaf() *deaf {
	return &deaf{progress: make(chan struct{}, 8), accepted: make(chan struct{}, 8), acked: make(chan struct{}, 8), ended: make(chan End, 1)}
}

func (d *deaf) Progress(int, string, []byte)       { d.progress <- struct{}{} }
func (d *deaf) Accepted([]byte) ([]byte, bool)     { d.accepted <- struct{}{}; return nil, true }
func (d *deaf) Reoffered(sdp []byte) ([]byte, int) { return sdp, 200 }
func (d *deaf) Acked([]byte)                       { d.acked <- struct{}{} }
func (d *deaf) Ended(e End)                        { d.ended <- e }

// lossy drops messages that match, once each.
type lossy struct {
	Wire
	mu   sync.Mutex
	drop map[string]bool // by the beginning of the message
}

func (l *lossy) Send(to string, m []byte) error {
	l.mu.Lock()
	for start := range l.drop {
		if bytes.HasPrefix(m, []byte(start)) {
			delete(l.drop, start)
			l.mu.Unlock()
			return nil
		}
	}
	l.mu.Unlock()
	return l.Wire.Send(to, m)
}

func udpWire(t *testing.T, drop ...string) *lossy {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &lossy{Wire: UDP(conn), drop: map[string]bool{}}
	for _, d := range drop {
		l.drop[d] = true
	}
	return l
}

func agents(t *testing.T, callerLoses, calleeLoses []string) (a *Agent, to Invitation, calls chan *Dialog, callee *deaf) {
	t.Helper()
	calls, callee = make(chan *Dialog, 1), newDeaf()
	b := New(udpWire(t, calleeLoses...), Options{User: "b", Invited: func(d *Dialog) Session { calls <- d; return callee }})
	a = New(udpWire(t, callerLoses...), Options{User: "a"})
	t.Cleanup(func() { a.Close(); b.Close() })
	host, port := splitHost(b.Addr())
	return a, Invitation{To: sip.Uri{Scheme: "sip", User: "b", Host: host, Port: port},
		From: sip.Uri{Scheme: "sip", User: "a", Host: host}, Via: b.Addr(), SDP: []byte("x")}, calls, callee
}

// within fails the test if nothing comes for a while.
func within[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(10 * time.Second):
		t.Fatal("missing: " + what)
		panic("unreachable")
	}
}

func TestLostMessagesAreRepeated(t *testing.T) {
	for _, row := range []struct {
		name           string
		caller, callee []string
	}{
		{"INVITE", []string{"INVITE"}, nil},
		{"200", nil, []string{"SIP/2.0 200"}},
		{"ACK", []string{"ACK"}, nil},
		{"BYE", []string{"BYE"}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			a, to, calls, callee := agents(t, row.caller, row.callee)
			s := newDeaf()
			d, err := a.Invite(to, s)
			if err != nil {
				t.Fatal(err)
			}
			in := within(t, "the INVITE", calls)
			in.Ring(nil)
			if err := in.Answer([]byte("y")); err != nil {
				t.Fatal(err)
			}
			within(t, "the 200", s.accepted)
			within(t, "the ACK", callee.acked)
			d.Hangup()
			if e := within(t, "the end", callee.ended); e.Local || e.Status != 200 {
				t.Errorf("%+v", e)
			}
			select {
			case <-s.accepted:
				t.Error("a repeated 200 was told twice")
			default:
			}
		})
	}
}

func TestACancelThatCrosses200EndsWithBYE(t *testing.T) {
	a, to, calls, callee := agents(t, nil, nil)
	s := newDeaf()
	d, err := a.Invite(to, s)
	if err != nil {
		t.Fatal(err)
	}
	in := within(t, "the INVITE", calls)
	in.Ring(nil)
	within(t, "the 180", s.progress)
	d.mu.Lock()
	d.cancelled = true // the CANCEL is on its way when the 200 leaves
	d.mu.Unlock()
	if err := in.Answer([]byte("y")); err != nil {
		t.Fatal(err)
	}
	within(t, "the ACK", callee.acked)
	if e := within(t, "the BYE", callee.ended); e.Local {
		t.Errorf("%+v", e)
	}
	if e := within(t, "the end", s.ended); e.Status != 487 || !e.Local {
		t.Errorf("%+v", e)
	}
}

func TestALostRefusalIsRepeated(t *testing.T) {
	a, to, calls, _ := agents(t, []string{"ACK"}, []string{"SIP/2.0 486"})
	s := newDeaf()
	if _, err := a.Invite(to, s); err != nil {
		t.Fatal(err)
	}
	within(t, "the INVITE", calls).Refuse(486, "Busy Here")
	if e := within(t, "the end", s.ended); e.Status != 486 {
		t.Errorf("%+v", e)
	}
}

func TestReadMessage(t *testing.T) {
	r := bufio.NewReader(strings.NewReader("\r\n\r\nBYE sip:a SIP/2.0\r\nl: 3\r\n\r\nabcOPTIONS sip:b SIP/2.0\r\n\r\n"))
	for _, want := range []string{"BYE sip:a SIP/2.0\r\nl: 3\r\n\r\nabc", "OPTIONS sip:b SIP/2.0\r\n\r\n"} {
		if got, err := readMessage(r); err != nil || string(got) != want {
			t.Errorf("%q %v", got, err)
		}
	}
}

func FuzzReadMessage(f *testing.F) {
	f.Add([]byte("BYE sip:a SIP/2.0\r\nContent-Length: 3\r\n\r\nabc"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := readMessage(bufio.NewReader(bytes.NewReader(b))); err == nil && len(m) > maxMessage {
			t.Error(len(m))
		}
	})
}
