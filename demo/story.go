package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/roamline/roamline/demo/carrier"
	"github.com/roamline/roamline/demo/client"
	"github.com/roamline/roamline/demo/pcm"
	"github.com/roamline/roamline/demo/phone"
	"github.com/roamline/roamline/demo/site"
)

// storyLimit is how long a story may take in all.
const storyLimit = 90 * time.Second

// StoryOptions of a story.
type StoryOptions struct {
	Options
	Folder string // where recordings and ladders go; made if need be
}

// Story plays the main job without a browser: the carrier calls Ana at desk 1,
// she walks to desk 2 and is called there, and walks back in the middle of the
// call. It prints what happens, leaves
// recordings, ladders and figures in the folder, and reports whether every
// voice was heard and the line was where Ana was. An error says what stopped it.
func Story(ctx context.Context, o StoryOptions) (ok bool, err error) {
	o.fill()
	ctx, cancel := context.WithTimeout(ctx, storyLimit)
	defer cancel()
	if err := os.MkdirAll(o.Folder, 0o755); err != nil {
		return false, fmt.Errorf("demo: folder: %w", err)
	}
	c, s, err := prepare(ctx, o.Options)
	if err != nil {
		return false, err
	}
	defer c.Close()
	t := &teller{option: o, out: newPaper(o.Out), carrier: c, site: s, ana: site.People[0]}
	var work sync.WaitGroup
	work.Go(func() { s.Admit(ctx, o.Log) })
	defer work.Wait()
	defer cancel()
	err = t.tell(ctx)
	if e := t.write(); err == nil {
		err = e
	}
	ok = err == nil && t.allHeard()
	t.out.verdict(ok, err, o.Folder)
	return ok, err
}

// A teller tells one story.
type teller struct {
	option  StoryOptions
	out     *paper
	carrier *carrier.Carrier
	site    *site.Site
	ana     site.Person
	desks   [2]*client.Client
	scenes  []*scene
}

func (t *teller) tell(ctx context.Context) error {
	for i := range t.desks {
		d, err := client.New(ctx, client.Options{Server: t.option.Server, Name: fmt.Sprintf("desk%d", i+1), Log: t.option.Log})
		if err != nil {
			return err
		}
		defer d.Close()
		t.desks[i] = d
		if err := d.WaitAdmitted(ctx); err != nil {
			return err
		}
		if err := d.Register(ctx); err != nil {
			return err
		}
	}
	t.out.line("%s and %s are there, each with a key of its own", t.desks[0].Self().Name, t.desks[1].Self().Name)
	if err := t.identify(ctx, t.desks[0]); err != nil {
		return err
	}
	if err := t.play(ctx, 0, "caller-es"); err != nil {
		return err
	}
	t.out.line("%s walks to %s", t.ana.Name, t.desks[1].Self().Name)
	moved, err := t.desks[0].Events(ctx)
	if err != nil {
		return err
	}
	if err := t.identify(ctx, t.desks[1]); err != nil {
		return err
	}
	if err := told(ctx, moved); err != nil {
		return err
	}
	t.out.line("%s is told that its person has gone", t.desks[0].Self().Name)
	return t.play(ctx, 1, "caller-en")
}

// walk takes a call along to another desk: Ana identifies there, and talks on.
func (t *teller) walk(ctx context.Context, talk *scene, from, to *client.Client) error {
	t.out.line("%s walks to %s in the middle of the call", t.ana.Name, to.Self().Name)
	began := time.Now()
	if err := t.identify(ctx, to); err != nil {
		return err
	}
	ring, err := t.ring(ctx, to, from, talk.caller)
	if err != nil {
		return err
	}
	sc := &scene{Desk: to.Self().Name, Call: talk.Call, OnlyHere: true, caller: talk.caller}
	t.scenes = append(t.scenes, sc)
	if sc.desk, err = ring.Answer(ctx); err != nil {
		return err
	}
	if err := talk.desk.WaitEnded(ctx); err != nil {
		return fmt.Errorf("demo: the call did not leave %s: %w", talk.Desk, err)
	}
	for i, w := range talk.Ways {
		sc.Ways[i] = way{Of: w.Of, To: w.To, Hz: w.Hz}
	}
	sc.tones(ctx, began)
	t.out.figure("the call is there too: voice flows both ways", millis(sc.desk.Figures().First.Sub(began)))
	sc.words(ctx, carrier.Voice("caller-en"), carrier.Voice("answer-en"))
	t.out.scene(sc, from.Self().Name)
	return sc.end(ctx, false)
}

