package web

import (
	"context"
	"sync"

	"github.com/roamline/roamline"
)

// Bounds of live events: a client has several tabs, not many.
const (
	maxStreams       = 2000
	maxClientStreams = 4
)

// streams are the event streams that are open.
type streams struct {
	mu  sync.Mutex
	of  map[roamline.ClientID]map[*stream]struct{}
	all int
}

// A stream is one of them, seen from whoever wants something of it.
type stream struct {
	end   context.CancelFunc
	nudge chan struct{} // holds one: the client's record changed
}

// open counts a stream in; nil if there are too many. The caller closes it.
func (s *streams) open(c roamline.ClientID, end context.CancelFunc) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= maxStreams || len(s.of[c]) >= maxClientStreams {
		return nil
	}
	if s.of == nil {
		s.of = map[roamline.ClientID]map[*stream]struct{}{}
	}
	if s.of[c] == nil {
		s.of[c] = map[*stream]struct{}{}
	}
	one := &stream{end: end, nudge: make(chan struct{}, 1)}
	s.of[c][one] = struct{}{}
	s.all++
	return one
}

func (s *streams) close(c roamline.ClientID, one *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, open := s.of[c][one]; !open {
		return
	}
	delete(s.of[c], one)
	s.all--
	if len(s.of[c]) == 0 {
		delete(s.of, c)
	}
}

// cut ends the streams of a client that may no longer listen.
func (s *streams) cut(c roamline.ClientID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for one := range s.of[c] {
		one.end()
	}
}

// tell lets the streams of a client look at its record again.
func (s *streams) tell(c roamline.ClientID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for one := range s.of[c] {
		select {
		case one.nudge <- struct{}{}:
		default:
		}
	}
}
