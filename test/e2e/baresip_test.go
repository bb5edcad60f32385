package e2e

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/roamline/roamline/demo/pcm"
	"github.com/roamline/roamline/test/house"
)

// A baresip is a telephone that is not ours: the carrier's, or one on a desk. It
// speaks a tone and records what it hears.
type baresip struct {
	t       *testing.T
	running *exec.Cmd
	folder  string // it records there, whole when it has ended
	done    chan error
}

// A line is how a baresip reaches the world.
type line struct {
	at      string // its own address and port
	codec   string // as baresip names it: "PCMA/8000/1"
	account string // further parameters of the account, ";a=b;c=d"
	user    string // user part of its address
	host    string // whom the account belongs to; at, if empty
	run     string // a command for baresip's menu; may be empty
}

// caller is the carrier's telephone, which calls a URI by itself.
func caller(at, codec, uri string) line {
	return line{at: at, codec: codec, account: ";regint=0", user: "+4930123456", run: "/dial " + uri}
}

// start starts baresip on a line, speaking hz.
func start(t *testing.T, l line, hz float64) *baresip {
	t.Helper()
	dir := t.TempDir()
	b := &baresip{t: t, folder: dir, done: make(chan error, 1)}
	voice := filepath.Join(dir, "voice.wav")
	write(t, voice, pcm.Tone(hz, time.Minute))
	config := fmt.Sprintf(`poll_method epoll
sip_listen %s
net_interface %s
audio_source aufile,%s
audio_player aubridge,nobody
audio_alert aubridge,nobody
snd_path %s
ausrc_srate 8000
ausrc_channels 1
audio_srate 8000
audio_channels 1
module_path /usr/lib/baresip/modules
module g711.so
module opus.so
module srtp.so
module uuid.so
module aufile.so
module aubridge.so
module sndfile.so
module_app account.so
module_app menu.so
`, l.at, netip.MustParseAddrPort(l.at).Addr(), voice, b.folder)
	host := l.host
	if host == "" {
		host = l.at
	}
	account := fmt.Sprintf("<sip:%s@%s>;audio_codecs=%s%s\n", l.user, host, l.codec, l.account)
	ok(t, os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600))
	ok(t, os.WriteFile(filepath.Join(dir, "accounts"), []byte(account), 0o600))
	ok(t, os.WriteFile(filepath.Join(dir, "contacts"), nil, 0o600))
	args := []string{"-f", dir, "-t", "120"}
	if l.run != "" {
		args = append(args, "-e", l.run)
	}
	b.running = exec.Command("baresip", args...)
	b.running.Stdout, b.running.Stderr = t.Output(), t.Output()
	ok(t, b.running.Start())
	go func() { b.done <- b.running.Wait() }()
	t.Cleanup(b.end)
	return b
}

// end stops baresip, and so completes its recording.
func (b *baresip) end() {
	if b.running == nil {
		return
	}
	b.running.Process.Signal(syscall.SIGTERM)
	select {
	case <-b.done: // it was told to: how it ended is no news
	case <-time.After(house.Limit):
		b.running.Process.Kill()
		<-b.done
		b.t.Error("baresip did not end when it was told to")
	}
	b.running = nil
}

// recorded returns what baresip hears, as far as it is on the disk.
func (b *baresip) recorded() []int16 {
	b.t.Helper()
	found, err := filepath.Glob(filepath.Join(b.folder, "dump-*-dec.wav"))
	ok(b.t, err)
	if len(found) == 0 {
		return nil
	}
	wav, err := os.ReadFile(found[0])
	ok(b.t, err)
	return thinned(wav)
}

// listened reports whether baresip has recorded two seconds.
func (b *baresip) listened() bool { return len(b.recorded()) >= 2*pcm.Rate }

// hears ends baresip and looks for a tone in what it recorded.
func (b *baresip) hears(hz float64) {
	b.t.Helper()
	b.end()
	if heard := b.recorded(); !pcm.Hears(heard, hz) {
		b.t.Errorf("baresip heard no %v Hz in %v of voice", hz, pcm.Length(len(heard)))
	}
}

// thinned returns the first channel of a WAV file of 16 bits at 8 kHz. It leaves
// out samples and filters nothing: what is listened for is a tone of at most
// 4 kHz. A file that has only begun is empty.
func thinned(wav []byte) (samples []int16) {
	const head = 44
	if len(wav) < head {
		return nil
	}
	channels, rate := int(binary.LittleEndian.Uint16(wav[22:])), int(binary.LittleEndian.Uint32(wav[24:]))
	for step := 2 * channels * rate / pcm.Rate; len(wav) >= head+step; wav = wav[step:] {
		samples = append(samples, int16(binary.LittleEndian.Uint16(wav[head:])))
	}
	return samples
}

func write(t *testing.T, path string, samples []int16) {
	t.Helper()
	f, err := os.Create(path)
	ok(t, err)
	ok(t, pcm.WriteWAV(f, samples))
	ok(t, f.Close())
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
