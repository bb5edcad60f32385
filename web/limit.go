package web

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxCounted is how many keys a limiter counts at the same time.
const maxCounted = 10_000

// A limiter grants so many per second to each key, and a burst at once.
type limiter struct {
	mu    sync.Mutex
	every rate.Limit
	burst int
	of    map[string]*rate.Limiter
	swept time.Time // when it was last looked through
}

func newLimiter(perSecond float64, burst int) *limiter {
	return &limiter{every: rate.Limit(perSecond), burst: burst, of: map[string]*rate.Limiter{}}
}

// take counts one for key. If it may not, wait says when it may again.
func (l *limiter) take(key string, now time.Time) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k, known := l.of[key]
	if !known {
		l.makeRoom(now)
		k = rate.NewLimiter(l.every, l.burst)
		l.of[key] = k
	}
	if k.AllowN(now, 1) {
		return 0, true
	}
	missing := 1 - k.TokensAt(now)
	return time.Duration(missing / float64(l.every) * float64(time.Second)), false
}

// makeRoom forgets whoever has its whole burst again and, if all are busy, any
// one: a flood of keys must not grow the table, nor be looked through for each.
func (l *limiter) makeRoom(now time.Time) {
	if len(l.of) < maxCounted {
		return
	}
	if now.Sub(l.swept) >= time.Second {
		l.swept = now
		for key, k := range l.of {
			if k.TokensAt(now) >= float64(l.burst) {
				delete(l.of, key)
			}
		}
	}
	for key := range l.of {
		if len(l.of) < maxCounted {
			return
		}
		delete(l.of, key)
	}
}