func (t *teller) identify(ctx context.Context, d *client.Client) error {
	began := time.Now()
	if _, err := d.Identify(ctx, t.ana.Login, t.ana.Password); err != nil {
		return err
	}
	t.out.figure(fmt.Sprintf("%s signs in at %s: her line is here", t.ana.Name, d.Self().Name), millis(time.Since(began)))
	return nil
}

// told waits until the client hears that its binding ended.
func told(ctx context.Context, news <-chan client.Event) error {
	limit := time.NewTimer(5 * time.Second)
	defer limit.Stop()
	for {
		select {
		case e, open := <-news:
			if !open {
				return errors.New("demo: the live news of the desk she left have ended")
			}
			if e.Name == "released" {
				return nil
			}
		case <-limit.C:
			return errors.New("demo: the desk that she left was not told")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// A scene is one call of the story, with what was measured.
type scene struct {
	Desk     string        `json:"desk"`
	Call     string        `json:"call"` // the server's identifier
	Ring     time.Duration `json:"ringNs"`
	Open     time.Duration `json:"voiceNs"`
	Ways     [2]way        `json:"ways"` // to the person, to the caller
	OnlyHere bool          `json:"onlyHere"`

	caller, desk *phone.Call
}

// A way is one direction of voice.
type way struct {
	Of       string        `json:"of"`
	To       string        `json:"to"`
	Hz       float64       `json:"toneHz"`
	Tone     bool          `json:"toneHeard"`
	Likeness float64       `json:"likeness"` // of the spoken voice, 0 to 1
	Delay    time.Duration `json:"delayNs"`
	Jitter   time.Duration `json:"jitterNs"`
	Received uint64        `json:"received"`
	Lost     uint64        `json:"lost"`
	Codec    string        `json:"codec"`
}

// heard says whether this voice arrived. Speech through a telephone codec keeps
// a likeness of over 0.9.
func (w way) heard() bool { return w.Tone && w.Likeness > 0.8 }

func (s *scene) good() bool { return s.OnlyHere && s.Ways[0].heard() && s.Ways[1].heard() }

func (t *teller) allHeard() bool {
	for _, s := range t.scenes {
		if !s.good() {
			return false
		}
	}
	return len(t.scenes) == len(t.desks)+1
}

// play has the carrier call Ana, who is at desk n.
func (t *teller) play(ctx context.Context, n int, voice string) error {
	here, other := t.desks[n], t.desks[1-n]
	who := callers[n]
	sc := &scene{Desk: here.Self().Name}
	t.scenes = append(t.scenes, sc)
	t.out.line("%s calls %s", who.Name, t.ana.Numbers[0])
	call, err := t.carrier.Call(ctx, who.Number, t.ana.Numbers[0], carrier.CallOptions{Name: who.Name})
	if err != nil {
		return err
	}
	sc.caller = call
	ring, err := t.ring(ctx, here, other, call)
	if err != nil {
		return err
	}
	sc.Ring = ring.Times().Placed.Sub(call.Times().Placed)
	t.out.figure(fmt.Sprintf("%s rings, showing %s", sc.Desk, ring.From.Name), millis(sc.Ring))
	answered := time.Now()
	if sc.desk, err = ring.Answer(ctx); err != nil {
		return err
	}
	if err := call.WaitAnswered(ctx); err != nil {
		return err
	}
	sc.Ways = [2]way{{Of: who.Name, To: t.ana.Name, Hz: 440}, {Of: t.ana.Name, To: who.Name, Hz: 1000}}
	sc.tones(ctx, answered)
	t.out.figure("she answers: voice flows both ways", millis(sc.Open))
	sc.words(ctx, carrier.Voice(voice), carrier.Voice("answer-en"))
	sc.Call = t.find(ctx, who.Number)
	sc.OnlyHere = true
	select {
	case <-other.Rings():
		sc.OnlyHere = false
	default:
	}
	t.out.scene(sc, other.Self().Name)
	if n == 0 {
		return sc.end(ctx, true)
	}
	return t.walk(ctx, sc, here, other)
}

// ring waits for the call at the desk where Ana is; that it rings elsewhere, or
// that the caller is refused, ends the story.
func (t *teller) ring(ctx context.Context, here, other *client.Client, call *phone.Call) (*client.Ring, error) {
	select {
	case r := <-here.Rings():
		return r, nil
	case <-other.Rings():
		return nil, fmt.Errorf("demo: %s rang, but she is at %s", other.Self().Name, here.Self().Name)
	case <-call.Ended():
		status, reason := call.Status()
		return nil, fmt.Errorf("demo: the call was refused: %d %s", status, reason)
	case <-time.After(10 * time.Second):
		return nil, fmt.Errorf("demo: %s did not ring", here.Self().Name)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// find asks the server for its identifier of the call.
func (t *teller) find(ctx context.Context, from string) string {
	var got struct {
		Items []struct {
			ID   string
			From struct{ Number string }
		}
	}
	if err := t.site.Do(ctx, "GET", "/calls", nil, &got); err != nil {
		return ""
	}
	for _, c := range got.Items {
		if c.From.Number == from {
			return c.ID
		}
	}
	return ""
}

// ends are who speaks and who listens, by way.
func (s *scene) ends() [2][2]*phone.Call {
	return [2][2]*phone.Call{{s.caller, s.desk}, {s.desk, s.caller}}
}

// tones proves both voices by a tone each, at the same time. What is missing is
// told by the ways.
func (s *scene) tones(ctx context.Context, answered time.Time) {
	for i, e := range s.ends() {
		e[0].PlayTone(s.Ways[i].Hz)
	}
	for i, e := range s.ends() {
		limited, cancel := context.WithTimeout(ctx, 5*time.Second)
		s.Ways[i].Tone = e[1].WaitTone(limited, s.Ways[i].Hz) == nil
		cancel()
		if first := e[1].Figures().First; !first.IsZero() {
			s.Open = max(s.Open, first.Sub(answered))
		}
	}
}

// words compares two seconds of spoken voice with what arrived, then measures
// the delay of each way by a marker.
func (s *scene) words(ctx context.Context, said ...[]int16) {
	var from [2]int
	for i, e := range s.ends() {
		said[i] = said[i][:min(len(said[i]), 2*pcm.Rate)]
		from[i] = len(e[1].Heard())
		e[0].Play(said[i])
	}
	for i, e := range s.ends() {
		limited, cancel := context.WithTimeout(ctx, 5*time.Second)
		enough := from[i] + len(said[i]) + pcm.Rate/4
		if e[1].Wait(limited, "the words", func() bool { return len(e[1].Heard()) > enough }) == nil {
			_, s.Ways[i].Likeness = pcm.Find(e[1].Heard()[from[i]:], said[i])
		}
		cancel()
	}
	for i, e := range s.ends() {
		limited, cancel := context.WithTimeout(ctx, 3*time.Second)
		s.Ways[i].Delay, _ = phone.Delay(limited, e[0], e[1]) // zero: not measured
		cancel()
		f := e[1].Figures()
		s.Ways[i].Jitter, s.Ways[i].Lost, s.Ways[i].Received, s.Ways[i].Codec = f.Jitter, f.Lost, f.Received, f.Codec
	}
}

// end hangs up, at the caller's or at the person's end, and waits for the other.
func (s *scene) end(ctx context.Context, byCaller bool) error {
	first, second := s.caller, s.desk
	if !byCaller {
		first, second = second, first
	}
	first.Hangup()
	limited, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := second.WaitEnded(limited); err != nil {
		return fmt.Errorf("demo: one end hung up, the other did not notice: %w", err)
	}
	return first.WaitEnded(limited)
}

// write leaves recordings (left: what the caller heard, right: what Ana heard),
// ladders and figures in the folder.
func (t *teller) write() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for i, s := range t.scenes {
		base := filepath.Join(t.option.Folder, fmt.Sprintf("call-%d", i+1))
		if s.caller != nil && s.desk != nil {
			if err := writeWAV(base+".wav", s.caller.Heard(), s.desk.Heard()); err != nil {
				return err
			}
		}
		if s.Call == "" {
			continue
		}
		var story struct{ Items []entry }
		if err := t.site.Do(ctx, "GET", "/calls/"+s.Call+"/story?sip=true", nil, &story); err != nil {
			return fmt.Errorf("demo: the call's story: %w", err)
		}
		if err := os.WriteFile(base+".txt", ladder(t.named(story.Items)), 0o644); err != nil {
			return err
		}
	}
	b, err := json.MarshalIndent(t.scenes, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(t.option.Folder, "figures.json"), append(b, '\n'), 0o644)
}

// named calls the desks by their names.
func (t *teller) named(entries []entry) []entry {
	for i := range entries {
		for _, d := range t.desks {
			for _, end := range []*string{&entries[i].From, &entries[i].To} {
				if *end == d.Self().ID {
					*end = d.Self().Name
				}
			}
		}
	}
	return entries
}

func writeWAV(name string, channels ...[]int16) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := pcm.WriteWAV(f, channels...); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
