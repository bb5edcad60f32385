import { Store } from "../shared/store";

/** What the phone can play. Frequencies in Hz, times in seconds. */
const tones = {
  ring: { notes: [659, 784], warble: 0.06, on: 1.4, off: 2.2, gain: 0.35 },
  ringback: { notes: [425], warble: 0, on: 1, off: 4, gain: 0.12 },
  test: { notes: [523, 659, 784], warble: 0.28, on: 0.84, off: 0, gain: 0.3 },
  ringOnce: { notes: [659, 784], warble: 0.06, on: 1.4, off: 0, gain: 0.35 },
} as const;

export type Tone = keyof typeof tones;

/**
 * Everything audible that is not a call's voice. A browser lets a page sound
 * only after a gesture: blocked says that one is still missing.
 */
export class Sound {
  readonly store = new Store({ blocked: true });
  readonly context = new AudioContext();
  private readonly out = this.context.createMediaStreamDestination();
  private readonly element = new Audio();

  constructor() {
    this.element.srcObject = this.out.stream;
    const look = () => this.store.set({ blocked: this.context.state !== "running" });
    this.context.onstatechange = look;
    const wake = () => void this.wake();
    for (const gesture of ["pointerdown", "keydown"] as const)
      addEventListener(gesture, wake, { capture: true });
    look();
  }

  /** Starts the sound; it works inside a gesture or with an open microphone. */
  async wake() {
    if (this.context.state !== "running") await this.context.resume().catch(() => {});
  }

  /** Plays a tone on the given output until the returned function is called, or once. */
  play(tone: Tone, sink: string): () => void {
    const { notes, warble, on, off, gain } = tones[tone];
    const { context } = this;
    void playOn(this.element, sink).then(() => this.element.play().catch(() => {}));
    const oscillator = context.createOscillator();
    const level = context.createGain();
    level.gain.value = 0;
    oscillator.connect(level).connect(this.out);
    oscillator.start();
    const burst = () => {
      const t = context.currentTime + 0.03;
      level.gain.setTargetAtTime(gain, t, 0.015);
      level.gain.setTargetAtTime(0, t + on - 0.05, 0.02);
      const step = warble || on;
      for (let i = 0; i * step < on; i++)
        oscillator.frequency.setValueAtTime(notes[i % notes.length]!, t + i * step);
    };
    burst();
    const again = off ? setInterval(burst, (on + off) * 1000) : undefined;
    const end = () => {
      clearInterval(again);
      clearTimeout(once);
      level.gain.cancelScheduledValues(0);
      oscillator.stop();
      level.disconnect();
    };
    const once = off ? undefined : setTimeout(end, on * 1000 + 200);
    return end;
  }

  /** Measures a stream: a function that gives its level now, 0 to 1. */
  meter(stream: MediaStream): { level: () => number; close: () => void } {
    const source = this.context.createMediaStreamSource(stream);
    const analyser = this.context.createAnalyser();
    analyser.fftSize = 512;
    source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    return {
      level: () => {
        analyser.getFloatTimeDomainData(samples);
        let sum = 0;
        for (const s of samples) sum += s * s;
        const decibels = 10 * Math.log10(sum / samples.length + 1e-9);
        return Math.min(1, Math.max(0, (decibels + 60) / 55));
      },
      close: () => source.disconnect(),
    };
  }

  /** Plays a stream back after a second, so that the person hears it apart from herself. */
  echo(stream: MediaStream, sink: string): () => void {
    const source = this.context.createMediaStreamSource(stream);
    const delay = this.context.createDelay(2);
    delay.delayTime.value = 1;
    source.connect(delay).connect(this.out);
    void playOn(this.element, sink).then(() => this.element.play().catch(() => {}));
    return () => {
      source.disconnect();
      delay.disconnect();
    };
  }
}

/** Sends an element's sound to an output device; to the default one if that is gone. */
export async function playOn(element: HTMLAudioElement, sink: string) {
  if (!("setSinkId" in element)) return;
  try {
    await element.setSinkId(sink);
  } catch {
    await element.setSinkId("").catch(() => {});
  }
}
