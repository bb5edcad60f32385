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
	"github.com/roamline/roamline/test/house"
)

// A chromium is a real browser with a page for each desk.
type chromium struct {
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Scanner
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
	c := &chromium{t: t}
	c.in, err = node.StdinPipe()
	ok(t, err)
	out, err := node.StdoutPipe()
	ok(t, err)
	c.out = bufio.NewScanner(out)
	ok(t, node.Start())
	t.Cleanup(func() {
		c.in.Close() // it closes the browser and ends
		limit := time.AfterFunc(house.Limit, func() { node.Process.Kill() })
		node.Wait()
		limit.Stop()
	})
	return c
}

// do carries out one command; its answer goes into to, if that is not nil.
func (c *chromium) do(what string, more command, to any) {
	c.t.Helper()
	if more == nil {
		more = command{}
	}
	more["do"] = what
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
