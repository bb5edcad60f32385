package sipp

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/roamline/roamline/test/house"
)

// A run is a running sipp.
type run struct {
	h      *house.House
	cmd    *exec.Cmd
	folder string
	exited chan error
}

// start starts one call. Once: sipp does not repeat its own requests, and takes
// a repeated response for one more (its -nr).
func start(h *house.House, number string, voice *sink, once bool, xml string) *run {
	h.Helper()
	path, err := exec.LookPath("sipp")
	if err != nil {
		h.Fatalf("%v: install sip-tester", err)
	}
	c := &run{h: h, folder: h.TempDir(), exited: make(chan error, 1)}
	if err := os.WriteFile(c.file("carrier.xml"), []byte(xml), 0o600); err != nil {
		h.Fatal(err)
	}
	args := []string{h.SIP("udp"), "-sf", c.file("carrier.xml"), "-m", "1", "-s", number, "-i", "127.0.0.1",
		"-key", "voice", voice.port(),
		"-timeout", "15s", "-timeout_error", "-recv_timeout", "12000", "-nostdin",
		"-trace_err", "-error_file", c.file("errors"), "-trace_msg", "-message_file", c.file("messages")}
	if once {
		args = append(args, "-nr")
	}
	c.cmd = exec.CommandContext(h.Within(), path, args...)
	c.cmd.Dir, c.cmd.Env = c.folder, append(os.Environ(), "TERM=dumb")
	if err := c.cmd.Start(); err != nil {
		h.Fatal(err)
	}
	go func() { c.exited <- c.cmd.Wait() }()
	return c
}

func (c *run) file(name string) string { return filepath.Join(c.folder, name) }

// end waits until sipp is done. An error says that the scenario failed.
func (c *run) end() error {
	select {
	case err := <-c.exited:
		return err
	case <-c.h.Within().Done():
		c.cmd.Process.Kill()
		return errors.Join(errors.New("it did not end"), <-c.exited)
	}
}

// log is what sipp says of its failure, and the messages that it saw.
func (c *run) log() string {
	said := ""
	for _, name := range []string{"errors", "messages"} {
		if b, err := os.ReadFile(c.file(name)); err == nil {
			said += "--- sipp's " + name + "\n" + string(b)
		}
	}
	return said
}

var stamp = regexp.MustCompile(`(?m)^-{10,} (\d{4}-\d\d-\d\d)[ T\t]+(\d\d:\d\d:\d\d\.\d+).*\n.*message (received|sent).*\n\n((?:.+\n)*)`)

// times says when messages went ("sent" or "received") that have lines that
// begin with these texts in their head.
func (c *run) times(way string, texts ...string) (at []time.Time) {
	b, err := os.ReadFile(c.file("messages"))
	if err != nil {
		c.h.Fatal(err)
	}
	for _, m := range stamp.FindAllSubmatch(b, -1) {
		all := string(m[3]) == way
		for _, text := range texts {
			all = all && regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(text)).Match(m[4])
		}
		if !all {
			continue
		}
		t, err := time.ParseInLocation("2006-01-02 15:04:05.999999", string(m[1])+" "+string(m[2]), time.Local)
		if err != nil {
			c.h.Fatal(err)
		}
		at = append(at, t)
	}
	return at
}

// A sink is where the carrier hears: it notes when each packet came.
type sink struct {
	socket net.PacketConn
	mu     sync.Mutex
	came   []time.Time // at most most
}

// most is a minute of packets of 20 ms.
const most = 3000

func listen(h *house.House) *sink {
	h.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		h.Fatal(err)
	}
	v := &sink{socket: socket}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for packet := make([]byte, 1500); ; {
			if _, _, err := socket.ReadFrom(packet); err != nil {
				return
			}
			v.mu.Lock()
			if len(v.came) < most {
				v.came = append(v.came, time.Now())
			}
			v.mu.Unlock()
		}
	}()
	h.Cleanup(func() { socket.Close(); <-done })
	return v
}

func (v *sink) port() string { return strconv.Itoa(v.socket.LocalAddr().(*net.UDPAddr).Port) }

func (v *sink) times() []time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]time.Time(nil), v.came...)
}

// sockets counts the UDP sockets of this process: signalling, and the voice of
// server and browser.
func sockets(h *house.House) int {
	h.Helper()
	ours := map[string]bool{}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		h.Fatal(err)
	}
	for _, fd := range open {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil {
			ours[to] = true
		}
	}
	n := 0
	for _, family := range []string{"udp", "udp6"} {
		table, err := os.ReadFile("/proc/self/net/" + family)
		if err != nil {
			continue // a machine without IPv6
		}
		for _, line := range inode.FindAllSubmatch(table, -1) {
			if ours["socket:["+string(line[1])+"]"] {
				n++
			}
		}
	}
	return n
}

// inode is the tenth column of a line of the table (proc(5)).
var inode = regexp.MustCompile(`(?m)^\s*\d+:(?:\s+\S+){8}\s+(\d+)`)
