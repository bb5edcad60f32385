import { useEffect, useRef } from "react";
import { usePhone } from "./context";

/** How loud a voice is now: a bar that moves without rendering anything anew. */
export function Meter({
  name,
  stream,
  onLevel,
}: {
  name: string;
  stream: MediaStream | undefined;
  onLevel?: (level: number) => void;
}) {
  const { sound } = usePhone();
  const bar = useRef<HTMLDivElement>(null);
  const told = useRef(onLevel);
  told.current = onLevel;
  useEffect(() => {
    if (!stream?.getAudioTracks().length) return;
    const meter = sound.meter(stream);
    let shown = 0;
    let frame = 0;
    const draw = () => {
      const level = meter.level();
      shown = Math.max(level, shown * 0.88);
      if (bar.current) {
        bar.current.style.transform = `scaleX(${shown.toFixed(3)})`;
        bar.current.parentElement?.setAttribute("aria-valuenow", String(Math.round(shown * 100)));
      }
      told.current?.(level);
      frame = requestAnimationFrame(draw);
    };
    draw();
    return () => {
      cancelAnimationFrame(frame);
      meter.close();
    };
  }, [stream, sound]);
  return (
    <div
      className="meter"
      role="meter"
      aria-label={name}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={0}
    >
      <div ref={bar} className="meter-bar" />
    </div>
  );
}
