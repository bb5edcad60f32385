import { Button, Select, Stack, Text } from "@mantine/core";
import { IconBell, IconVolume } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { useStore } from "../shared/store";
import { words } from "../shared/words";
import { useAdmitted, usePhone } from "./context";
import type { Role } from "./devices";
import { Meter } from "./Meter";
import { Notice } from "./pages";

/** Seconds without a sound after which the person is asked about it. */
const patience = 4;

/** Microphone, headset and ringer, tried in ten seconds, before a call or during one. */
export default function DevicesPanel({ trouble }: { trouble: string }) {
  const { devices, sound } = usePhone();
  const { line } = useAdmitted();
  const { microphone, chosen } = useStore(devices.store);
  const [stream, setStream] = useState<MediaStream>();
  const open = () => {
    void sound.wake();
    devices.open().then(setStream, () => setStream(undefined));
  };
  // Once allowed, the meter moves by itself; it never asks by itself.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another microphone is opened anew
  useEffect(() => {
    if (devices.store.get().microphone === "granted") open();
  }, [chosen.microphone, microphone === "granted"]);
  useEffect(() => () => stop(stream), [stream]);
  const changeMicrophone = (id: string) => {
    devices.choose("microphone", id);
    for (const call of line.store.get().calls)
      if (call.store.get().mine)
        void devices.open().then(
          (s) => call.changeMicrophone(s),
          () => {},
        );
  };
  return (
    <Stack gap="lg">
      {trouble && <Notice tone="bad" title={trouble} />}
      <Text c="dimmed">{words.devices.intro}</Text>
      <Stack gap="xs">
        <Choice of="microphone" choose={changeMicrophone} />
        {microphone === "granted" ? (
          <Level stream={stream} />
        ) : microphone === "denied" ? (
          <Notice tone="bad" title={words.devices.denied} action={{ name: words.retry, run: open }}>
            {words.devices.deniedMore}
          </Notice>
        ) : microphone === "absent" ? (
          <Notice tone="bad" title={words.devices.absent} action={{ name: words.retry, run: open }}>
            {words.devices.absentMore}
          </Notice>
        ) : microphone === "busy" ? (
          <Notice tone="bad" title={words.devices.busy} action={{ name: words.retry, run: open }}>
            {words.devices.busyMore}
          </Notice>
        ) : (
          <Button onClick={open}>{words.devices.allow}</Button>
        )}
      </Stack>
      <Stack gap="xs">
        <Choice of="speaker" choose={(id) => devices.choose("speaker", id)} />
        <div className="tries">
          <Button
            variant="default"
            leftSection={<IconVolume size={18} aria-hidden />}
            onClick={() => sound.play("test", devices.sink("speaker"))}
          >
            {words.devices.testTone}
          </Button>
          {stream && <Hear stream={stream} />}
        </div>
      </Stack>
      <Stack gap="xs">
        <Choice of="ringer" choose={(id) => devices.choose("ringer", id)} />
        <div className="tries">
          <Button
            variant="default"
            leftSection={<IconBell size={18} aria-hidden />}
            onClick={() => sound.play("ringOnce", devices.sink("ringer"))}
          >
            {words.devices.testRing}
          </Button>
          <Notifications />
        </div>
      </Stack>
    </Stack>
  );
}

function Choice({ of: role, choose }: { of: Role; choose: (id: string) => void }) {
  const { devices } = usePhone();
  const { chosen, inputs, outputs } = useStore(devices.store);
  const list = role === "microphone" ? inputs : outputs;
  const known = list.some((d) => d.deviceId && d.deviceId === chosen[role]);
  const fixed = role !== "microphone" && !devices.canChooseOutput;
  return (
    <Select
      label={words.devices[role]}
      description={
        fixed
          ? words.devices.noSink
          : chosen[role] && list.length && !known
            ? words.devices.gone
            : undefined
      }
      data={[
        { value: "", label: words.devices.systemDefault },
        ...list
          .filter((d) => d.deviceId)
          .map((d, i) => ({
            value: d.deviceId,
            label: d.label || `${words.devices[role]} ${i + 1}`,
          })),
      ]}
      value={known ? chosen[role] : ""}
      onChange={(id) => choose(id ?? "")}
      allowDeselect={false}
      disabled={fixed}
      comboboxProps={{ withinPortal: true }}
    />
  );
}

function Level({ stream }: { stream?: MediaStream }) {
  const [heard, setHeard] = useState(true);
  const last = useRef(performance.now());
  const level = (l: number) => {
    const now = performance.now();
    if (l > 0.2) last.current = now;
    setHeard(now - last.current < patience * 1000);
  };
  return (
    <div>
      <Meter name={words.devices.level} stream={stream} onLevel={level} />
      <Text size="sm" c={heard ? "dimmed" : undefined} mt={6} role="status">
        {heard ? words.devices.speak : words.devices.silent}
      </Text>
    </div>
  );
}

function Hear({ stream }: { stream: MediaStream }) {
  const { devices, sound } = usePhone();
  const [on, setOn] = useState(false);
  useEffect(() => {
    if (on) return sound.echo(stream, devices.sink("speaker"));
  }, [on, stream, sound, devices]);
  return (
    <Button
      variant={on ? "filled" : "default"}
      aria-pressed={on}
      title={words.devices.hearMore}
      onClick={() => setOn(!on)}
    >
      {on ? words.devices.hearing : words.devices.hear}
    </Button>
  );
}

function Notifications() {
  const supported = "Notification" in window;
  const [state, setState] = useState(supported ? Notification.permission : "denied");
  if (!supported) return null;
  if (state === "granted") return <Text c="dimmed">{words.devices.notifyOn}</Text>;
  if (state === "denied")
    return (
      <Text size="sm" c="dimmed">
        {words.devices.notifyDenied}
      </Text>
    );
  return (
    <Button variant="default" onClick={() => void Notification.requestPermission().then(setState)}>
      {words.devices.notify}
    </Button>
  );
}

function stop(stream: MediaStream | undefined) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}
