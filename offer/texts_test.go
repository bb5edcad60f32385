package offer

import "strings"

// Descriptions as real peers write them.

const chromium = `v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=extmap-allow-mixed
a=msid-semantic: WMS 6c1b5a0e-21c3-4ac5-92b3-4f2f5d2c0b7e
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1467250027 1 udp 2122260223 5f2b4c1e-6a53-4e8e-9d4e-0f9d5f8b7c11.local 46243 typ host generation 0 network-id 1
a=candidate:435653019 1 tcp 1518280447 192.168.1.20 9 typ host tcptype active generation 0 network-id 1
a=candidate:842163049 1 udp 1677729535 198.51.100.7 46243 typ srflx raddr 0.0.0.0 rport 0 generation 0 network-id 1
a=ice-ufrag:Ab3/
a=ice-pwd:aW5lZWRtb3JlZW50cm9weXRv
a=ice-options:trickle
a=fingerprint:sha-256 7B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendrecv
a=msid:6c1b5a0e-21c3-4ac5-92b3-4f2f5d2c0b7e 0a9c4f8d-9a22-4bb1-9e5e-3c0f2f3e7d55
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
a=ssrc:3570614608 cname:4TOk42mSjXCkVIa6
a=ssrc:3570614608 msid:6c1b5a0e-21c3-4ac5-92b3-4f2f5d2c0b7e 0a9c4f8d-9a22-4bb1-9e5e-3c0f2f3e7d55
`

const baresip = `v=0
o=- 2208988800 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
a=tool:baresip 1.0.0
m=audio 10188 RTP/AVP 0 8 101
b=AS:125
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=rtcp:10189
a=sendrecv
a=label:1
a=rtcp-rsize
a=ssrc:2712345678 cname:sip:carrier@127.0.0.1
a=ptime:20
`

// Asterisk with pjsip, media_encryption=sdes, a video and a fax line after the
// voice.
const asterisk = `v=0
o=- 1508413246 1508413246 IN IP4 203.0.113.9
s=Asterisk
c=IN IP4 203.0.113.9
b=TIAS:384
t=0 0
m=audio 17622 RTP/SAVP 107 8 0 9 101
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz
a=crypto:2 AES_CM_256_HMAC_SHA1_80 inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==
a=rtpmap:107 OPUS/48000/2
a=fmtp:107 useinbandfec=1
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:9 G722/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=maxptime:60
a=sendrecv
m=video 18432 RTP/SAVP 99
a=rtpmap:99 H264/90000
m=image 4321 udptl t38
a=T38FaxVersion:0
`

const sipp = `v=0
o=user1 53655765 2353687637 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio 6000 RTP/AVP 8
`

// wire returns a text with the line ends of RFC 8866.
func wire(s string) []byte {
	return []byte(strings.ReplaceAll(s, "\n", "\r\n"))
}

// edit replaces pairs of strings in a text and returns it for the wire.
func edit(s string, oldnew ...string) []byte {
	return wire(strings.NewReplacer(oldnew...).Replace(s))
}
