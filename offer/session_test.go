package offer

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pion/sdp/v3"
	"github.com/roamline/roamline"
)

func at(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func plain() roamline.Endpoint {
	return roamline.Endpoint{Transport: roamline.RTP, Addr: at("192.0.2.1:20000"), RTCP: at("192.0.2.1:20001"), SSRC: 1, CNAME: "c"}
}

func sdes() roamline.Endpoint {
	e := plain()
	e.Transport = roamline.SDES
	e.Keys = []roamline.CryptoKey{
		{Tag: 1, Suite: "AEAD_AES_128_GCM", Key: bytes.Repeat([]byte{1}, 28)},
		{Tag: 2, Suite: "AES_CM_128_HMAC_SHA1_80", Key: bytes.Repeat([]byte{2}, 30)},
		{Tag: 3, Suite: "AES_CM_128_HMAC_SHA1_32", Key: bytes.Repeat([]byte{3}, 30)},
	}
	return e
}

func dtls() roamline.Endpoint {
	return roamline.Endpoint{
		Transport: roamline.DTLS, Addr: at("192.0.2.1:30000"), RTCP: at("192.0.2.1:30000"), SSRC: 77, CNAME: "cn",
		Ufrag: "abcd", Pwd: strings.Repeat("p", 24), Candidates: []netip.AddrPort{at("10.0.0.1:30000"), at("[2001:db8::1]:30000")},
		Fingerprint: "sha-256 " + strings.TrimSuffix(strings.Repeat("0F:", 32), ":"),
	}
}

const chromiumPrint = "sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08"

func with(c roamline.Codec, payload uint8, fmtp string) roamline.Codec {
	c.Payload, c.Fmtp = payload, fmtp
	return c
}

func ptr[T any](v T) *T { return &v }

var asteriskKey = roamline.CryptoKey{Tag: 1, Suite: "AES_CM_128_HMAC_SHA1_80", Key: []byte("YS___semctl () {\t220;}\n}\nunles")}

func TestAnswer(t *testing.T) {
	webrtc := roamline.Media{
		Codec: roamline.Opus, Receive: 111, DTMF: ptr(with(roamline.DTMF, 110, "")), ReceiveTE: 110,
		Direction: roamline.SendRecv, Ptime: 20 * time.Millisecond, Transport: roamline.DTLS,
		Remote: at("198.51.100.7:46243"), RTCP: at("198.51.100.7:46243"), Mux: true,
		Ufrag: "Ab3/", Pwd: "aW5lZWRtb3JlZW50cm9weXRv", Fingerprint: chromiumPrint,
	}
	phone := roamline.Media{
		Codec: roamline.PCMU, DTMF: ptr(with(roamline.DTMF8, 101, "0-15")), ReceiveTE: 101,
		Direction: roamline.SendRecv, Ptime: 20 * time.Millisecond, Transport: roamline.RTP,
		Remote: at("127.0.0.1:10188"), RTCP: at("127.0.0.1:10189"),
	}
	but := func(m roamline.Media, change func(*roamline.Media)) roamline.Media { change(&m); return m }
	for _, row := range []struct {
		name   string
		local  roamline.Endpoint
		offer  []byte
		prefer []roamline.Codec
		dir    roamline.Direction
		want   roamline.Media
		has    []string // lines of the answer
		hasnt  []string
	}{
		{"Chromium gets ICE-lite, DTLS passive, opus and its clock's events", dtls(), wire(chromium), nil, roamline.SendRecv, webrtc,
			[]string{"a=group:BUNDLE 0", "a=ice-lite", "m=audio 30000 UDP/TLS/RTP/SAVPF 111 110", "c=IN IP4 192.0.2.1", "a=mid:0",
				"a=rtpmap:111 opus/48000/2", "a=fmtp:111 minptime=10;useinbandfec=1", "a=rtpmap:110 telephone-event/48000", "a=setup:passive",
				"a=rtcp-mux", "a=rtcp-rsize", "a=ice-ufrag:abcd", "a=candidate:1 1 udp 2130706431 192.0.2.1 30000 typ host",
				"a=candidate:2 1 udp 2130706175 10.0.0.1 30000 typ host", "a=candidate:3 1 udp 2130705919 2001:db8::1 30000 typ host",
				"a=end-of-candidates", "a=ssrc:77 cname:cn", "a=msid:roamline voice", "a=ptime:20", "a=sendrecv"},
			[]string{"a=extmap", "a=rtcp-fb", "a=rtcp:"}},
		{"what the server prefers goes first, with events of 8 kHz", dtls(), wire(chromium), []roamline.Codec{roamline.PCMA, roamline.Opus}, roamline.SendRecv,
			but(webrtc, func(m *roamline.Media) {
				m.Codec, m.Receive, m.DTMF, m.ReceiveTE = roamline.PCMA, 8, ptr(with(roamline.DTMF8, 126, "")), 126
			}), []string{"m=audio 30000 UDP/TLS/RTP/SAVPF 8 126"}, nil},
		{"G.722 can be relayed if preferred", dtls(), wire(chromium), []roamline.Codec{{Name: "g722", Rate: 8000, Channels: 1}}, roamline.SendRecv,
			but(webrtc, func(m *roamline.Media) {
				m.Codec, m.Receive, m.DTMF, m.ReceiveTE = static[9], 9, ptr(with(roamline.DTMF8, 126, "")), 126
			}), []string{"a=rtpmap:9 G722/8000"}, nil},
		{"a peer that must be DTLS server makes us active", dtls(), edit(chromium, "actpass", "passive"), nil, roamline.SendRecv,
			but(webrtc, func(m *roamline.Media) { m.Active = true }), []string{"a=setup:active"}, nil},
		{"no setup means that the offerer is active", dtls(), edit(chromium, "a=setup:actpass\n", ""), nil, roamline.SendRecv, webrtc, []string{"a=setup:passive"}, nil},
		{"RTP/SAVPF with a fingerprint is DTLS", dtls(), edit(chromium, "UDP/TLS/RTP/SAVPF", "RTP/SAVPF"), nil, roamline.SendRecv, webrtc, []string{"m=audio 30000 RTP/SAVPF 111 110"}, nil},
		{"the profile without feedback is taken", dtls(), edit(chromium, "RTP/SAVPF", "RTP/SAVP"), nil, roamline.SendRecv, webrtc, []string{"m=audio 30000 UDP/TLS/RTP/SAVP 111 110"}, nil},
		{"ICE and DTLS may stand at the session level", dtls(), edit(chromium,
			"a=ice-ufrag:Ab3/\na=ice-pwd:aW5lZWRtb3JlZW50cm9weXRv\n", "", chromiumPrint, strings.ToLower(chromiumPrint), "a=setup:actpass\n", "", "t=0 0\n",
			"t=0 0\na=ice-ufrag:Ab3/\na=ice-pwd:aW5lZWRtb3JlZW50cm9weXRv\na=setup:actpass\n"), nil, roamline.SendRecv, webrtc, nil, nil},
		{"without BUNDLE none is answered", dtls(), edit(chromium, "a=group:BUNDLE 0\n", ""), nil, roamline.SendRecv, webrtc, []string{"a=mid:0"}, []string{"a=group"}},
		{"baresip", plain(), wire(baresip), nil, roamline.SendRecv, phone,
			[]string{"m=audio 20000 RTP/AVP 0 101", "a=rtpmap:0 PCMU/8000", "a=fmtp:101 0-16", "o=- 5 1 IN IP4 192.0.2.1"}, []string{"a=rtcp", "a=ice", "a=mid", "a=ssrc", "a=crypto"}},
		{"AVPF is answered as AVPF", plain(), edit(baresip, "RTP/AVP", "RTP/AVPF"), nil, roamline.SendRecv, phone, []string{"m=audio 20000 RTP/AVPF 0 101"}, nil},
		{"names are compared without case", plain(), edit(baresip, "PCMU", "pcmu", "telephone-event", "Telephone-Event"), nil, roamline.SendRecv, phone, []string{"a=rtpmap:0 PCMU/8000"}, nil},
		{"no common preference: the first that is known", plain(), edit(baresip, "0 8 101", "18 8 101"), []roamline.Codec{roamline.Opus}, roamline.SendRecv,
			but(phone, func(m *roamline.Media) { m.Codec, m.Receive = roamline.PCMA, 8 }), nil, nil},
		{"sipp names no payload type", plain(), wire(sipp), nil, roamline.SendRecv,
			roamline.Media{Codec: roamline.PCMA, Receive: 8, Direction: roamline.SendRecv, Ptime: 20 * time.Millisecond, Transport: roamline.RTP,
				Remote: at("127.0.0.1:6000"), RTCP: at("127.0.0.1:6001")}, []string{"m=audio 20000 RTP/AVP 8", "a=rtpmap:8 PCMA/8000"}, []string{"telephone-event"}},
		{"lines may end in LF alone", plain(), []byte(baresip), nil, roamline.SendRecv, phone, nil, nil},
		{"RTCP has a port and an address of its own", plain(), edit(baresip, "a=rtcp:10189", "a=rtcp:4000 IN IP4 198.51.100.1"), nil, roamline.SendRecv,
			but(phone, func(m *roamline.Media) { m.RTCP = at("198.51.100.1:4000") }), nil, nil},
		{"RTCP on the port of RTP", plain(), edit(baresip, "a=rtcp:10189", "a=rtcp-mux"), nil, roamline.SendRecv,
			but(phone, func(m *roamline.Media) { m.RTCP, m.Mux = m.Remote, true }), []string{"a=rtcp-mux"}, nil},
		{"IPv6", plain(), edit(baresip, "IP4 127.0.0.1", "IP6 2001:db8::9"), nil, roamline.SendRecv,
			but(phone, func(m *roamline.Media) { m.Remote, m.RTCP = at("[2001:db8::9]:10188"), at("[2001:db8::9]:10189") }), nil, nil},
		{"the stream's address goes before the session's", plain(), edit(baresip, "b=AS:125", "c=IN IP4 198.51.100.4"), nil, roamline.SendRecv,
			but(phone, func(m *roamline.Media) { m.Remote, m.RTCP = at("198.51.100.4:10188"), at("198.51.100.4:10189") }), nil, nil},
		{"held: we receive only what they send", plain(), edit(baresip, "sendrecv", "sendonly"), nil, roamline.SendRecv,
			but(phone, func(m *roamline.Media) { m.Direction = roamline.RecvOnly }), []string{"a=recvonly"}, nil},
		{"inactive stays inactive", plain(), edit(baresip, "sendrecv", "inactive"), nil, roamline.SendRecv,
			but(phone, func(m *roamline.Media) { m.Direction = roamline.Inactive }), []string{"a=inactive"}, nil},
		{"never wider than the caller of Answer wants", plain(), wire(baresip), nil, roamline.SendOnly,
			but(phone, func(m *roamline.Media) { m.Direction = roamline.SendOnly }), []string{"a=sendonly"}, nil},
		{"sendonly met with sendonly flows nowhere", plain(), edit(baresip, "sendrecv", "sendonly"), nil, roamline.SendOnly,
			but(phone, func(m *roamline.Media) { m.Direction = roamline.Inactive }), []string{"a=inactive"}, nil},
		{"direction at the session level", plain(), edit(baresip, "a=sendrecv\n", "", "a=tool:baresip 1.0.0", "a=sendonly"), nil, roamline.SendRecv,
			but(phone, func(m *roamline.Media) { m.Direction = roamline.RecvOnly }), nil, nil},
		{"held the old way with an address of zeros", plain(), edit(baresip, "c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0"), nil, roamline.SendRecv,
			but(phone, func(m *roamline.Media) {
				m.Direction, m.Remote, m.RTCP = roamline.RecvOnly, netip.AddrPort{}, netip.AddrPort{}
			}), []string{"a=recvonly"}, nil},
		{"packets of 30 ms", plain(), edit(baresip, "ptime:20", "ptime:30"), nil, roamline.SendRecv,
			but(phone, func(m *roamline.Media) { m.Ptime = 30 * time.Millisecond }), []string{"a=ptime:20"}, nil},
		{"no packet over maxptime", plain(), edit(baresip, "ptime:20", "ptime:40\na=maxptime:10"), nil, roamline.SendRecv,
			but(phone, func(m *roamline.Media) { m.Ptime = 10 * time.Millisecond }), nil, nil},
		{"Asterisk: keys, other streams refused in their places", sdes(), wire(asterisk), []roamline.Codec{roamline.PCMU}, roamline.SendRecv,
			roamline.Media{Codec: roamline.PCMU, DTMF: ptr(with(roamline.DTMF8, 101, "0-16")), ReceiveTE: 101, Direction: roamline.SendRecv,
				Ptime: 20 * time.Millisecond, Transport: roamline.SDES, Remote: at("203.0.113.9:17622"), RTCP: at("203.0.113.9:17623"),
				Send: roamline.CryptoKey{Tag: 1, Suite: "AES_CM_128_HMAC_SHA1_80", Key: bytes.Repeat([]byte{2}, 30)}, Recv: asteriskKey},
			[]string{"m=audio 20000 RTP/SAVP 0 101", "m=video 0 RTP/SAVP 99", "m=image 0 udptl t38", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AgIC"}, nil},
		{"opus without events of its clock has none", sdes(), wire(asterisk), nil, roamline.SendRecv,
			roamline.Media{Codec: with(roamline.Opus, 107, "useinbandfec=1"), Receive: 107, Direction: roamline.SendRecv,
				Ptime: 20 * time.Millisecond, Transport: roamline.SDES, Remote: at("203.0.113.9:17622"), RTCP: at("203.0.113.9:17623"),
				Send: roamline.CryptoKey{Tag: 1, Suite: "AES_CM_128_HMAC_SHA1_80", Key: bytes.Repeat([]byte{2}, 30)}, Recv: asteriskKey},
			[]string{"a=rtpmap:107 opus/48000/2"}, []string{"telephone-event"}},
		{"the voice may be the second stream", plain(), append(wire("v=0\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 99\n"), "m=audio 6000 RTP/AVP 8\r\n"...), nil, roamline.SendRecv,
			roamline.Media{Codec: roamline.PCMA, Receive: 8, Direction: roamline.SendRecv, Ptime: 20 * time.Millisecond, Transport: roamline.RTP,
				Remote: at("127.0.0.1:6000"), RTCP: at("127.0.0.1:6001")}, []string{"m=video 0 RTP/AVP 99", "m=audio 20000 RTP/AVP 8"}, nil},
		{"of two voices the one that travels as the leg does", plain(), append(edit(sipp, "RTP/AVP", "RTP/SAVP"), "m=audio 6002 RTP/AVP 0\r\n"...), nil, roamline.SendRecv,
			roamline.Media{Codec: roamline.PCMU, Direction: roamline.SendRecv, Ptime: 20 * time.Millisecond, Transport: roamline.RTP,
				Remote: at("127.0.0.1:6002"), RTCP: at("127.0.0.1:6003")}, []string{"m=audio 0 RTP/SAVP 8", "m=audio 20000 RTP/AVP 0"}, nil},
		{"keys beside RTP/AVP are used by a leg that has some", sdes(), edit(asterisk, "RTP/SAVP 107", "RTP/AVP 107"), []roamline.Codec{roamline.PCMA}, roamline.SendRecv,
			roamline.Media{Codec: roamline.PCMA, Receive: 8, DTMF: ptr(with(roamline.DTMF8, 101, "0-16")), ReceiveTE: 101, Direction: roamline.SendRecv,
				Ptime: 20 * time.Millisecond, Transport: roamline.SDES, Remote: at("203.0.113.9:17622"), RTCP: at("203.0.113.9:17623"),
				Send: roamline.CryptoKey{Tag: 1, Suite: "AES_CM_128_HMAC_SHA1_80", Key: bytes.Repeat([]byte{2}, 30)}, Recv: asteriskKey},
			[]string{"m=audio 20000 RTP/AVP 8 101", "a=crypto:1 AES_CM"}, nil},
		{"keys beside RTP/AVP are not used by one that hasn't", plain(), edit(asterisk, "RTP/SAVP 107", "RTP/AVP 107"), []roamline.Codec{roamline.PCMA}, roamline.SendRecv,
			roamline.Media{Codec: roamline.PCMA, Receive: 8, DTMF: ptr(with(roamline.DTMF8, 101, "0-16")), ReceiveTE: 101, Direction: roamline.SendRecv,
				Ptime: 20 * time.Millisecond, Transport: roamline.RTP, Remote: at("203.0.113.9:17622"), RTCP: at("203.0.113.9:17623")}, nil, []string{"a=crypto"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := New(row.local, 5)
			text, m, err := s.Answer(row.offer, row.prefer, row.dir)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(row.want, m, cmp.Comparer(sameAddr)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			check(t, text, row.has, row.hasnt)
		})
	}
}

// check looks for whole lines (or their beginnings, for long ones) in a text,
// and lets another reader than ours read it.
func check(t *testing.T, text []byte, has, hasnt []string) {
	t.Helper()
	lines := strings.Split(string(text), "\r\n")
	starts := func(want string) func(string) bool {
		return func(l string) bool { return strings.HasPrefix(l, want) }
	}
	for _, want := range has {
		if !slices.ContainsFunc(lines, starts(want)) {
			t.Errorf("no line %q in\n%s", want, text)
		}
	}
	for _, not := range hasnt {
		if slices.ContainsFunc(lines, starts(not)) || strings.Contains(string(text), not) {
			t.Errorf("%q in\n%s", not, text)
		}
	}
	if bytes.Contains(text, []byte("m=image")) {
		return // pion/sdp reads no such stream
	}
	if err := new(sdp.SessionDescription).Unmarshal(text); err != nil {
		t.Errorf("pion/sdp: %v in\n%s", err, text)
	}
}

func TestAnswerRefuses(t *testing.T) {
	for _, row := range []struct {
		name  string
		local roamline.Endpoint
		offer []byte
		kind  roamline.Kind
	}{
		{"nothing", plain(), nil, roamline.Invalid},
		{"no SDP", plain(), []byte("hello"), roamline.Invalid},
		{"another version", plain(), edit(sipp, "v=0", "v=1"), roamline.Invalid},
		{"a port that is none", plain(), edit(sipp, "6000", "66000"), roamline.Invalid},
		{"a stream without formats", plain(), edit(sipp, "RTP/AVP 8", "RTP/AVP"), roamline.Invalid},
		{"an unknown type letter", plain(), edit(sipp, "s=-", "x=-"), roamline.Invalid},
		{"a carriage return within a line", plain(), []byte("v=0\r\ns=a\rb\r\n"), roamline.Invalid},
		{"too long", plain(), append(wire(sipp), bytes.Repeat([]byte("a=x\r\n"), 8000)...), roamline.Invalid},
		{"too many streams", plain(), append(wire(sipp), bytes.Repeat([]byte("m=video 0 RTP/AVP 9\r\n"), 40)...), roamline.Invalid},
		{"no audio", plain(), edit(sipp, "m=audio", "m=video"), roamline.Incompatibility},
		{"audio switched off", plain(), edit(sipp, "6000", "0"), roamline.Incompatibility},
		{"an unknown transport", plain(), edit(sipp, "RTP/AVP", "TCP/MRCPv2"), roamline.Incompatibility},
		{"another transport than the leg's", dtls(), wire(sipp), roamline.Incompatibility},
		{"no codec in common", plain(), edit(sipp, "AVP 8", "AVP 3 18"), roamline.Incompatibility},
		{"stereo G.711 is another codec", plain(), edit(sipp, "AVP 8\n", "AVP 96\na=rtpmap:96 PCMU/8000/2\n"), roamline.Incompatibility},
		{"a payload type without a name", plain(), edit(sipp, "AVP 8", "AVP 96"), roamline.Incompatibility},
		{"an address by name", plain(), edit(sipp, "c=IN IP4 127.0.0.1", "c=IN IP4 phone.example"), roamline.Incompatibility},
		{"no address", plain(), edit(sipp, "c=IN IP4 127.0.0.1\n", ""), roamline.Incompatibility},
		{"a multicast address", plain(), edit(sipp, "c=IN IP4 127.0.0.1", "c=IN IP4 224.2.1.1/127"), roamline.Incompatibility},
		{"no fingerprint", dtls(), edit(chromium, "a=fingerprint", "a=x"), roamline.Incompatibility},
		{"a weak fingerprint only", dtls(), edit(chromium, "sha-256 7B", "sha-1 7B"), roamline.Incompatibility},
		{"a short fingerprint", dtls(), edit(chromium, ":19:08", ""), roamline.Invalid},
		{"no ICE", dtls(), edit(chromium, "a=ice", "a=x"), roamline.Incompatibility},
		{"a short ICE password", dtls(), edit(chromium, "aW5lZWRtb3JlZW50cm9weXRv", "abc"), roamline.Invalid},
		{"two components of ICE", dtls(), edit(chromium, "a=rtcp-mux\n", ""), roamline.Incompatibility},
		{"a held DTLS connection", dtls(), edit(chromium, "actpass", "holdconn"), roamline.Incompatibility},
		{"no suite in common", sdes(), edit(asterisk, "AES_CM_128_HMAC_SHA1_80", "F8_128_HMAC_SHA1_80"), roamline.Incompatibility},
		{"keys that want more than we do", sdes(), edit(asterisk, "VubGVz", "VubGVz UNENCRYPTED_SRTCP"), roamline.Incompatibility},
		{"a master key identifier", sdes(), edit(asterisk, "VubGVz", "VubGVz|2^20|1:4"), roamline.Incompatibility},
		{"a short key", sdes(), edit(asterisk, "VubGVz", ""), roamline.Incompatibility},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := New(row.local, 5)
			_, _, err := s.Answer(row.offer, nil, roamline.SendRecv)
			if err == nil || roamline.KindOf(err) != row.kind {
				t.Fatalf("got %v, want %v", err, row.kind)
			}
			if s.Version != 0 || s.agreed.Transport != "" {
				t.Error("the session has changed")
			}
		})
	}
}
