package carrier

import (
	"embed"
	"fmt"
	"sync"
	"time"

	"github.com/roamline/roamline/demo/pcm"
)

// voices/make.sh made them with espeak-ng and sox.
//
//go:embed voices/*.wav
var files embed.FS

const longestVoice = 30 * pcm.Rate // bytes, one a sample

var spoken sync.Map // name -> []int16

// Voice returns a spoken recording by its name: "caller-en", "caller-es",
// "answer-en", "echo", ... It is an error of the program if there is none.
func Voice(name string) []int16 {
	if s, ok := spoken.Load(name); ok {
		return s.([]int16)
	}
	b, err := files.ReadFile("voices/" + name + ".wav")
	if err != nil {
		panic(fmt.Sprintf("carrier: no voice %q", name))
	}
	s, err := pcm.ReadWAV(b, longestVoice)
	if err != nil {
		panic(fmt.Sprintf("carrier: voice %q: %v", name, err))
	}
	spoken.Store(name, s)
	return s
}

// sayTime returns the speaking clock's sentence for t.
func sayTime(t time.Time) []int16 {
	s := pcm.Join(Voice("clock"), pcm.Silence(150*time.Millisecond), sayNumber(t.Hour()))
	if t.Minute() == 0 {
		s = pcm.Join(s, Voice("oclock"))
	} else {
		s = pcm.Join(s, sayNumber(t.Minute()))
	}
	return pcm.Join(s, Voice("and"), sayNumber(t.Second()), Voice("seconds"))
}

// sayNumber says 0 to 59.
func sayNumber(n int) []int16 {
	if n < 20 || n%10 == 0 {
		return Voice(fmt.Sprintf("n%d", n))
	}
	return pcm.Join(Voice(fmt.Sprintf("n%d", n-n%10)), Voice(fmt.Sprintf("n%d", n%10)))
}
