package bus

import (
	"reflect"
	"testing"
)

// What another program, or a newer one, put into the streams must never be
// half understood.
func FuzzReadRecord(f *testing.F) {
	f.Add([]byte(`{"v":1,"at":"2026-11-24T12:00:00Z","ended":[{"binding":{"user":"u_1"},"reason":"idle"}],"open":{"user":"u_2"}}`))
	f.Add([]byte(`{"v":2}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := readRecord(data)
		if err != nil {
			return
		}
		again, err := writeRecord(r)
		if err != nil {
			t.Skip("a year that JSON can't hold") // RFC 3339 ends at 9999
		}
		if back, err := readRecord(again); err != nil || !reflect.DeepEqual(back, r) {
			t.Errorf("%s read as %v, written and read again as %v (%v)", data, r, back, err)
		}
	})
}

func FuzzReadContacts(f *testing.F) {
	f.Add([]byte(`{"v":1,"contacts":[{"uri":"sip:a@b","transport":"udp","source":"192.0.2.1:5060","call_id":"x","cseq":1,"expires":"2026-11-24T12:00:00Z"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		contacts, err := readContacts(data)
		if err != nil {
			return
		}
		again, err := writeContacts(contacts)
		if err != nil {
			t.Skip("a year that JSON can't hold") // RFC 3339 ends at 9999
		}
		if back, err := readContacts(again); err != nil || !reflect.DeepEqual(back, contacts) {
			t.Errorf("%s read as %v, written and read again as %v (%v)", data, contacts, back, err)
		}
	})
}

func TestNewerFormIsNotRead(t *testing.T) {
	if _, err := readRecord([]byte(`{"v":2}`)); err == nil {
		t.Error("a record of version 2 was read")
	}
	if _, err := readContacts([]byte(`{"v":2}`)); err == nil {
		t.Error("contacts of version 2 were read")
	}
}

func FuzzKey(f *testing.F) {
	for _, key := range []string{"c_abc234", "=41", "a.b", ">", "=", "=4", "=GG", "=+1", "", "\xff"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if key, err := writeKey(text); err == nil {
			for i := range len(key) {
				if c := key[i]; !plain(c) && c != '=' {
					t.Errorf("%q became %q, which NATS may not take", text, key)
				}
			}
			if back, err := readKey(key); err != nil || back != text {
				t.Errorf("%q became %q and came back as %q (%v)", text, key, back, err)
			}
		}
		if back, err := readKey(text); err == nil {
			if key, err := writeKey(back); err != nil || key != text {
				t.Errorf("key %q was read as %q, which is written %q (%v)", text, back, key, err)
			}
		}
	})
}
