package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/roamline/roamline/demo/pcm"
)

// limit bounds a command in the browser, which gives up by itself after 30 s,
// and its start.
const limit = 40 * time.Second

// A chromium is a real browser with a page for each desk.
type chromium struct {
	t    *testing.T
	node *exec.Cmd // it drives the browser
	in   io.WriteCloser
	out  *bufio.Scanner
}

type command map[string]any

// browse starts Chromium, whose microphone hears hz.
func browse(t *testing.T, hz float64) *chromium {
	t.Helper()
	library, err := filepath.Abs("../../ui/node_modules/playwright-core/index.mjs")
	ok(t, err)
	if _, err := os.Stat(library); err != nil {
		t.Fatalf("%v: run make build first, which fetches what drives the browser", err)
	}
	voice := filepath.Join(t.TempDir(), "voice.wav")
	write(t, voice, pcm.Tone(hz, 10*time.Second)) // played again and again
	node := exec.Command("node", "page.mjs", library, voice)
	node.Stderr = t.Output()
	c := &chromium{t: t, node: node}
	c.in, err = node.StdinPipe()
	ok(t, err)
	out, err := node.StdoutPipe()
	ok(t, err)
	c.out = bufio.NewScanner(out)
	ok(t, node.Start())
	t.Cleanup(func() {
		c.in.Close() // it closes the browser and ends
		late := time.AfterFunc(limit, c.kill)
		defer late.Stop()
		if err := node.Wait(); err != nil {
			t.Errorf("the browser's driver: %v", err)
		}
	})
	return c
}

// kill ends the driver; the browser, which hangs on its pipe, ends with it.
func (c *chromium) kill() { c.node.Process.Kill() }

// do carries out one command; its answer goes into to, if that is not nil.
func (c *chromium) do(what string, more command, to any) {
	c.t.Helper()
	if more == nil {
		more = command{}
	}
	more["do"] = what
	late := time.AfterFunc(limit, c.kill)
	defer late.Stop()
	line, err := json.Marshal(more)
	ok(c.t, err)
	_, err = c.in.Write(append(line, '\n'))
	ok(c.t, err)
	if !c.out.Scan() {
		c.t.Fatalf("%s: the browser's driver ended: %v", what, c.out.Err())
	}
	var answer struct {
		OK    bool
		Error string
	}
	ok(c.t, json.Unmarshal(c.out.Bytes(), &answer))
	if !answer.OK {
		c.t.Fatalf("%s: %s", what, answer.Error)
	}
	if to != nil {
		ok(c.t, json.Unmarshal(c.out.Bytes(), to))
	}
}

// rings returns how often a desk has rung since its page was opened, also if
// the ring was taken back.
func (c *chromium) rings(desk string) int {
	c.t.Helper()
	var answer struct{ Rings int }
	c.do("rings", command{"desk": desk}, &answer)
	return answer.Rings
}
