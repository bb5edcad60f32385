package server

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/roamline/roamline"
)

// A meter measures a server for /metrics. It implements switchboard.Meter; what
// is so now it reads from the parts when it is asked.
type meter struct {
	s        *Server
	registry *prometheus.Registry

	routed, bound, setUp  prometheus.Histogram
	ended                 *prometheus.CounterVec
	packets, lost         *prometheus.CounterVec
	jitter, roundTrip     prometheus.Histogram
	calls, binds, clients *prometheus.Desc
	trunk, gateway        *prometheus.Desc
}

var quick = []float64{.0005, .001, .002, .003, .004, .005, .01, .02, .05, .1, .2, .5, 1}

func newMeter(s *Server) *meter {
	histogram := func(name, help string, buckets []float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "roamline", Name: name, Help: help, Buckets: buckets})
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "roamline", Name: name, Help: help}, labels)
	}
	gauge := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("roamline_"+name, help, labels, nil)
	}
	m := &meter{
		s: s, registry: prometheus.NewRegistry(),
		routed:    histogram("route_seconds", "From an INVITE to the INVITEs that it led to.", quick),
		bound:     histogram("bind_seconds", "From a proven identification to a routable binding.", quick),
		setUp:     histogram("set_up_seconds", "From an INVITE to the caller's 200, ringing included.", []float64{.1, .5, 1, 2, 5, 10, 20, 40, 60}),
		ended:     counter("calls_ended_total", "Calls that ended.", "direction", "cause"),
		packets:   counter("rtp_packets_total", "RTP packets of calls that ended.", "way"),
		lost:      counter("rtp_packets_lost_total", "RTP packets lost in calls that ended.", "way"),
		jitter:    histogram("rtp_jitter_seconds", "Interarrival jitter of legs that ended (RFC 3550).", quick),
		roundTrip: histogram("rtp_round_trip_seconds", "Round trip of legs that ended, by RTCP.", quick),
		calls:     gauge("calls", "Calls now.", "state"),
		binds:     gauge("bindings", "Users at a client now."),
		clients:   gauge("clients_bound_reachable", "Bound clients that can be called now."),
		trunk:     gauge("trunk_up", "1 if a trunk is registered, or needs no registration, without error.", "trunk"),
		gateway:   gauge("gateway_up", "1 if a trunk's gateway answers OPTIONS.", "trunk", "gateway"),
	}
	m.registry.MustRegister(m.routed, m.bound, m.setUp, m.ended, m.packets, m.lost, m.jitter, m.roundTrip, m,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *meter) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// Routed implements switchboard.Meter.
func (m *meter) Routed(d time.Duration) { m.routed.Observe(d.Seconds()) }

// Bound implements switchboard.Meter.
func (m *meter) Bound(d time.Duration) { m.bound.Observe(d.Seconds()) }

// Ended implements switchboard.Meter.
func (m *meter) Ended(r roamline.Record) {
	m.ended.WithLabelValues(string(r.Direction), string(r.Cause)).Inc()
	if !r.Answered.IsZero() {
		m.setUp.Observe(r.Answered.Sub(r.Offered).Seconds())
	}
	for _, l := range r.Legs {
		m.packets.WithLabelValues("in").Add(float64(l.Voice.Received))
		m.packets.WithLabelValues("out").Add(float64(l.Voice.Sent))
		m.lost.WithLabelValues("in").Add(float64(l.Voice.Lost))
		m.lost.WithLabelValues("out").Add(float64(l.Voice.FarLost))
		if l.Voice.Received > 0 {
			m.jitter.Observe(l.Voice.Jitter.Seconds())
		}
		if l.Voice.RoundTrip > 0 {
			m.roundTrip.Observe(l.Voice.RoundTrip.Seconds())
		}
	}
}

// Describe implements prometheus.Collector.
func (m *meter) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.calls, m.binds, m.clients, m.trunk, m.gateway} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *meter) Collect(ch chan<- prometheus.Metric) {
	tell := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	states := map[roamline.CallState]int{roamline.Ringing: 0, roamline.Talking: 0}
	for _, v := range m.s.board.Calls() {
		states[v.Call.State]++
	}
	for state, n := range states {
		tell(m.calls, float64(n), string(state))
	}
	bindings, reachable := m.s.board.Bindings(), 0
	for _, b := range bindings {
		if m.s.sip.Reached(b.Client) {
			reachable++
		}
	}
	tell(m.binds, float64(len(bindings)))
	tell(m.clients, float64(reachable))
	for _, t := range m.s.sip.TrunkStatus() {
		tell(m.trunk, one(t.Error == ""), string(t.Trunk))
		for _, g := range t.Gateways {
			tell(m.gateway, one(g.Reachable), string(t.Trunk), g.Address)
		}
	}
}

func one(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
