package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/roamline/roamline/demo/pcm"
	"github.com/roamline/roamline/test/house"
)

// A baresip is the carrier's telephone: it calls, speaks a tone, and records
// what it hears.
type baresip struct {
	t       *testing.T
	running *exec.Cmd
	folder  string // it records there, whole when it has ended
	done    chan error
}

// dial starts baresip at an address, speaking hz, and lets it call a URI.
func dial(t *testing.T, at, uri string, hz float64) *baresip {
	t.Helper()
	dir := t.TempDir()
	b := &baresip{t: t, folder: dir, done: make(chan error, 1)}
	voice := filepath.Join(dir, "voice.wav")
	write(t, voice, pcm.Tone(hz, time.Minute))
	config := fmt.Sprintf(`poll_method epoll
sip_listen %s
net_interface 127.0.0.1
audio_source aufile,%s
audio_player aubridge,nobody
audio_alert aubridge,nobody
snd_path %s
audio_srate 8000
audio_channels 1
module_path /usr/lib/baresip/modules
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module_app account.so
module_app menu.so
`, at, voice, b.folder)
	ok(t, os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600))
	ok(t, os.WriteFile(filepath.Join(dir, "accounts"), []byte("<sip:+4930123456@"+at+">;regint=0;audio_codecs=PCMA/8000/1\n"), 0o600))
	ok(t, os.WriteFile(filepath.Join(dir, "contacts"), nil, 0o600))
	b.running = exec.Command("baresip", "-4", "-f", dir, "-t", "120", "-e", "/dial "+uri)
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

// recording returns the file of what baresip hears; empty before there is one.
func (b *baresip) recording() string {
	found, err := filepath.Glob(filepath.Join(b.folder, "dump-*-dec.wav"))
	ok(b.t, err)
	if len(found) == 0 {
		return ""
	}
	return found[0]
}

// listened reports whether baresip has recorded two seconds.
func (b *baresip) listened() bool {
	info, err := os.Stat(b.recording())
	return err == nil && info.Size() > 2*2*pcm.Rate
}

// hears ends baresip and looks for a tone in what it recorded.
func (b *baresip) hears(hz float64) {
	b.t.Helper()
	b.end()
	data, err := os.ReadFile(b.recording())
	ok(b.t, err)
	samples, err := pcm.ReadWAV(data, 10<<20)
	ok(b.t, err)
	if !pcm.Hears(samples, hz) {
		b.t.Errorf("baresip heard no %v Hz in %v of voice", hz, pcm.Length(len(samples)))
	}
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
