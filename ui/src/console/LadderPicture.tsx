import { useMediaQuery } from "@mantine/hooks";
import type { KeyboardEvent } from "react";
import type { TraceEntry } from "../shared/model";
import { ladder, since } from "./ladder";
import { say } from "./words";

const rowHeight = 34;
const head = 44;

/** A call's messages as arrows between those who spoke; a chosen one is shown beside it. */
export function LadderPicture({
  story,
  chosen,
  choose,
}: {
  story: readonly TraceEntry[];
  chosen?: number;
  choose: (index: number) => void;
}) {
  const narrow = useMediaQuery("(max-width: 700px)");
  const gutter = narrow ? 58 : 76;
  const columnWidth = narrow ? 108 : 200;
  const letters = narrow ? 13 : 24;
  const { columns, rungs } = ladder(story);
  const count = Math.max(columns.length, 2);
  const width = gutter + count * columnWidth;
  const height = head + rungs.length * rowHeight + 12;
  const x = (column: number) => gutter + (column + 0.5) * columnWidth;
  const first = story[0]?.at ?? "";
  const press = (index: number) => (e: KeyboardEvent) => {
    if (e.key !== "Enter" && e.key !== " ") return;
    e.preventDefault();
    choose(index);
  };
  return (
    <div className="ladder-scroll">
      <svg
        className="ladder"
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        role="group"
        aria-label={say.calls.ladder}
      >
        {columns.map((name, i) => (
          <g key={name} aria-hidden>
            <line x1={x(i)} x2={x(i)} y1={head - 10} y2={height} className="ladder-life" />
            <text x={x(i)} y={22} className="ladder-name">
              {cut(name, letters)}
            </text>
          </g>
        ))}
        {rungs.map((r, i) => {
          const y = head + i * rowHeight;
          const middle = y + rowHeight - 10;
          const time = since(first, r.entry.at);
          const name =
            r.kind === "message"
              ? `${time} ${r.entry.text}, ${r.entry.from} → ${r.entry.to}`
              : `${time} ${r.entry.text}`;
          return (
            <g
              // biome-ignore lint/suspicious/noArrayIndexKey: a story only grows at its end
              key={i}
              role="button"
              tabIndex={0}
              aria-label={name}
              aria-pressed={chosen === i}
              className="rung"
              data-kind={r.kind === "message" ? (r.failed ? "failed" : "message") : r.entry.kind}
              onClick={() => choose(i)}
              onKeyDown={press(i)}
            >
              <rect
                x={1}
                y={y + 1}
                width={width - 2}
                height={rowHeight - 2}
                rx={6}
                className="rung-back"
              />
              <text x={gutter - 10} y={y + 21} className="rung-time">
                {time}{" "}
              </text>
              {r.kind === "message" ? (
                <>
                  <text x={(x(r.from) + x(r.to)) / 2} y={y + 17} className="rung-text">
                    {r.entry.text}
                  </text>
                  <Arrow from={x(r.from)} to={x(r.to)} y={middle + 2} />
                </>
              ) : (
                <text x={gutter + 8} y={y + 21} className="rung-note">
                  {r.entry.text}
                </text>
              )}
            </g>
          );
        })}
      </svg>
    </div>
  );
}

function Arrow({ from, to, y }: { from: number; to: number; y: number }) {
  const way = Math.sign(to - from);
  const tip = to - way * 2;
  return (
    <path
      className="rung-arrow"
      d={`M${from + way * 2} ${y}H${tip}M${tip - way * 7} ${y - 4}L${tip} ${y}L${tip - way * 7} ${y + 4}`}
    />
  );
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
