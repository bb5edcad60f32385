package offer

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/roamline/roamline"
)

var all = []roamline.Codec{roamline.PCMA, roamline.Opus, roamline.PCMU}

func TestOffer(t *testing.T) {
	for _, row := range []struct {
		name   string
		local  roamline.Endpoint
		codecs []roamline.Codec
		dir    roamline.Direction
		has    []string
		hasnt  []string
	}{
		{"plain: codecs in order, events of each clock, both ways of RTCP", plain(), all, roamline.SendRecv,
			[]string{"o=- 5 1 IN IP4 192.0.2.1", "m=audio 20000 RTP/AVP 8 111 0 101 110", "a=rtpmap:101 telephone-event/8000",
				"a=rtpmap:110 telephone-event/48000", "a=ptime:20", "a=rtcp-mux", "a=sendrecv"}, []string{"a=rtcp:", "a=ssrc", "a=crypto", "a=mid", "a=setup"}},
		{"browser: ICE-lite, either end may be the DTLS client", dtls(), all, roamline.SendRecv,
			[]string{"a=group:BUNDLE 0", "a=ice-lite", "m=audio 30000 UDP/TLS/RTP/SAVPF 8 111 0 101 110", "a=mid:0", "a=setup:actpass",
				"a=fingerprint:sha-256 0F:", "a=rtcp-mux", "a=candidate:1 1 udp", "a=ssrc:77 cname:cn"}, nil},
		{"keys in the SDP, in order", sdes(), all, roamline.SendRecv,
			[]string{"m=audio 20000 RTP/SAVP 8 111 0 101 110", "a=crypto:1 AEAD_AES_128_GCM inline:AQEB", "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:AgIC",
				"a=crypto:3 AES_CM_128_HMAC_SHA1_32 inline:AwMD"}, nil},
		{"one codec alone has one kind of events", plain(), []roamline.Codec{roamline.PCMU}, roamline.SendOnly,
			[]string{"m=audio 20000 RTP/AVP 0 101", "a=sendonly"}, []string{"48000"}},
		{"no codec named: all that are known", plain(), []roamline.Codec{roamline.DTMF8}, roamline.SendRecv, []string{"m=audio 20000 RTP/AVP 111 8 0 110 101"}, nil},
		{"numbers of another leg do not collide", plain(), []roamline.Codec{with(roamline.Opus, 0, "stereo=1"), with(roamline.PCMU, 111, ""),
			{Name: "L16", Rate: 16000, Channels: 1, Payload: 96}, {Name: "L16", Rate: 8000, Channels: 1, Payload: 96}}, roamline.SendRecv,
			[]string{"m=audio 20000 RTP/AVP 96 0 97 98 110 101", "a=rtpmap:96 opus", "a=rtpmap:97 L16/16000", "a=rtpmap:98 L16/8000"}, []string{"stereo"}},
		{"RTCP elsewhere than at the next port", func() roamline.Endpoint { e := plain(); e.RTCP = at("[2001:db8::1]:7"); return e }(), all, roamline.SendRecv,
			[]string{"a=rtcp:7 IN IP6 2001:db8::1"}, nil},
		{"IPv6", func() roamline.Endpoint { e := plain(); e.Addr = at("[2001:db8::1]:20000"); return e }(), all, roamline.SendRecv,
			[]string{"o=- 5 1 IN IP6 2001:db8::1", "c=IN IP6 2001:db8::1"}, nil},
		{"parameters can't bring lines in", plain(), []roamline.Codec{{Name: "L16", Rate: 16000, Channels: 1, Payload: 96, Fmtp: "a\r\nm=x"}}, roamline.SendRecv, nil, []string{"m=x"}},
	} {
		t.Run(row.name, func(t *testing.T) { check(t, New(row.local, 5).Offer(row.codecs, row.dir), row.has, row.hasnt) })
	}
}

