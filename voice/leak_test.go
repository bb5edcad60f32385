package voice_test

import (
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/roamline/roamline"
	"github.com/roamline/roamline/voice"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func sockets(t *testing.T) int {
	t.Helper()
	return len(must[[]os.DirEntry](t)(os.ReadDir("/proc/self/fd")))
}

func TestNothingIsLeft(t *testing.T) {
	for _, c := range []struct {
		threads int
		epoll   bool
	}{{1, false}, {3, false}, {1, true}, {3, true}} {
		before := sockets(t)
		s := open(t, func(o *voice.Options) { o.Threads, o.Epoll = c.threads, c.epoll })
		p, b := newPhone(t), newBrowser(t)
		s.call("trunk", p, roamline.PCMU)
		s.web("web", b, roamline.PCMU, true)
		ok(t, s.Join("trunk", "web"))
		ok(t, s.Play("trunk", roamline.HoldMusic, true))
		must[roamline.Endpoint](t)(s.Open("waiting", roamline.Path{Remote: b.addr()}, roamline.DTLS))
		must[roamline.Figures](t)(s.Close("web"))
		if n := s.Stats().Legs; n != 2 {
			t.Errorf("%d legs", n)
		}
		s.Shutdown()
		s.Shutdown()
		p.c.Close()
		p.rtcp.Close()
		b.c.Close()
		b.rtcp.Close()
		if _, err := s.Open("late", roamline.Path{}, roamline.RTP); roamline.KindOf(err) != roamline.Unavailable {
			t.Errorf("after Shutdown: %v", err)
		}
		waitFor(t, func() bool { return sockets(t) <= before })
	}
}

func TestLegsComeAndGoWhileVoiceFlows(t *testing.T) {
	for _, epoll := range []bool{false, true} {
		comeAndGo(t, epoll)
	}
}

func comeAndGo(t *testing.T, epoll bool) {
	s, a, b := pair(t, func(o *voice.Options) { o.Threads, o.Epoll = 2, epoll })
	defer s.Shutdown()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.NewTicker(time.Millisecond); ; {
			select {
			case <-tick.C:
				a.say([]byte("on and on"), 0)
			case <-stop:
				return
			}
		}
	}()
	path := roamline.Path{Remote: a.addr()}
	for range 50 {
		must[roamline.Endpoint](t)(s.Open("x", path, roamline.RTP))
		ok(t, s.Connect("x", newPhone(t).media(roamline.PCMU)))
		ok(t, s.Join("x", "b"))
		ok(t, s.Join("a", "b"))
		must[roamline.Figures](t)(s.Close("x"))
	}
	close(stop)
	<-done
	b.hear()
}
