import { Button, Slider, Text, Title } from "@mantine/core";
import {
  IconDialpad,
  IconHeadset,
  IconMicrophone,
  IconMicrophoneOff,
  IconPhone,
  IconPhoneOff,
  IconPlayerPause,
  IconPlayerPlay,
  IconVolume,
} from "@tabler/icons-react";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { clock, pretty } from "../shared/format";
import { judge, type Sample } from "../shared/quality";
import { useStore } from "../shared/store";
import { words } from "../shared/words";
import { useAdmitted, useLive, useNow, usePhone } from "./context";
import { Bar } from "./Idle";
import { Keypad } from "./Keypad";
import { callAct, occupied } from "./keys";
import type { LineCall } from "./linecall";
import { Meter } from "./Meter";
import { Notice } from "./pages";
import { playOn } from "./sound";
import { cameFrom, runningCall, useVoice } from "./useVoice";

const VoiceGraph = lazy(() => import("./VoiceGraph"));

/** A key pressed at the very moment a call comes in was meant for something else. */
const settle = 700;

/** The whole page while there is a call. */
export function CallStage() {
  const { line } = useAdmitted();
  const { calls, link } = useStore(line.store);
  const [front, setFront] = useState<LineCall>();
  const main = calls.find((c) => c === front) ?? calls.find((c) => c.active()) ?? calls[0]!;
  const others = calls.filter((c) => c !== main);
  const bring = (c: LineCall) => {
    for (const o of calls) if (o !== c) o.hold(true);
    c.hold(false);
    setFront(c);
  };
  return (
    <div className="phone">
      <Bar />
      <main className="stage">
        {link === "lost" && main.store.get().phase !== "incoming" && (
          <Notice tone="warn" title={words.link.lostTalking} />
        )}
        {others.map((c) => (
          <Second key={c.id} call={c} show={() => setFront(c)} resume={() => bring(c)} />
        ))}
        <Main key={main.id} call={main} second={others[0]} show={setFront} resume={bring} />
      </main>
      {calls.map((c) => (
        <Voice key={c.id} call={c} />
      ))}
    </div>
  );
}

interface Others {
  /** The call beside the one in front. */
  second?: LineCall;
  show: (call: LineCall) => void;
  resume: (call: LineCall) => void;
}

function Main({ call, ...others }: { call: LineCall } & Others) {
  const { phase } = useStore(call.store);
  return phase === "incoming" ? <Incoming call={call} /> : <Going call={call} {...others} />;
}

function Incoming({ call }: { call: LineCall }) {
  const { line, here, showDevices } = useAdmitted();
  const { calls } = useLive();
  const { since } = useStore(call.store);
  const now = useNow(1000);
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const answer = () => void line.answer(call).catch(showDevices);
  const latest = useRef(answer);
  latest.current = answer;
  useEffect(() => {
    const from = performance.now();
    const key = (e: KeyboardEvent) => {
      if (e.key !== "Enter" && e.key !== "Escape") return;
      if (e.repeat || document.querySelector('[role="dialog"]')) return;
      e.preventDefault();
      if (performance.now() - from < settle) return;
      if (e.key === "Escape" || (e.target as HTMLElement).dataset.act === "decline") call.decline();
      else latest.current();
    };
    addEventListener("keydown", key, { capture: true });
    return () => removeEventListener("keydown", key, { capture: true });
  }, [call]);
  const told = runningCall(Object.values(calls), here.client.id, call);
  const to = told?.to && here.user?.numbers.includes(told.to) ? told.to : "";
  return (
    <section className="incoming" aria-label={words.call.incoming}>
      <Text className="stage-kind" role="status">
        {words.call.incoming}
      </Text>
      <Who call={call} heading={heading} />
      <Text className="quiet">
        {[to && words.call.to(pretty(to)), words.call.since(clock(now.getTime() - since))]
          .filter(Boolean)
          .join(" · ")}
      </Text>
      <div className="incoming-acts">
        <button
          type="button"
          className="go go-stop big"
          data-act="decline"
          onClick={() => call.decline()}
        >
          <IconPhoneOff size={28} aria-hidden />
          <span>{words.call.decline}</span>
          <kbd aria-hidden>{words.call.escape}</kbd>
        </button>
        <button type="button" className="go go-call big" data-act="answer" onClick={answer}>
          <IconPhone size={28} aria-hidden />
          <span>{words.call.answer}</span>
          <kbd aria-hidden>{words.call.enter}</kbd>
        </button>
      </div>
    </section>
  );
}

function Who({
  call,
  heading,
}: {
  call: LineCall;
  heading?: React.RefObject<HTMLHeadingElement | null>;
}) {
  const number = /^anonymous$/i.test(call.number) ? "" : pretty(call.number);
  return (
    <>
      <Title order={1} className="stage-name wrap" ref={heading} tabIndex={-1}>
        <bdi>{call.name || number || words.phone.private}</bdi>
      </Title>
      {call.name && number && (
        <Text className="stage-number wrap">
          <bdi>{number}</bdi>
        </Text>
      )}
    </>
  );
}