func TestAccept(t *testing.T) {
	secured := strings.NewReplacer("RTP/SAVP 107 8 0 9 101", "RTP/SAVP 8 0 101", "a=crypto:1 ", "a=crypto:2 ").Replace(asterisk)
	for _, row := range []struct {
		name   string
		local  roamline.Endpoint
		answer []byte
		want   roamline.Media
	}{
		{"a phone that numbers otherwise", plain(), edit(baresip, "0 8 101", "97 98", "a=rtpmap:101", "a=rtpmap:97 opus/48000/2\na=rtpmap:98",
			"telephone-event/8000", "telephone-event/48000", "fmtp:101", "fmtp:98", "a=rtcp:10189", "a=rtcp-mux"),
			roamline.Media{Codec: with(roamline.Opus, 97, ""), Receive: 111, DTMF: ptr(with(roamline.DTMF, 98, "0-15")), ReceiveTE: 110,
				Direction: roamline.SendRecv, Ptime: 20 * time.Millisecond, Transport: roamline.RTP, Remote: at("127.0.0.1:10188"), RTCP: at("127.0.0.1:10188"), Mux: true}},
		{"of several codecs the answer's first", plain(), wire(baresip),
			roamline.Media{Codec: roamline.PCMU, DTMF: ptr(with(roamline.DTMF8, 101, "0-15")), ReceiveTE: 101,
				Direction: roamline.SendRecv, Ptime: 20 * time.Millisecond, Transport: roamline.RTP, Remote: at("127.0.0.1:10188"), RTCP: at("127.0.0.1:10189")}},
		{"a number of ours without its name", plain(), edit(sipp, "AVP 8", "AVP 111"),
			roamline.Media{Codec: roamline.Opus, Receive: 111, Direction: roamline.SendRecv, Ptime: 20 * time.Millisecond, Transport: roamline.RTP,
				Remote: at("127.0.0.1:6000"), RTCP: at("127.0.0.1:6001")}},
		{"held at once", plain(), edit(sipp, "AVP 8", "AVP 8\na=recvonly"),
			roamline.Media{Codec: roamline.PCMA, Receive: 8, Direction: roamline.SendOnly, Ptime: 20 * time.Millisecond, Transport: roamline.RTP,
				Remote: at("127.0.0.1:6000"), RTCP: at("127.0.0.1:6001")}},
		{"a browser as DTLS client", dtls(), edit(chromium, "actpass", "active"),
			roamline.Media{Codec: roamline.Opus, Receive: 111, DTMF: ptr(with(roamline.DTMF, 110, "")), ReceiveTE: 110, Direction: roamline.SendRecv,
				Ptime: 20 * time.Millisecond, Transport: roamline.DTLS, Remote: at("198.51.100.7:46243"), RTCP: at("198.51.100.7:46243"), Mux: true,
				Ufrag: "Ab3/", Pwd: "aW5lZWRtb3JlZW50cm9weXRv", Fingerprint: chromiumPrint}},
		{"a passive peer makes us the client", dtls(), edit(chromium, "actpass", "passive"),
			roamline.Media{Codec: roamline.Opus, Receive: 111, DTMF: ptr(with(roamline.DTMF, 110, "")), ReceiveTE: 110, Direction: roamline.SendRecv,
				Ptime: 20 * time.Millisecond, Transport: roamline.DTLS, Remote: at("198.51.100.7:46243"), RTCP: at("198.51.100.7:46243"), Mux: true,
				Ufrag: "Ab3/", Pwd: "aW5lZWRtb3JlZW50cm9weXRv", Fingerprint: chromiumPrint, Active: true}},
		{"the key that the answer's tag names", sdes(), wire(secured),
			roamline.Media{Codec: roamline.PCMA, Receive: 8, DTMF: ptr(with(roamline.DTMF8, 101, "0-16")), ReceiveTE: 101, Direction: roamline.SendRecv,
				Ptime: 20 * time.Millisecond, Transport: roamline.SDES, Remote: at("203.0.113.9:17622"), RTCP: at("203.0.113.9:17623"),
				Send: roamline.CryptoKey{Tag: 2, Suite: "AES_CM_128_HMAC_SHA1_80", Key: bytes.Repeat([]byte{2}, 30)},
				Recv: roamline.CryptoKey{Tag: 2, Suite: "AES_CM_128_HMAC_SHA1_80", Key: asteriskKey.Key}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := New(row.local, 5)
			s.Offer(all, roamline.SendRecv)
			for range 2 { // 183, then 200
				m, err := s.Accept(row.answer)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(row.want, m, cmp.Comparer(sameAddr)); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			}
		})
	}
}

