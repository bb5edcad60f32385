package carrier

import (
	"context"
	"strings"
	"time"

	"github.com/roamline/roamline/demo/pcm"
	"github.com/roamline/roamline/demo/phone"
)

// A Line is a number of the pretend carrier that can be called.
type Line struct {
	Number string `json:"number"`
	Name   string `json:"name"`
	What   string `json:"what"`
	answer func(context.Context, *Carrier, *phone.Call)
}

// Lines are the numbers that the carrier answers, as the demo shows them.
var Lines = []Line{
	{"+34911000001", "Echo test", "what you say comes back a second later", echo},
	{"+34911000002", "Speaking clock", "tells the time every ten seconds", clock},
	{"+34911000003", "Always busy", "486 Busy Here", func(_ context.Context, _ *Carrier, c *phone.Call) { c.Refuse(486, "Busy Here") }},
	{"+34911000004", "Nobody home", "rings and never answers", never},
	{"+34911000005", "Long ringer", "answers after twenty seconds", long},
	{"+34911000006", "Declines", "603 Decline after a ring", decline},
	{"+34911000007", "Short talker", "hangs up after three seconds", short},
	{"112", "Emergency", "a pretend emergency centre", emergency},
}

// lineOf finds the line of a dialled number: national, international with 00 or
// plus, as the trunk's rules made it.
func lineOf(dialled string) (Line, bool) {
	digits := strings.TrimLeft(dialled, "+0")
	for _, l := range Lines {
		whole := strings.TrimPrefix(l.Number, "+")
		if digits == whole || len(whole) == 11 && digits == whole[2:] {
			return l, true
		}
	}
	return Line{}, false
}

// pick rings for a while and answers; false if the caller gave up.
func pick(ctx context.Context, c *phone.Call, after time.Duration) bool {
	c.Ring()
	return wait(ctx, c, after) && c.Answer() == nil
}

// wait waits on the telephone; false if the call ended.
func wait(ctx context.Context, c *phone.Call, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.Ended():
	case <-ctx.Done():
	}
	return false
}

// say plays sound to its end; false if the call ended before.
func say(ctx context.Context, c *phone.Call, sound []int16) bool {
	p := c.Play(sound)
	select {
	case <-p.Done():
	case <-c.Ended():
		return false
	case <-ctx.Done():
		return false
	}
	select {
	case <-c.Ended():
		return false
	default:
		return true
	}
}

func echo(ctx context.Context, k *Carrier, c *phone.Call) {
	if pick(ctx, c, k.opt.RingFor) && say(ctx, c, pcm.Join(pcm.Silence(300*time.Millisecond), Voice("echo"))) {
		c.Voice().Echo(time.Second)
	}
}

func clock(ctx context.Context, k *Carrier, c *phone.Call) {
	if !pick(ctx, c, k.opt.RingFor) {
		return
	}
	for range 12 {
		now := time.Now()
		at := now.Truncate(10 * time.Second).Add(10 * time.Second)
		words := sayTime(at)
		if at.Sub(now) < pcm.Length(len(words)) {
			at = at.Add(10 * time.Second)
			words = sayTime(at)
		}
		rest := max(at.Sub(now)-pcm.Length(len(words)), 0)
		if !say(ctx, c, pcm.Join(words, pcm.Silence(rest), pcm.Tone(1000, 300*time.Millisecond), pcm.Silence(500*time.Millisecond))) {
			return
		}
	}
	goodbye(ctx, c)
}

func goodbye(ctx context.Context, c *phone.Call) {
	say(ctx, c, pcm.Join(Voice("goodbye"), pcm.Silence(200*time.Millisecond)))
	c.Hangup()
}

func never(ctx context.Context, _ *Carrier, c *phone.Call) {
	if c.Ring(); wait(ctx, c, 3*time.Minute) {
		c.Refuse(480, "Temporarily Unavailable")
	}
}

func long(ctx context.Context, k *Carrier, c *phone.Call) {
	if pick(ctx, c, 20*time.Second) && say(ctx, c, Voice("ringer")) {
		c.Voice().Echo(time.Second)
	}
}

func decline(ctx context.Context, k *Carrier, c *phone.Call) {
	if c.Ring(); wait(ctx, c, k.opt.RingFor) {
		c.Refuse(603, "Decline")
	}
}

func short(ctx context.Context, k *Carrier, c *phone.Call) {
	if pick(ctx, c, k.opt.RingFor) {
		c.Play(Voice("goodbye"))
		wait(ctx, c, 3*time.Second)
		c.Hangup()
	}
}

func emergency(ctx context.Context, k *Carrier, c *phone.Call) {
	if pick(ctx, c, k.opt.RingFor) && say(ctx, c, pcm.Join(pcm.Silence(300*time.Millisecond), Voice("emergency"))) {
		c.Voice().Echo(time.Second)
	}
}

// Greet is what the demonstration's caller does once answered: she speaks, then
// gives back what she hears, and hangs up after a minute.
func Greet(ctx context.Context, c *phone.Call, voice string) {
	select {
	case <-c.Answered():
	case <-c.Ended():
		return
	case <-ctx.Done():
		c.Hangup()
		return
	}
	if say(ctx, c, pcm.Join(pcm.Silence(400*time.Millisecond), Voice(voice))) {
		c.Voice().Echo(time.Second)
		wait(ctx, c, time.Minute)
	}
	c.Hangup()
}
