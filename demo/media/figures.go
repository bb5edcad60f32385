package media

import (
	"time"

	"github.com/pion/rtcp"

	"github.com/roamline/roamline/demo/pcm"
)

// Figures are what is known of a session's voice. Counts are of RTP packets.
type Figures struct {
	Codec     string        `json:"codec"`
	Sent      uint64        `json:"sent"`
	Received  uint64        `json:"received"`
	Lost      uint64        `json:"lost"`
	Foreign   uint64        `json:"foreign"` // not the far end's, or nothing that was agreed
	Jitter    time.Duration `json:"jitter"`
	RoundTrip time.Duration `json:"roundTrip"` // by RTCP; 0 if never measured
	FarLost   uint64        `json:"farLost"`   // as the far end reports
	Longest   time.Duration `json:"longest"`   // the longest wait for a packet
	First     time.Time     `json:"first"`     // when the first packet came; zero: none
}

// Figures returns the counts so far.
func (s *Session) Figures() Figures {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Figures{Codec: s.send.name, Sent: s.mouth.packets, Received: s.ear.total, Lost: s.ear.lost(), Foreign: s.ear.foreign,
		Jitter:    time.Duration(s.ear.jitter / pcm.Rate * float64(time.Second)),
		RoundTrip: s.report.roundTrip, FarLost: s.report.farLost, Longest: s.ear.longest, First: s.ear.firstAt}
}

// A report is what RTCP told us.
type report struct {
	lastSR    uint32 // middle of the far end's last NTP time
	lastSRAt  time.Time
	roundTrip time.Duration
	farLost   uint64
	received  int
}

// take reads a compound packet (RFC 3550 section 6.4).
func (r *report) take(raw []byte, ssrc uint32, at time.Time) {
	packets, err := rtcp.Unmarshal(raw)
	if err != nil {
		return
	}
	r.received++
	for _, p := range packets {
		var blocks []rtcp.ReceptionReport
		switch p := p.(type) {
		case *rtcp.SenderReport:
			r.lastSR, r.lastSRAt = uint32(p.NTPTime>>16), at
			blocks = p.Reports
		case *rtcp.ReceiverReport:
			blocks = p.Reports
		}
		for _, b := range blocks {
			if b.SSRC != ssrc {
				continue
			}
			r.farLost = uint64(b.TotalLost)
			if b.LastSenderReport != 0 { // section 6.4.1, delay since last SR
				if rtt := uint32(ntp(at)>>16) - b.LastSenderReport - b.Delay; rtt < 1<<19 {
					r.roundTrip = max(time.Duration(rtt)*time.Second>>16, time.Microsecond)
				}
			}
		}
	}
}

// ntp is the NTP timestamp of t (RFC 3550 section 4).
func ntp(t time.Time) uint64 {
	const since1900 = 2208988800
	return uint64(t.Unix()+since1900)<<32 | uint64(t.Nanosecond())<<32/1e9
}

// sendReport sends a sender report with one block about the far end, and our name.
func (s *Session) sendReport(now time.Time) {
	s.mu.Lock()
	sr := &rtcp.SenderReport{SSRC: s.ssrc, NTPTime: ntp(now), RTPTime: (s.mouth.offset + s.mouth.timestamp) * s.send.step(),
		PacketCount: uint32(s.mouth.packets), OctetCount: uint32(s.mouth.octets)}
	if s.ear.started {
		b := rtcp.ReceptionReport{SSRC: s.ear.ssrc, TotalLost: uint32(s.ear.lost()), LastSequenceNumber: s.ear.top,
			Jitter: uint32(s.ear.jitter * float64(s.send.step()))}
		if !s.report.lastSRAt.IsZero() {
			b.LastSenderReport = s.report.lastSR
			b.Delay = uint32(now.Sub(s.report.lastSRAt) * 65536 / time.Second)
		}
		sr.Reports = append(sr.Reports, b)
	}
	cname := &rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{Source: s.ssrc,
		Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: s.cname}}}}}
	s.mu.Unlock()
	raw, err := rtcp.Marshal([]rtcp.Packet{sr, cname})
	if err != nil {
		return
	}
	if err := s.path.send(raw, true); err != nil {
		s.log.Debug("report not sent", "error", err)
	}
}
