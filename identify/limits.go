package identify

import (
	"strings"
	"sync"
	"time"

	"github.com/roamline/roamline"
)

// Limits bound how often and how much is tried. An account is counted together
// with where the try comes from, so that an attacker elsewhere never locks out
// its owner at her own client.
type Limits struct {
	Free    int           // wrong tries of an account at a client before it must wait; 5
	PerSite int           // of all accounts at one client, and from one address; 30
	First   time.Duration // the first wait; it doubles with each further wrong try; 2 s
	Most    time.Duration // the longest wait; 15 min
	Forget  time.Duration // without a try for so long, all is forgotten; 1 h
	AtOnce  int           // proofs computed at the same time; one per core
	Queue   time.Duration // how long a proof may wait for its turn; 5 s
	Kept    int           // counters remembered; 50000. The least recently tried goes first
}

func (l *Limits) fill(cores int) {
	count := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	span := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	count(&l.Free, 5)
	count(&l.PerSite, 30)
	count(&l.AtOnce, cores)
	count(&l.Kept, 50000)
	span(&l.First, 2*time.Second)
	span(&l.Most, 15*time.Minute)
	span(&l.Forget, time.Hour)
	span(&l.Queue, 5*time.Second)
}

// keysOf returns the counters that a claim counts in: the account at this
// client, the client, the address.
func keysOf(c roamline.Claim) []string {
	keys := []string{"a\x00" + c.Login + "\x00" + string(c.Client), "c\x00" + string(c.Client)}
	if c.From != "" {
		keys = append(keys, "s\x00"+c.From)
	}
	return keys
}

// tries count wrong tries by key, in bounded memory.
type tries struct {
	limits Limits
	mu     sync.Mutex
	of     map[string]*count
	oldest *count // a ring in order of the last try; nil: empty
}

type count struct {
	key        string
	wrong      int
	last       time.Time
	prev, next *count
}

func newTries(l Limits) *tries { return &tries{limits: l, of: map[string]*count{}} }

// begin counts a try as wrong until it is known to be right, so that many at
// once can't slip through, and returns how long it must wait; then nothing is
// counted.
func (t *tries) begin(keys []string, now time.Time) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range keys {
		if c := t.of[k]; c != nil {
			if now.Sub(c.last) >= t.limits.Forget {
				t.drop(c)
				continue
			}
			wait = max(wait, t.delay(k, c.wrong)-now.Sub(c.last))
		}
	}
	if wait > 0 {
		return wait
	}
	for _, k := range keys {
		c := t.of[k]
		if c == nil {
			for len(t.of) >= t.limits.Kept {
				t.drop(t.oldest)
			}
			c = &count{key: k}
			t.of[k] = c
		} else {
			t.unlink(c)
		}
		c.wrong++
		c.last = now
		t.link(c)
	}
	return 0
}

// delay is how long to wait after so many wrong tries.
func (t *tries) delay(key string, wrong int) time.Duration {
	free := t.limits.PerSite
	if strings.HasPrefix(key, "a") {
		free = t.limits.Free
	}
	if wrong < free {
		return 0
	}
	return min(t.limits.First<<min(wrong-free, 20), t.limits.Most)
}

// succeed forgets the wrong tries of an account here, and takes this one back
// from the rest: one who knows her secret can't be used to guess others.
func (t *tries) succeed(keys []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.takeBack(keys[1:])
	if c := t.of[keys[0]]; c != nil {
		t.drop(c)
	}
}

// forgive takes one try back.
func (t *tries) forgive(keys []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.takeBack(keys)
}

func (t *tries) takeBack(keys []string) {
	for _, k := range keys {
		if c := t.of[k]; c != nil {
			if c.wrong--; c.wrong <= 0 {
				t.drop(c)
			}
		}
	}
}

func (t *tries) drop(c *count) {
	t.unlink(c)
	delete(t.of, c.key)
}

// link puts c at the young end of the ring.
func (t *tries) link(c *count) {
	if t.oldest == nil {
		c.prev, c.next = c, c
		t.oldest = c
		return
	}
	c.next, c.prev = t.oldest, t.oldest.prev
	c.prev.next, c.next.prev = c, c
}

func (t *tries) unlink(c *count) {
	if c.next == c {
		t.oldest = nil
		return
	}
	c.prev.next, c.next.prev = c.next, c.prev
	if t.oldest == c {
		t.oldest = c.next
	}
}