function Going({ call, ...others }: { call: LineCall } & Others) {
  const s = useStore(call.store);
  const { here, showDevices } = useAdmitted();
  const running = runningCall(Object.values(useLive().calls), here.client.id, call);
  // The server plays music to us: only its news say that the other side holds.
  const heldByFar =
    s.heldByFar ||
    !!running?.legs.some((l) => l.held && l.state !== "ended" && l.client !== here.client.id);
  const from = cameFrom(running, here.client.id);
  const [keys, setKeys] = useState(false);
  const [details, setDetails] = useState(false);
  const [sent, setSent] = useState("");
  const talking = s.phase === "talking";
  const press = (d: string) => {
    call.digit(d);
    setSent((t) => (t + d).slice(-24));
  };
  useCallKeys(call, others, { talking, keypad: keys }, press, {
    keypad: () => setKeys((k) => !k),
    voice: () => setDetails((d) => !d),
  });
  const state = s.held
    ? words.call.held
    : heldByFar
      ? words.call.heldByFar
      : {
          incoming: "",
          calling: words.call.calling,
          ringing: words.call.ringing,
          connecting: words.call.answering,
          talking: words.call.talking,
        }[s.phase];
  return (
    <section className="going" aria-label={words.call.talking}>
      <Text
        className="stage-kind"
        role="status"
        data-phase={s.phase}
        data-held={s.held || heldByFar || undefined}
      >
        {state}
      </Text>
      <Who call={call} />
      {from && <Text className="quiet">{words.call.cameFrom(from)}</Text>}
      <Timer since={(running?.answered && Date.parse(running.answered)) || s.answered} />
      {s.broken && <Notice tone="warn" title={words.call.restarting} />}
      {talking && <VoiceBox call={call} open={details} toggle={() => setDetails(!details)} />}
      {keys ? (
        <div className="going-keys">
          <output className="sent" aria-live="off">
            {sent || "\u00a0"}
          </output>
          <Keypad press={press} />
        </div>
      ) : null}
      <div className="acts" role="group" aria-label={words.phone.menu}>
        <Act
          name={s.muted ? words.call.unmute : words.call.mute}
          sign={s.muted ? <IconMicrophoneOff /> : <IconMicrophone />}
          on={s.muted}
          run={() => call.mute(!s.muted)}
          keys="m"
          disabled={!talking}
        />
        <Act
          name={s.held ? words.call.resume : words.call.hold}
          sign={s.held ? <IconPlayerPlay /> : <IconPlayerPause />}
          on={s.held}
          run={() => call.hold(!s.held)}
          keys="h"
          disabled={!talking}
        />
        <Act
          name={words.call.keypad}
          sign={<IconDialpad />}
          on={keys}
          run={() => setKeys(!keys)}
          keys="k"
          disabled={!talking}
        />
        <Act name={words.call.devices} sign={<IconHeadset />} run={showDevices} />
      </div>
      <Volume />
      <button
        type="button"
        className="go go-stop big hang-up"
        aria-keyshortcuts="Shift+X"
        onClick={() => call.hangUp()}
      >
        <IconPhoneOff size={28} aria-hidden />
        <span>{words.call.hangUp}</span>
      </button>
    </section>
  );
}

function Act({
  name,
  sign,
  on,
  run,
  keys,
  disabled,
}: {
  name: string;
  sign: React.ReactElement;
  on?: boolean;
  run: () => void;
  keys?: string;
  disabled?: boolean;
}) {
  return (
    <button
      type="button"
      className="act"
      data-on={on || undefined}
      aria-keyshortcuts={keys}
      title={keys ? `${name} (${keys.toUpperCase()})` : name}
      onClick={run}
      disabled={disabled}
    >
      <span className="act-sign" aria-hidden>
        {sign}
      </span>
      <span>{name}</span>
    </button>
  );
}

