package peers

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/roamline/roamline/test/house"
)

// A readers is a program outside with its credential, as docs/outside.md has
// it: it knows nothing of the server but the address and what to post.
type readers struct {
	h          *house.House
	credential string
}

func trusted(h *house.House, clients ...string) *readers {
	h.Helper()
	ids := []string{}
	for _, name := range clients {
		ids = append(ids, h.ClientID(name))
	}
	var made struct{ ID string }
	h.Do("POST", "/systems", map[string]any{"name": "Badge doors", "enabled": true, "clients": ids}, &made)
	var secret struct{ Credential string }
	h.Do("POST", "/systems/"+made.ID+"/secret", nil, &secret)
	return &readers{h, secret.Credential}
}

// post sends an event that happens now, and returns the answer's status.
func (r *readers) post(what string, event map[string]any) int {
	r.h.Helper()
	event["at"], event["nonce"] = time.Now(), rand.Text()
	body, err := json.Marshal(event)
	if err != nil {
		r.h.Fatal(err)
	}
	q, err := http.NewRequestWithContext(r.h.Within(), "POST", r.h.URL()+"/api/v1/outside/"+what, bytes.NewReader(body))
	if err != nil {
		r.h.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+r.credential)
	q.Header.Set("Content-Type", "application/json")
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		r.h.Fatal(err)
	}
	defer a.Body.Close()
	if text, err := io.ReadAll(a.Body); err != nil || a.StatusCode >= 400 {
		r.h.Logf("%s: %d %s %v", what, a.StatusCode, text, err)
	}
	return a.StatusCode
}

// A program outside moves Ana's line, and the call on it, from one desk to
// another; then it takes her away, and the far end waits for her with music.
func TestAProgramOutsideMovesALineAndItsCall(t *testing.T) {
	h, tel, desks := ward(t)
	doors := trusted(h, "Desk 1", "Desk 2")
	caller, at1 := talk(h, tel, "+34910000001", desks[0])

	if status := doors.post("identifications", map[string]any{"client": "Desk 2", "user": "ana"}); status != http.StatusOK {
		t.Fatal(status)
	}
	at2 := follows(h, desks[1])
	at2.PlayTone(1600)
	awaitEnd(h, at1)
	hears(h, at2, 440)
	hears(h, caller, 1600)

	if status := doors.post("identifications", map[string]any{"client": "Desk 3", "user": "ana"}); status != http.StatusForbidden {
		t.Errorf("it spoke for a desk that is not its own: %d", status)
	}
	if status := doors.post("releases", map[string]any{"client": "Desk 2", "user": "bo"}); status != http.StatusConflict {
		t.Errorf("it took away somebody who is not there: %d", status)
	}
	if status := doors.post("releases", map[string]any{"client": "Desk 2", "user": "ana"}); status != http.StatusNoContent {
		t.Fatal(status)
	}
	awaitEnd(h, at2)
	wait(h, caller, "music", func() bool { return loud(tail(caller.Heard())) })
	if status := doors.post("identifications", map[string]any{"client": "Desk 1", "user": "ana"}); status != http.StatusOK {
		t.Fatal(status)
	}
	again := follows(h, desks[0])
	again.PlayTone(700)
	hears(h, again, 440)
	hears(h, caller, 700)
	again.Hangup()
	if r := h.Last(1); r.Cause != "normal" || r.EndedBy != "callee" || len(r.Legs) != 4 {
		t.Errorf("record %+v", r)
	}
	h.NothingLeft()
	doors.inHistory()
}

// inHistory checks that the history says what the program did, by its name.
func (r *readers) inHistory() {
	r.h.Helper()
	var history struct {
		Items []struct {
			Binding struct{ ClientName, Method, By string }
			Reason  string
		}
	}
	r.h.Until("three stays", func() bool {
		r.h.Do("GET", "/stays", nil, &history)
		return len(history.Items) == 3
	})
	for i, client := range []string{"Desk 1", "Desk 2"} {
		if b := history.Items[i].Binding; b.ClientName != client || b.Method != "outside" || b.By != "Badge doors" {
			r.h.Errorf("history %+v", history.Items)
		}
	}
	if why := history.Items[1].Reason; why != "outside: Badge doors" {
		r.h.Errorf("she left because of %q", why)
	}
}
