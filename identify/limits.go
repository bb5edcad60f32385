package identify

import (
	"net/netip"
	"sync"
	"time"

	"github.com/roamline/roamline"
)

// Limits bound how often and how much is tried. An account is counted together
// with where the try comes from, so that an attacker elsewhere never locks out
// its owner at her own client. A site often has one address for all (NAT, a
// proxy): there the limit is wide and its waits are short, and an account that
// was proven at a client before does not suffer there from what others do
// behind the same address.
type Limits struct {
	Free       int           // wrong tries of an account at a client before it must wait; 5
	PerSite    int           // of all accounts at one client; 30
	PerAddress int           // of all from one address, or one IPv6 /64; 200
	First      time.Duration // the first wait; it doubles with each further wrong try; 2 s
	Most       time.Duration // the longest wait; 15 min
	MostShared time.Duration // the longest because of an address; 30 s
	Forgive    time.Duration // one wrong try of an account is forgiven after so long; 12 min
	Forget     time.Duration // as many as a client is free to, or an address, after so long; 1 h
	AtOnce     int           // proofs computed at the same time; one per core
	Queue      time.Duration // how long a proof may wait for its turn; 5 s
	Kept       int           // counters remembered; 50000. The least recently tried goes first
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
	count(&l.PerAddress, 200)
	count(&l.AtOnce, cores)
	count(&l.Kept, 50000)
	span(&l.First, 2*time.Second)
	span(&l.Most, 15*time.Minute)
	span(&l.MostShared, 30*time.Second)
	span(&l.Forgive, 12*time.Minute)
	span(&l.Forget, time.Hour)
	span(&l.Queue, 5*time.Second)
}

// Kinds of counters, the first letter of their keys.
const (
	ofAccount = 'a' // an account at a client
	ofClient  = 'c'
	ofAddress = 's'
)

// keysOf returns the counters that a claim counts in: the account at this
// client, the client, the address.
func keysOf(c roamline.Claim) []string {
	keys := []string{"a\x00" + c.Login + "\x00" + string(c.Client), "c\x00" + string(c.Client)}
	if c.From != "" {
		keys = append(keys, "s\x00"+network(c.From))
	}
	return keys
}

// network is what addresses are counted by: an IPv6 subscriber has a /64.
func network(from string) string {
	a, err := netip.ParseAddr(from)
	if err != nil {
		return from
	}
	if a = a.Unmap().WithZone(""); a.Is6() {
		p, _ := a.Prefix(64)
		return p.String()
	}
	return a.String()
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
	last       time.Time // of the last wrong try
	before     time.Time // last, before the try that is under way
	forgiven   time.Time // up to when wrong tries were forgiven
	proven     bool      // an account that was right here
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
		c := t.of[k]
		if c == nil || k[0] == ofAddress && t.proven(keys[0]) {
			continue
		}
		t.age(c, now)
		wait = max(wait, t.delay(k, c.wrong)-now.Sub(c.last))
	}
	if wait > 0 {
		return wait
	}
	for _, k := range keys {
		c := t.of[k]
		if c == nil {
			c = t.create(k)
		} else {
			t.unlink(c)
			t.link(c)
		}
		if c.wrong == 0 {
			c.forgiven = now
		}
		c.wrong++
		c.before, c.last = c.last, now
	}
	return 0
}

func (t *tries) proven(account string) bool {
	c := t.of[account]
	return c != nil && c.proven
}

func (t *tries) create(key string) *count {
	for len(t.of) >= t.limits.Kept {
		t.drop(t.oldest)
	}
	c := &count{key: key}
	t.of[key] = c
	t.link(c)
	return c
}

// rule returns how many wrong tries a counter is free to, how long the longest
// wait is, and after how long one is forgiven. A busy client, or address, is
// free to as many in each period of Forget.
func (t *tries) rule(key string) (free int, most, forgive time.Duration) {
	l := t.limits
	switch key[0] {
	case ofAccount:
		return l.Free, l.Most, l.Forgive
	case ofClient:
		return l.PerSite, l.Most, l.Forget / time.Duration(l.PerSite)
	}
	return l.PerAddress, l.MostShared, l.Forget / time.Duration(l.PerAddress)
}

// age forgives what is to be forgiven by now.
func (t *tries) age(c *count, now time.Time) {
	_, _, forgive := t.rule(c.key)
	if c.wrong == 0 || forgive <= 0 {
		return
	}
	if n := int(now.Sub(c.forgiven) / forgive); n > 0 {
		c.forgiven = c.forgiven.Add(time.Duration(n) * forgive)
		c.wrong = max(0, c.wrong-n)
	}
}

// delay is how long to wait after so many wrong tries.
func (t *tries) delay(key string, wrong int) time.Duration {
	free, most, _ := t.rule(key)
	if wrong < free {
		return 0
	}
	return min(t.limits.First<<min(wrong-free, 20), most)
}

// succeed forgives the wrong tries of an account here, remembers that it was
// right, and takes this try back from the rest: one who knows her own secret
// can't be used to guess others.
func (t *tries) succeed(keys []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.takeBack(keys[1:])
	c := t.of[keys[0]]
	if c == nil {
		c = t.create(keys[0])
	}
	c.wrong, c.proven = 0, true
}

// forgive takes one try back.
func (t *tries) forgive(keys []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.takeBack(keys)
}

func (t *tries) takeBack(keys []string) {
	for _, k := range keys {
		c := t.of[k]
		if c == nil {
			continue
		}
		c.wrong, c.last = max(0, c.wrong-1), c.before
		if c.wrong == 0 && !c.proven {
			t.drop(c)
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