func TestAcceptRefuses(t *testing.T) {
	for _, row := range []struct {
		name   string
		local  roamline.Endpoint
		answer []byte
		kind   roamline.Kind
	}{
		{"what can't be read", plain(), []byte("v=0\nm"), roamline.Invalid},
		{"no stream at all", plain(), []byte("v=0\n"), roamline.Invalid},
		{"another stream in the voice's place", plain(), edit(sipp, "m=audio", "m=video"), roamline.Invalid},
		{"voice refused", plain(), edit(sipp, "6000", "0"), roamline.Incompatibility},
		{"a codec that wasn't offered", plain(), edit(sipp, "AVP 8", "AVP 9"), roamline.Incompatibility},
		{"no encryption where it was offered", sdes(), wire(sipp), roamline.Incompatibility},
		{"encryption where none was offered", plain(), edit(sipp, "RTP/AVP", "RTP/SAVP"), roamline.Incompatibility},
		{"a key of a suite that its tag doesn't have", sdes(), wire(asterisk), roamline.Incompatibility},
		{"undecided who is the DTLS client", dtls(), wire(chromium), roamline.Invalid},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := New(row.local, 5)
			s.Offer(all, roamline.SendRecv)
			if _, err := s.Accept(row.answer); err == nil || roamline.KindOf(err) != row.kind {
				t.Errorf("got %v, want %v", err, row.kind)
			}
		})
	}
	t.Run("an answer to nothing", func(t *testing.T) {
		if _, err := New(plain(), 5).Accept(wire(sipp)); roamline.KindOf(err) != roamline.Internal {
			t.Errorf("got %v", err)
		}
	})
}

func TestReoffer(t *testing.T) {
	t.Run("the version grows only with a change", func(t *testing.T) {
		s := New(plain(), 5)
		for _, want := range []struct {
			dir     roamline.Direction
			version uint64
		}{{roamline.SendRecv, 1}, {roamline.SendRecv, 1}, {roamline.SendOnly, 2}, {roamline.SendRecv, 3}} {
			if s.Offer(all, want.dir); s.Version != want.version {
				t.Errorf("version %d, want %d", s.Version, want.version)
			}
		}
	})
	t.Run("refused streams keep their place, and the voice its number and mid", func(t *testing.T) {
		s := New(sdes(), 5)
		if _, _, err := s.Answer(edit(asterisk, "a=ptime:20", "a=mid:a"), nil, roamline.SendRecv); err != nil {
			t.Fatal(err)
		}
		check(t, s.Offer(all, roamline.SendOnly), []string{"m=audio 20000 RTP/SAVP 8 107 0 101 110", "a=mid:a", "m=video 0 RTP/SAVP 99", "m=image 0 udptl t38", "a=sendonly"}, nil)
	})
	t.Run("a number keeps its meaning", func(t *testing.T) {
		s := New(plain(), 5)
		s.Offer([]roamline.Codec{roamline.Opus}, roamline.SendRecv) // 111
		check(t, s.Offer([]roamline.Codec{{Name: "L16", Rate: 44100, Channels: 1, Payload: 111}}, roamline.SendRecv),
			[]string{"a=rtpmap:96 L16/44100"}, []string{"111"})
	})
	t.Run("the DTLS roles stay with the certificate", func(t *testing.T) {
		s := New(dtls(), 5)
		s.Offer(all, roamline.SendRecv)
		if m, err := s.Accept(edit(chromium, "actpass", "passive")); err != nil || !m.Active {
			t.Fatal(m, err)
		}
		if _, m, err := s.Answer(edit(chromium, "sendrecv", "sendonly"), nil, roamline.SendRecv); err != nil || !m.Active || m.Direction != roamline.RecvOnly {
			t.Error(m, err)
		}
		if _, m, err := s.Answer(edit(chromium, "7B:8B", "7B:8C"), nil, roamline.SendRecv); err != nil || m.Active {
			t.Error("another certificate begins anew", m, err)
		}
	})
	t.Run("a failed answer leaves the session as it was", func(t *testing.T) {
		s := New(plain(), 5)
		s.Offer(all, roamline.SendRecv)
		if _, _, err := s.Answer(edit(sipp, "RTP/AVP 8", "RTP/AVP 99"), nil, roamline.SendRecv); err == nil {
			t.Fatal("answered")
		}
		if _, err := s.Accept(wire(baresip)); err != nil {
			t.Error(err)
		}
	})
}

func TestCodecs(t *testing.T) {
	codecs, transport, dir, err := Codecs(edit(chromium, "sendrecv", "sendonly"))
	if err != nil || transport != roamline.DTLS || dir != roamline.RecvOnly {
		t.Fatal(transport, dir, err)
	}
	names := ""
	for _, c := range codecs {
		names += c.Name + " "
	}
	if want := "opus red G722 PCMU PCMA CN telephone-event telephone-event "; names != want {
		t.Errorf("got %q", names)
	}
	if codecs[0] != roamline.Opus {
		t.Errorf("got %+v", codecs[0])
	}
	if _, transport, _, err := Codecs(wire(asterisk)); err != nil || transport != roamline.SDES {
		t.Error(transport, err)
	}
	if _, _, _, err := Codecs(edit(sipp, "audio", "video")); roamline.KindOf(err) != roamline.Incompatibility {
		t.Error(err)
	}
}
