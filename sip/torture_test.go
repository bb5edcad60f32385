package sip

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/roamline/roamline"
)

// The messages of RFC 4475 and RFC 5118, each through a running door: from the
// trunk's address with the outcome that the manifest names, and from a
// stranger, who learns nothing.

type tortured struct {
	name, want string
	data       []byte
}

func torture(t *testing.T) []tortured {
	t.Helper()
	var list []tortured
	add := func(dir, file, want string) {
		data, err := os.ReadFile(filepath.Join("testdata", "torture", dir, file))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, tortured{dir + "/" + file, want, data})
	}
	rows := func(dir string) [][]string {
		b, err := os.ReadFile(filepath.Join("testdata", "torture", dir, "manifest.tsv"))
		if err != nil {
			t.Fatal(err)
		}
		var rows [][]string
		for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
			rows = append(rows, strings.Split(line, "\t"))
		}
		return rows
	}
	for _, r := range rows("rfc4475") {
		add("rfc4475", r[0], r[3])
	}
	for _, r := range rows("rfc5118") {
		want := "not 400"
		if strings.HasPrefix(r[2], "reject") {
			want = "400"
		}
		add("rfc5118", r[0]+".dat", want)
	}
	return list
}

// fits compares a code with what the manifest wants; 0 is no answer.
func fits(code int, want string) bool {
	switch want {
	case "any", "":
		return true
	case "no answer":
		return code == 0
	case "not 400":
		return code != 400 && code != 0
	case "one answer":
		return code != 0
	}
	for _, w := range strings.Split(want, "|") {
		if w == "handled" && code != 0 || w == strconv.Itoa(code) {
			return true
		}
	}
	return false
}

// outcome sends raw bytes and returns the final code; 0 if nothing came. The
// address in Via is nowhere here, so the request is made to ask for an answer
// to its source: only what the message itself leaves open.
func (u *ua) outcome(w *world, data []byte) (code, answers int) {
	w.Helper()
	u.conn.WriteTo(data, net.UDPAddrFromAddrPort(u.to))
	// A request that is answered for sure marks the end of the answers.
	u.write("OPTIONS sip:x@127.0.0.1 SIP/2.0\nVia: " + u.via + ";branch=" + newBranch() + ";rport\nFrom: <sip:a@b>;tag=1\nTo: <sip:x@y>\nCall-ID: end-" +
		newTag() + "\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n")
	for {
		select {
		case b := <-u.in:
			msg, err := sip.ParseMessage(b)
			if err != nil {
				if bytes.HasPrefix(b, []byte("SIP/2.0 ")) { // echoes what is malformed
					code, _ = strconv.Atoi(string(b[8:11]))
					answers++
					continue
				}
				w.Fatalf("got %q", b)
			}
			res, ok := msg.(*sip.Response)
			if !ok {
				continue
			}
			if id := res.CallID(); id != nil && strings.HasPrefix(id.Value(), "end-") {
				return code, answers
			}
			if id := res.CallID(); id != nil && !bytes.Contains(data, []byte(id.Value())) {
				continue // repeated, to one before
			}
			if res.StatusCode > 100 {
				code = res.StatusCode
				answers++
			}
		case <-time.After(5 * time.Second):
			w.Fatalf("the door answers no more")
		}
	}
}

// withRport makes the answer come back to this socket.
func withRport(data []byte) []byte {
	head, body, ok := bytes.Cut(data, []byte("\r\n\r\n"))
	end := "\r\n\r\n"
	if !ok {
		end = ""
	}
	lines := strings.Split(string(head), "\r\n")
	for i, l := range lines {
		name, _, _ := strings.Cut(l, ":")
		if n := strings.ToLower(strings.TrimSpace(name)); n != "via" && n != "v" {
			continue
		}
		j := i
		for j+1 < len(lines) && (strings.HasPrefix(lines[j+1], " ") || strings.HasPrefix(lines[j+1], "\t")) {
			j++
		}
		if k := strings.IndexByte(lines[j], ','); k > 0 && !strings.Contains(lines[j], ";;") {
			lines[j] = lines[j][:k] + ";rport" + lines[j][k:]
		} else {
			lines[j] += ";rport"
		}
		break
	}
	return append([]byte(strings.Join(lines, "\r\n")+end), body...)
}

// refuseCalls refuses whatever becomes a call, until the test ends.
func (w *world) refuseCalls() {
	done := make(chan struct{})
	w.Cleanup(func() { close(done) })
	go func() {
		for {
			select {
			case ev := <-w.events:
				if o, ok := ev.(roamline.Offered); ok {
					w.door.Hangup(o.Leg, roamline.UnknownNumber)
				}
			case <-done:
				return
			}
		}
	}()
}

func TestTortureFromTrunk(t *testing.T) {
	w := open(t)
	w.refuseCalls()
	for _, m := range torture(t) {
		t.Run(m.name, func(t *testing.T) {
			code, answers := w.carrier.outcome(&world{T: t}, withRport(m.data))
			for code == 0 && !fits(0, m.want) { // a call that is about to be refused
				msg, ok := w.carrier.message(&world{T: t}).(*sip.Response)
				if ok && msg.StatusCode > 100 && bytes.Contains(m.data, []byte(msg.CallID().Value())) {
					code = msg.StatusCode
				}
			}
			if !fits(code, m.want) {
				t.Errorf("got %d, want %s\n%s", code, m.want, m.data)
			}
			if m.want == "one answer" && answers != 1 {
				t.Errorf("%d answers", answers)
			}
		})
	}
}

func TestTortureFromStranger(t *testing.T) {
	w := open(t)
	for i, m := range torture(t) {
		stranger := w.phoneAt("stranger", "127.0.1."+strconv.Itoa(i+1)+":0") // answers are limited by address
		t.Run(m.name, func(t *testing.T) {
			switch code, _ := stranger.outcome(&world{T: t}, withRport(m.data)); code {
			case 0, 400, 401, 505: // 401 whatever it asks; 400 and 505 whoever asks
			default:
				t.Errorf("a stranger learns %d from\n%s", code, m.data)
			}
		})
	}
	w.quietly()
}
