package media

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/roamline/roamline/demo/pcm"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var loopback = netip.MustParseAddr("127.0.0.1")

func open(t *testing.T, secure bool, codecs ...string) *Session {
	t.Helper()
	return openAs(t, Options{Secure: secure, Codecs: codecs})
}

func openAs(t *testing.T, o Options) *Session {
	t.Helper()
	o.Host = loopback
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// agreed connects two sessions by an offer and an answer.
func agreed(t *testing.T, a, b *Session) (offer, answer string) {
	t.Helper()
	o := a.Offer(SendRecv)
	r, err := b.Answer(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Accept(r); err != nil {
		t.Fatal(err)
	}
	return string(o), string(r)
}

func TestVoice(t *testing.T) {
	for _, row := range []struct {
		name         string
		secure, sdes bool
		codec        string
	}{
		{"plain RTP", false, false, "PCMA"},
		{"keys in the description", false, true, "PCMU"},
		{"ICE and DTLS-SRTP", true, false, "PCMU"},
		{"opus over DTLS-SRTP", true, false, "opus"},
	} {
		t.Run(row.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			a := openAs(t, Options{Secure: row.secure, SDES: row.sdes, Codecs: []string{"opus", "PCMU", "PCMA"}})
			b := openAs(t, Options{Secure: row.secure, SDES: row.sdes, Codecs: []string{row.codec}})
			agreed(t, a, b)
			a.Play(&pcm.Steady{Hz: 440})
			b.Play(&pcm.Steady{Hz: 1000})
			if err := b.WaitTone(ctx, 440); err != nil {
				t.Fatal(err, a.Broken(), b.Broken())
			}
			if err := a.WaitTone(ctx, 1000); err != nil {
				t.Fatal(err)
			}
			if !a.Dial("5*") {
				t.Fatal("no digits agreed")
			}
			if err := b.WaitDigits(ctx, "5*"); err != nil {
				t.Fatal(err)
			}
			err := a.WaitFor(ctx, "a round trip by RTCP", func() bool { return a.Figures().RoundTrip > 0 || b.Figures().RoundTrip > 0 })
			if err != nil {
				t.Error(err)
			}
			if f := b.Figures(); f.Codec != row.codec || f.Lost+f.Foreign > 0 {
				t.Errorf("figures %+v", f)
			}
		})
	}
}

func TestAStrangersCertificateIsRefused(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	a, b := open(t, true, "PCMU"), open(t, true, "PCMU")
	offer := string(a.Offer(SendRecv))
	i := strings.Index(offer, "sha-256 ") + len("sha-256 ")
	forged := offer[:i] + "00:11" + offer[i+5:]
	answer, err := b.Answer([]byte(forged))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Accept(answer); err != nil {
		t.Fatal(err)
	}
	for b.Broken() == nil {
		select {
		case <-ctx.Done():
			t.Fatal("the forged fingerprint was believed")
		case <-b.Ready():
			t.Fatal("the voice came up")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func TestAnswerTo(t *testing.T) {
	for _, row := range [][3]string{
		{SendRecv, SendRecv, SendRecv},
		{SendOnly, SendRecv, RecvOnly},
		{RecvOnly, SendRecv, SendOnly},
		{Inactive, SendRecv, Inactive},
		{SendRecv, SendOnly, SendOnly},
		{SendOnly, SendOnly, Inactive},
	} {
		if got := answerTo(row[0], row[1]); got != row[2] {
			t.Errorf("%s answered by one who is %s: %s, want %s", row[0], row[1], got, row[2])
		}
	}
}

func TestAPayloadTypeStays(t *testing.T) {
	a, b := open(t, false, "opus"), open(t, false, "opus")
	offer := strings.ReplaceAll(string(a.Offer(SendRecv)), "111", "96")
	if _, err := b.Answer([]byte(offer)); err != nil {
		t.Fatal(err)
	}
	if again := string(b.Offer(SendOnly)); !strings.Contains(again, "rtpmap:96 opus/48000/2") {
		t.Error(again)
	}
}

func TestTheMissing(t *testing.T) {
	a := open(t, true, "PCMU")
	if _, err := a.Answer([]byte("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n")); err == nil {
		t.Error("plain RTP was taken where DTLS is asked for")
	}
	if err := a.Accept([]byte("nonsense")); err == nil {
		t.Error("nonsense was taken")
	}
}

func FuzzParse(f *testing.F) {
	s, err := Open(Options{Secure: true, Codecs: []string{"opus", "PCMU"}, Host: loopback})
	if err != nil {
		f.Fatal(err)
	}
	defer s.Close()
	f.Add(s.Offer(SendRecv))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := parse(raw)
		if err == nil && (len(d.formats) == 0 || len(d.candidates) > 16 || len(d.ssrcs) > 16) {
			t.Errorf("%+v", d)
		}
	})
}