/** The keys of a call; keys.ts says which is which. */
function useCallKeys(
  call: LineCall,
  { second, show, resume }: Others,
  stage: { talking: boolean; keypad: boolean },
  press: (d: string) => void,
  toggle: { keypad: () => void; voice: () => void },
) {
  const { line, showDevices } = useAdmitted();
  const { devices } = usePhone();
  const act = useRef<(e: KeyboardEvent) => void>(undefined);
  act.current = (e) => {
    // A slider moves by its own keys; everything else here is a button.
    if (occupied(e.target)) return;
    const rings = second?.store.get().phase === "incoming";
    const beside = second && (rings ? "rings" : "held");
    const meant = callAct(e, { ...stage, second: beside });
    if (!meant) return;
    e.preventDefault();
    const s = call.store.get();
    const volume = (step: number) =>
      devices.setVolume(Math.min(1, Math.max(0, devices.store.get().volume + step)));
    if (typeof meant === "object") return press(meant.digit);
    switch (meant) {
      case "mute":
        return call.mute(!s.muted);
      case "hold":
        return call.hold(!s.held);
      case "keypad":
        return toggle.keypad();
      case "voice":
        return toggle.voice();
      case "louder":
        return volume(0.1);
      case "quieter":
        return volume(-0.1);
      case "hangUp":
        return call.hangUp();
      case "answerSecond":
        show(second!);
        return void line.answer(second!).catch(showDevices);
      case "declineSecond":
        return second!.decline();
      case "swap":
        return resume(second!);
    }
  };
  useEffect(() => {
    const key = (e: KeyboardEvent) => act.current?.(e);
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, []);
}

function Timer({ since }: { since?: number }) {
  const now = useNow(250);
  return (
    <div className="timer" role="timer" data-testid="timer">
      {since ? clock(now.getTime() - since) : "\u00a0"}
    </div>
  );
}

function VoiceBox({ call, open, toggle }: { call: LineCall; open: boolean; toggle: () => void }) {
  const { mine, theirs, muted } = useStore(call.store);
  const samples = useVoice(call);
  const quality = judge(samples);
  return (
    <div className="card voice">
      <div className="voice-row">
        <span className="voice-name">{words.call.you}</span>
        {muted ? (
          <span className="voice-muted">{words.call.muted}</span>
        ) : (
          <Meter name={words.call.you} stream={mine} />
        )}
      </div>
      <div className="voice-row">
        <span className="voice-name">{words.call.them}</span>
        <Meter name={words.call.them} stream={theirs} />
      </div>
      <button
        type="button"
        className="voice-quality"
        aria-expanded={open}
        aria-keyshortcuts="v"
        onClick={toggle}
        data-testid="quality"
        data-quality={quality}
      >
        <span className="quiet">{words.call.voice}</span>
        <span
          className="dot"
          data-is={{ unknown: "", good: "good", fair: "warn", poor: "bad" }[quality]}
        />
        <span>{words.call.quality[quality]}</span>
        <span className="quiet voice-more">{open ? words.hideDetails : words.details}</span>
      </button>
      {open && <VoiceDetails samples={samples} more={words.call.qualityMore[quality]} />}
    </div>
  );
}

function VoiceDetails({ samples, more }: { samples: readonly Sample[]; more: string }) {
  const last = samples.at(-1);
  return (
    <div>
      <Text size="sm" mb={4}>
        {more}
      </Text>
      <figure aria-label={words.call.graph} className="figure">
        <Suspense fallback={<div style={{ height: 160 }} />}>
          <VoiceGraph samples={samples} />
        </Suspense>
        <figcaption className="legend">
          <span data-line="loss">
            {words.call.loss} {last ? `${last.loss.toFixed(1)} %` : "–"}
          </span>
          <span data-line="jitter">
            {words.call.jitter} {last ? `${Math.round(last.jitter)} ms` : "–"}
          </span>
          <span data-line="trip">
            {words.call.roundTrip} {last?.roundTrip ? `${Math.round(last.roundTrip)} ms` : "–"}
          </span>
        </figcaption>
      </figure>
    </div>
  );
}

function Volume() {
  const { devices } = usePhone();
  const { volume } = useStore(devices.store);
  return (
    <div className="volume">
      <IconVolume size={20} aria-hidden />
      <Slider
        thumbLabel={words.call.volume}
        value={Math.round(volume * 100)}
        onChange={(v) => devices.setVolume(v / 100)}
        label={null}
        size="lg"
        style={{ flex: 1 }}
      />
    </div>
  );
}

/** A call beside the one in front: a card with its one clear action. */
function Second({ call, show, resume }: { call: LineCall; show: () => void; resume: () => void }) {
  const { line, showDevices } = useAdmitted();
  const { phase } = useStore(call.store);
  const incoming = phase === "incoming";
  return (
    <section className="card second" aria-label={words.call.second}>
      <div className="second-text">
        <div className="quiet">{incoming ? words.call.incoming : words.call.held}</div>
        <div className="truncate one-name">
          <bdi>{call.name || pretty(call.title) || words.phone.private}</bdi>
        </div>
      </div>
      <div className="second-acts">
        {incoming ? (
          <>
            <Button variant="default" onClick={() => call.decline()}>
              {words.call.decline}
            </Button>
            <Button
              className="go-call"
              onClick={() => {
                show();
                void line.answer(call).catch(showDevices);
              }}
            >
              {words.call.holdAndAnswer}
            </Button>
          </>
        ) : (
          <Button variant="default" onClick={resume}>
            {words.call.resume}
          </Button>
        )}
      </div>
    </section>
  );
}

/** The far end's voice on the chosen output. */
function Voice({ call }: { call: LineCall }) {
  const { theirs } = useStore(call.store);
  const { devices } = usePhone();
  const { volume, chosen, outputs } = useStore(devices.store);
  const element = useRef<HTMLAudioElement>(null);
  useEffect(() => {
    const e = element.current!;
    e.srcObject = theirs ?? null;
    if (theirs) void e.play().catch(() => {});
  }, [theirs]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another choice, another sink
  useEffect(() => {
    void playOn(element.current!, devices.sink("speaker"));
  }, [devices, chosen.speaker, outputs]);
  useEffect(() => {
    element.current!.volume = volume;
  }, [volume]);
  // biome-ignore lint/a11y/useMediaCaption: a live voice has no captions
  return <audio ref={element} data-testid="far-voice" />;
}
