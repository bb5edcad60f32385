import { useEffect } from "react";
import { pretty } from "../shared/format";
import { useStore } from "../shared/store";
import { words } from "../shared/words";
import { useAdmitted, usePhone } from "./context";
import type { LineCall } from "./linecall";

/** All that tells of a ringing call beside the stage: sound, title, icon, notification. */
export function Ringing() {
  const { line } = useAdmitted();
  const { calls } = useStore(line.store);
  return calls.map((c) =>
    c.direction === "in" ? (
      <One key={c.id} call={c} second={calls.length > 1} />
    ) : (
      <Ringback key={c.id} call={c} />
    ),
  );
}

function One({ call, second }: { call: LineCall; second: boolean }) {
  const { sound, devices } = usePhone();
  const { phase } = useStore(call.store);
  const rings = phase === "incoming";
  const who = call.name || pretty(call.title) || words.phone.private;
  useEffect(() => {
    if (!rings) return;
    // Beside a voice in the ear a full ring would hurt.
    const quiet = second ? sound.play("ringOnce", devices.sink("speaker")) : undefined;
    const hush = quiet ?? sound.play("ring", devices.sink("ringer"));
    return hush;
  }, [rings, second, sound, devices]);
  useEffect(() => {
    if (!rings) return;
    const title = document.title;
    document.title = words.call.ringTitle(who);
    const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
    if (icon) icon.href = "/icon-ringing.svg";
    const note = notify(who, words.call.incoming);
    return () => {
      document.title = title;
      if (icon) icon.href = "/icon.svg";
      note?.close();
    };
  }, [rings, who]);
  return null;
}

/** What a caller hears while it rings there, unless the network sends its own sound. */
function Ringback({ call }: { call: LineCall }) {
  const { sound, devices } = usePhone();
  const { phase, theirs } = useStore(call.store);
  const sounds = phase === "ringing" && !theirs;
  useEffect(() => {
    if (!sounds) return;
    return sound.play("ringback", devices.sink("speaker"));
  }, [sounds, sound, devices]);
  return null;
}

function notify(title: string, body: string): Notification | undefined {
  if (!("Notification" in window) || Notification.permission !== "granted") return undefined;
  try {
    const note = new Notification(title, { body, icon: "/icon-ringing.svg", tag: "ringing" });
    note.onclick = () => {
      window.focus();
      note.close();
    };
    return note;
  } catch {
    // Some phones allow notifications from service workers only.
    return undefined;
  }
}
