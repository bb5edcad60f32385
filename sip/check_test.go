package sip

import (
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

const goodText = "INVITE sip:1001@example.net SIP/2.0\nVia: SIP/2.0/UDP host.example;branch=z9hG4bK1\nFrom: <sip:a@b>;tag=1\nTo: <sip:x@y>\n" +
	"Call-ID: 1@host\nCSeq: 1 INVITE\nContact: <sip:a@host>\nMax-Forwards: 70\nContent-Length: 0\n\n"

func judge(s string) *fault {
	t, flt := parseDatagram([]byte(crlf(s)))
	if flt == nil {
		flt = t.check()
	}
	return flt
}

func TestCheck(t *testing.T) {
	for _, row := range []struct {
		rule     string
		old, new string
		code     int // 0: accepted
	}{
		{"a plain request", "", "", 0},
		{"another version", "SIP/2.0\n", "SIP/3.0\n", 505},
		{"no version", " SIP/2.0\n", "\n", 400},
		{"two spaces", "INVITE sip", "INVITE  sip", 400},
		{"a space behind", "SIP/2.0\n", "SIP/2.0 \n", 400},
		{"brackets round the target", "sip:1001@example.net", "<sip:1001@example.net>", 400},
		{"a port that is none", "1001@example.net", "1001@example.net:99999", 400},
		{"an address without brackets", "1001@example.net", "1001@2001:db8::1", 400},
		{"another method in CSeq", "1 INVITE", "1 BYE", 400},
		{"CSeq too great", "1 INVITE", "2147483648 INVITE", 400},
		{"CSeq that is no number", "1 INVITE", "one INVITE", 400},
		{"no Call-ID", "Call-ID: 1@host\n", "", 400},
		{"no Via", "Via: SIP/2.0/UDP host.example;branch=z9hG4bK1\n", "", 400},
		{"no From", "From: <sip:a@b>;tag=1\n", "", 400},
		{"no To", "To: <sip:x@y>\n", "", 400},
		{"no CSeq", "CSeq: 1 INVITE\n", "", 400},
		{"no Max-Forwards is RFC 2543", "Max-Forwards: 70\n", "", 0},
		{"Max-Forwards too great", "Max-Forwards: 70", "Max-Forwards: 256", 400},
		{"Max-Forwards below nothing", "Max-Forwards: 70", "Max-Forwards: -1", 400},
		{"two From", "To: <sip:x@y>\n", "To: <sip:x@y>\nf: <sip:c@d>;tag=2\n", 400},
		{"two To in one", "<sip:x@y>", "<sip:x@y>, <sip:z@y>", 400},
		{"two Contact are a list", "Contact: <sip:a@host>", "Contact: <sip:a@host>\nm: <sip:b@host>", 0},
		{"two equal Content-Length", "Content-Length: 0", "Content-Length: 0\nl: 0", 0},
		{"two that differ", "Content-Length: 0", "Content-Length: 0\nl: 5", 400},
		{"Content-Length below nothing", "Content-Length: 0", "Content-Length: -9", 400},
		{"a body that is cut", "Content-Length: 0", "Content-Length: 9", 400},
		{"an open quote", "<sip:x@y>", `"Ana <sip:x@y>`, 400},
		{"an escaped quote", "<sip:x@y>", `"An\"a" <sip:x@y>`, 0},
		{"a name of several tokens", "<sip:x@y>", `Ana Maria <sip:x@y>`, 0},
		{"a name that is no token", "<sip:x@y>", `Ana, Maria <sip:x@y>`, 400},
		{"an open bracket", "<sip:x@y>", `<sip:x@y`, 400},
		{"an empty parameter", "<sip:x@y>", `<sip:x@y>;;`, 400},
		{"a line that is no field", "Max-Forwards: 70", "Max-Forwards 70", 400},
		{"a folded line", "Max-Forwards: 70", "Max-Forwards:\n 70", 0},
		{"a Via that is none", "SIP/2.0/UDP host.example", "HTTP/1.1 host.example", 400},
		{"Via with spaces", "SIP/2.0/UDP host.example", "SIP / 2.0 / UDP host.example : 5060", 0},
		{"Session-Expires that is no number", "Max-Forwards: 70", "Max-Forwards: 70\nx: soon", 400},
		{"Expires too great", "Max-Forwards: 70", "Max-Forwards: 70\nExpires: 4294967296", 400},
		{"a foreign scheme is well formed", "sip:1001@example.net", "soap.beep://1", 0},
		{"headers in the target", "1001@example.net", "1001@example.net?Route=x", 400},
		{"a question mark in the user", "1001@example.net", "10?01@example.net", 0},
	} {
		flt := judge(strings.Replace(goodText, row.old, row.new, 1))
		if code := faultCode(flt); code != row.code {
			t.Errorf("%s: %v, want %d", row.rule, flt, row.code)
		}
	}
	for _, s := range []string{"SIP/2.0 99 Low", "SIP/2.0 700 High", "SIP/2.0 4294967301 Big", "SIP/3.0 200 OK", "SIP/2.0 2x0 OK"} {
		_, rest, _ := strings.Cut(goodText, "\n")
		if flt := judge(s + "\n" + rest); flt == nil || flt.code != 0 {
			t.Errorf("%s: %v, want it dropped", s, flt)
		}
	}
}

func faultCode(f *fault) int {
	if f == nil {
		return 0
	}
	return f.code
}

func TestPlainForm(t *testing.T) {
	s := strings.Replace(goodText, "From: <sip:a@b>;tag=1", "f :\n \"A \\\"B\\\"\"   <sip:a@b>\n ; TAG = 1 ; x", 1)
	s = strings.Replace(s, "Via: ", "v: SIP / 2.0 / UDP first.example ; branch = z9hG4bK0 ,", 1)
	txt, flt := parseDatagram([]byte(crlf(s)))
	if flt == nil {
		flt = txt.check()
	}
	if flt != nil {
		t.Fatal(flt)
	}
	msg, err := txt.message()
	if err != nil {
		t.Fatal(err)
	}
	if msg.From().Value() != `"A \"B\"" <sip:a@b>;tag=1;x` || tagOf(msg.From()) != "1" {
		t.Errorf("From %s", msg.From().Value())
	}
	vias := msg.GetHeaders("Via")
	if len(vias) != 2 || vias[0].Value() != "SIP/2.0/UDP first.example;branch=z9hG4bK0" || msg.Via().Host != "first.example" {
		t.Errorf("Via %v", vias)
	}
}

func TestReadDigit(t *testing.T) {
	for body, want := range map[string]byte{"Signal=5\r\nDuration=160\r\n": '5', "Signal= *\r\n": '*', "Signal=11": '#', "9": '9',
		"Signal=a": 'A', "Signal=12": 'A', "Signal=15": 'D', "": 0, "Signal=77": 0, "x": 0} {
		d, ok := parseDigit(body)
		if ok != (want != 0) || ok && d.Key != want {
			t.Errorf("%q: %c, %v", body, d.Key, ok)
		}
	}
}

func TestSDPInMultipart(t *testing.T) {
	body := crlf("--b\nContent-Type: application/isup\n\n\x01\x02\n--b\nContent-Type: application/sdp\n\nv=0\n--b--\n")
	req := sip.NewRequest(sip.INVITE, sip.Uri{Host: "x"})
	req.AppendHeader(sip.NewHeader("Content-Type", `multipart/mixed;boundary="b"`))
	req.SetBody([]byte(body))
	if got := string(sdpOf(req)); got != "v=0" {
		t.Errorf("got %q", got)
	}
}

func TestRedact(t *testing.T) {
	got := redact(crlf("REGISTER sip:x SIP/2.0\nAuthorization: Bearer secret1\nProxy-Authorization: Digest response=\"secret2\"\n\n" +
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:secret3\na=ice-pwd:secret4\na=ice-ufrag:open\n"))
	if strings.Contains(got, "secret") || !strings.Contains(got, "a=ice-ufrag:open") || !strings.Contains(got, "Authorization: Bearer (redacted)") ||
		!strings.Contains(got, "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:(redacted)") {
		t.Error(got)
	}
}

func TestTables(t *testing.T) {
	for code := 300; code < 700; code++ {
		if causeOf(code) == "" {
			t.Errorf("%d has no cause", code)
		}
	}
	for c, v := range verdicts {
		if v.code < 400 || v.code > 699 || v.text == "" || v.reason == "" {
			t.Errorf("%s: %+v", c, v)
		}
	}
	if verdictOf("never heard of").code != 500 {
		t.Error("an unknown cause is not 500")
	}
}
