package client

import (
	"bytes"
	"testing"
)

func FuzzEvents(f *testing.F) {
	f.Add([]byte(": hello\nevent: bound\ndata: {\"a\":\ndata: 1}\n\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		out := make(chan Event, len(raw)+1)
		readEvents(t.Context(), bytes.NewReader(raw), out)
		close(out)
		for e := range out {
			if len(e.Data) > mostJSON {
				t.Error(len(e.Data))
			}
		}
	})
}
