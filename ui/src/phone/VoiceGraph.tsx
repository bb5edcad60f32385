import "uplot/dist/uPlot.min.css";
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { clock } from "../shared/format";
import type { Sample } from "../shared/quality";
import { words } from "../shared/words";

/** Loss, jitter and round trip over the time of the call. */
export default function VoiceGraph({ samples }: { samples: readonly Sample[] }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const scheme = useComputedColorScheme();
  // biome-ignore lint/correctness/useExhaustiveDependencies: other colours, another plot
  useEffect(() => {
    const element = box.current!;
    const style = getComputedStyle(element);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour("--mantine-color-dimmed"),
      grid: { stroke: colour("--edge"), width: 1 },
      ticks: { show: false },
      font: "11px Inter Variable",
    };
    const u = new uPlot(
      {
        width: element.clientWidth,
        height: 160,
        cursor: { show: false },
        legend: { show: false },
        scales: {
          x: { time: false },
          ms: { range: (_u, _min, max) => [0, Math.max(50, max * 1.15)] },
          loss: { range: (_u, _min, max) => [0, Math.max(5, max * 1.15)] },
        },
        axes: [
          { ...axis, size: 28, values: (_u, v) => v.map((s) => clock(s * 1000)) },
          { ...axis, scale: "ms", size: 52, values: (_u, v) => v.map((n) => `${n} ms`) },
          {
            ...axis,
            scale: "loss",
            side: 1,
            size: 44,
            grid: { show: false },
            values: (_u, v) => v.map((n) => `${n} %`),
          },
        ],
        series: [
          {},
          {
            label: words.call.jitter,
            scale: "ms",
            stroke: colour("--accent-text"),
            width: 2,
            points: { show: false },
          },
          {
            label: words.call.roundTrip,
            scale: "ms",
            stroke: colour("--good"),
            width: 2,
            dash: [6, 4],
            points: { show: false },
          },
          {
            label: words.call.loss,
            scale: "loss",
            stroke: colour("--bad"),
            width: 2,
            dash: [2, 3],
            points: { show: false },
          },
        ],
      },
      [[], [], [], []],
      element,
    );
    plot.current = u;
    const fit = new ResizeObserver(() => u.setSize({ width: element.clientWidth, height: 160 }));
    fit.observe(element);
    return () => {
      fit.disconnect();
      u.destroy();
    };
  }, [scheme]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new plot is empty
  useEffect(() => {
    plot.current?.setData([
      samples.map((s) => s.at - samples[0]!.at),
      samples.map((s) => s.jitter),
      samples.map((s) => s.roundTrip),
      samples.map((s) => s.loss),
    ]);
  }, [samples, scheme]);
  return <div ref={box} className="graph" />;
}
