import { Store } from "../shared/store";

export type Role = "microphone" | "speaker" | "ringer";

export interface DevicesState {
  /** Chosen device identifiers; empty: the system's default. */
  chosen: Record<Role, string>;
  inputs: MediaDeviceInfo[];
  outputs: MediaDeviceInfo[];
  microphone: "unknown" | "granted" | "denied" | "absent" | "busy";
  volume: number;
}

const shelf = "roamline-devices";
const canChoose = "setSinkId" in HTMLMediaElement.prototype;

/** The appliance at this client: which microphone, speaker and ringer. */
export class Devices {
  readonly store: Store<DevicesState>;
  /** Whether this browser can play on another output than the default. */
  readonly canChooseOutput = canChoose;

  constructor() {
    this.store = new Store<DevicesState>({
      chosen: remembered(),
      inputs: [],
      outputs: [],
      microphone: "unknown",
      volume: 1,
    });
    navigator.mediaDevices.addEventListener("devicechange", () => void this.look());
    void this.look();
    void this.watchPermission();
  }

  choose(role: Role, id: string) {
    const chosen = { ...this.store.get().chosen, [role]: id };
    this.store.set({ chosen });
    try {
      localStorage.setItem(shelf, JSON.stringify(chosen));
    } catch {
      // Storage is full or forbidden: the choice lasts as long as the page.
    }
  }

  setVolume(volume: number) {
    this.store.set({ volume });
  }

  /** The output for a role; empty if its device is gone. */
  sink(role: "speaker" | "ringer"): string {
    const { chosen, outputs } = this.store.get();
    return outputs.some((d) => d.deviceId === chosen[role]) ? chosen[role] : "";
  }

  /** Opens the chosen microphone. It asks the person the first time: call it from a gesture. */
  async open(): Promise<MediaStream> {
    const { chosen, inputs } = this.store.get();
    const id = inputs.some((d) => d.deviceId === chosen.microphone) ? chosen.microphone : "";
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: {
          deviceId: id ? { exact: id } : undefined,
          echoCancellation: true,
          noiseSuppression: true,
          autoGainControl: true,
          channelCount: 1,
        },
      });
      this.store.set({ microphone: "granted" });
      void this.look();
      return stream;
    } catch (error) {
      const name = error instanceof DOMException ? error.name : "";
      this.store.set({
        microphone:
          name === "NotAllowedError" || name === "SecurityError"
            ? "denied"
            : name === "NotFoundError" || name === "OverconstrainedError"
              ? "absent"
              : "busy",
      });
      throw error;
    }
  }

  private async look() {
    const all = await navigator.mediaDevices.enumerateDevices().catch(() => []);
    // The browser's own aliases repeat a device that is in the list by itself.
    const real = all.filter((d) => d.deviceId !== "default" && d.deviceId !== "communications");
    const inputs = real.filter((d) => d.kind === "audioinput");
    this.store.set({ inputs, outputs: real.filter((d) => d.kind === "audiooutput") });
    const { microphone } = this.store.get();
    if (inputs.length === 0) this.store.set({ microphone: "absent" });
    else if (microphone === "absent") this.store.set({ microphone: "unknown" });
    else if (microphone === "unknown" && inputs[0]!.label)
      this.store.set({ microphone: "granted" });
  }

  private async watchPermission() {
    try {
      const status = await navigator.permissions.query({ name: "microphone" as PermissionName });
      const tell = () => {
        if (status.state === "denied") this.store.set({ microphone: "denied" });
        else if (this.store.get().microphone === "denied")
          this.store.set({ microphone: "unknown" });
        void this.look();
      };
      status.onchange = tell;
      tell();
    } catch {
      // Not every browser answers this question; the first call will.
    }
  }
}

function remembered(): Record<Role, string> {
  const none = { microphone: "", speaker: "", ringer: "" };
  try {
    const kept = JSON.parse(localStorage.getItem(shelf) ?? "{}") as Partial<typeof none>;
    return { ...none, ...kept };
  } catch {
    return none;
  }
}
