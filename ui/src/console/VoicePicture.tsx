import { useElementSize } from "@mantine/hooks";
import { clock } from "../shared/format";
import type { TraceEntry } from "../shared/model";
import { words } from "../shared/words";
import { State } from "./parts";
import { type Score, type Span, ticks, type Way } from "./voice";
import { say } from "./words";

const lane = 34;
const bar = 14;
const shades = { good: "good", fair: "warn", poor: "bad" } as const;
const bad = { poor: 2, fair: 1, good: 0 };

/** A call over one time axis: when it rang, when they talked, each leg's voice, every message. */
export function Timeline({
  of,
  story,
  start,
  chosen,
}: {
  of: Score;
  story: readonly TraceEntry[];
  /** When the call was offered. */
  start: string;
  chosen?: TraceEntry;
}) {
  const { ref, width } = useElementSize();
  const gutter = width < 520 ? 96 : 168;
  const x = (ms: number) => gutter + (Math.min(ms, of.length) / of.length) * (width - gutter - 20);
  const at = (e: TraceEntry) => x(Math.max(0, Date.parse(e.at) - Date.parse(start)));
  const names = [
    say.calls.call,
    ...of.legs.map((l) => l.name),
    ...(story.length ? [say.calls.messages] : []),
  ];
  const height = names.length * lane + 28;
  const strip = (row: number, s: Span, kind: string) => (
    <rect
      x={x(s.from)}
      y={row * lane + (lane - bar) / 2}
      width={Math.max(3, x(s.to) - x(s.from))}
      height={bar}
      rx={4}
      className="strip"
      data-kind={kind}
    />
  );
  return (
    <div ref={ref} className="timeline">
      {width > 0 && (
        <svg width={width} height={height} role="img" aria-label={describe(of)}>
          {ticks(of.length).map((t) => (
            <g key={t}>
              <line x1={x(t)} x2={x(t)} y1={4} y2={height - 24} className="tick" />
              <text x={x(t)} y={height - 6} className="tick-name">
                {clock(t)}
              </text>
            </g>
          ))}
          {names.map((n, i) => (
            <text
              key={`${n} ${String(i)}`}
              x={16}
              y={i * lane + lane / 2 + 5}
              className="lane-name"
            >
              {n.length * 8 > gutter - 24 ? `${n.slice(0, Math.floor((gutter - 32) / 8))}…` : n}
            </text>
          ))}
          {of.waiting && strip(0, of.waiting, "wait")}
          {of.talking && strip(0, of.talking, "talk")}
          {of.legs.map(
            (l, i) => l.voice && <g key={l.name}>{strip(i + 1, l.voice, worst(l.ways))}</g>,
          )}
          {story.map((e, i) => (
            <line
              // biome-ignore lint/suspicious/noArrayIndexKey: a story only grows at its end
              key={i}
              x1={at(e)}
              x2={at(e)}
              y1={height - 24 - lane + 10}
              y2={height - 24 - 10}
              className="event"
              data-kind={/^[4-6]\d\d\b/.test(e.text) ? "poor" : e.kind}
            />
          ))}
          {chosen && (
            <line x1={at(chosen)} x2={at(chosen)} y1={0} y2={height - 24} className="here" />
          )}
        </svg>
      )}
    </div>
  );
}

function worst(all: readonly Way[]): Way["quality"] {
  return all.reduce<Way["quality"]>((w, { quality: q }) => (bad[q] > bad[w] ? q : w), "good");
}

function describe(of: Score): string {
  return [
    of.talking
      ? say.calls.rangFor(clock(of.talking.from), clock(of.length - of.talking.from))
      : say.calls.rangOnly(clock(of.length)),
    ...of.legs
      .filter((l) => l.ways.length)
      .map((l) => `${l.name}: ${words.call.quality[worst(l.ways)]}`),
  ].join(". ");
}

/** The figures of every leg, both ways, with the rating that they amount to. */
export function Figures({ of }: { of: Score }) {
  const legs = of.legs.filter((l) => l.ways.length > 0);
  if (legs.length === 0) return <p className="quiet caption">{say.calls.noVoice}</p>;
  return (
    <>
      <div className="ears">
        {legs.map((l) => (
          <section key={l.name} className="card ear" aria-label={l.name}>
            <h3>
              <bdi>{l.name}</bdi>
              <span className="quiet">
                {[l.codec, l.roundTrip > 0 && say.calls.trip(Math.round(l.roundTrip))]
                  .filter(Boolean)
                  .join(" · ")}
              </span>
            </h3>
            {l.ways.map((w) => (
              <Ear key={w.way} of={w} />
            ))}
          </section>
        ))}
      </div>
      <p className="quiet caption">{say.calls.mosMore}</p>
    </>
  );
}

function Ear({ of: w }: { of: Way }) {
  return (
    <div className="way">
      <div className="way-head">
        <span>{say.calls.ways[w.way]}</span>
        <State is={shades[w.quality]}>{words.call.quality[w.quality]}</State>
        <span className="way-mos">{say.calls.mos(w.mos.toFixed(1))}</span>
      </div>
      <Gauge name={words.call.loss} share={w.loss / 8} poor={w.loss > 4} fair={w.loss > 1}>
        {`${w.loss.toFixed(2)} % · ${say.calls.ofPackets(w.lost, w.packets)}`}
      </Gauge>
      <Gauge
        name={words.call.jitter}
        share={w.jitter / 120}
        poor={w.jitter > 60}
        fair={w.jitter > 30}
      >
        {`${w.jitter.toFixed(1)} ms`}
      </Gauge>
    </div>
  );
}

/** A figure with a bar beside it; at the bar's half the voice is poor. */
function Gauge({
  name,
  share,
  poor,
  fair,
  children,
}: {
  name: string;
  share: number;
  poor: boolean;
  fair: boolean;
  children: string;
}) {
  const kind = poor ? "poor" : fair ? "fair" : "good";
  const long = Math.min(1, Math.max(share, 0.01)) * 100;
  return (
    <div className="gauge">
      <span className="quiet">{name}</span>
      <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden>
        <rect width="100" height="8" rx="2" className="gauge-back" />
        <rect width={long} height="8" rx="2" className="strip" data-kind={kind} />
        <rect x="50" width="0.7" height="8" className="gauge-limit" />
      </svg>
      <span className="gauge-text">{children}</span>
    </div>
  );
}
