package sip

import (
	"net/netip"
	"sync"
	"time"
)

// What a stranger's address may cost us: answers a second, and at once. A phone
// that was just switched on needs two. An address that phones of ours have
// proved themselves from, a site behind NAT, may ask for more: each proof pays
// for two answers.
const (
	strangerRate  = 5
	strangerBurst = 30
	provedBurst   = 1000
	proofPays     = 2
	failureRate   = 1 // wrong credentials a second
	failureBurst  = 20
	maxSources    = 8192 // addresses remembered
	maxChecking   = 64   // credentials checked at the same time
)

// A limiter counts answers by source address (an IPv6 /64 is one).
type limiter struct {
	rate  float64
	burst float64
	now   func() time.Time

	mu    sync.Mutex
	by    map[netip.Addr]*bucket
	swept time.Time
}

type bucket struct {
	tokens float64
	limit  float64
	at     time.Time
}

func newLimiter(rate, burst float64, now func() time.Time) *limiter {
	return &limiter{rate: rate, burst: burst, now: now, by: make(map[netip.Addr]*bucket)}
}

// allow reports whether one more answer may go to a.
func (l *limiter) allow(a netip.Addr) bool {
	a = sourceKey(a)
	t := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.by[a]
	if b == nil {
		if len(l.by) >= maxSources && t.Sub(l.swept) >= time.Second {
			l.swept = t
			l.sweep(t)
		}
		if len(l.by) >= maxSources { // a flood from everywhere: nobody new
			return false
		}
		b = &bucket{tokens: l.burst, limit: l.burst, at: t}
		l.by[a] = b
	}
	b.tokens = min(b.limit, b.tokens+l.rate*t.Sub(b.at).Seconds())
	b.at = t
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// proved says that a client of ours has proved itself from a.
func (l *limiter) proved(a netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.by[sourceKey(a)]; b != nil {
		b.limit = provedBurst
		b.tokens = min(b.limit, b.tokens+proofPays)
	}
}

// ready reports whether a has something left, and takes nothing.
func (l *limiter) ready(a netip.Addr) bool {
	t := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.by[sourceKey(a)]
	return b == nil || b.tokens+l.rate*t.Sub(b.at).Seconds() >= 1
}

// sweep forgets those who have been quiet long enough to start anew.
func (l *limiter) sweep(t time.Time) {
	full := time.Duration(l.burst / l.rate * float64(time.Second))
	for a, b := range l.by {
		if t.Sub(b.at) > full {
			delete(l.by, a)
		}
	}
}

// A mergeTable knows which requests came before, to tell one that reached us by
// two ways (RFC 3261 section 8.2.2.2).
type mergeTable struct {
	mu    sync.Mutex
	by    map[string]mergeEntry
	swept time.Time
}

type mergeEntry struct {
	key string // of the transaction that came first
	at  time.Time
}

// maxMerged bounds the requests remembered; each for 32 s.
const (
	maxMerged = 8192
	mergeLife = 32 * time.Second
)

func newMergeTable() *mergeTable { return &mergeTable{by: make(map[string]mergeEntry)} }

// seen reports whether the same request came in another transaction, and
// remembers it otherwise.
func (m *mergeTable) seen(id, key string) bool {
	t := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.by[id]; ok && t.Sub(e.at) < mergeLife {
		return e.key != key
	}
	if len(m.by) >= maxMerged && t.Sub(m.swept) >= time.Second {
		m.swept = t
		for id, e := range m.by {
			if t.Sub(e.at) >= mergeLife {
				delete(m.by, id)
			}
		}
	}
	if len(m.by) < maxMerged {
		m.by[id] = mergeEntry{key, t}
	}
	return false
}
