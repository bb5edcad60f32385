import { Store } from "../shared/store";

/** Whether this tab is the one that rings, and whether the other one is in a call. */
export interface Lead {
  role: "asking" | "leader" | "follower";
  otherBusy: boolean;
}

const name = "roamline-phone";

/**
 * One tab of a browser is the phone (Web Locks); the others wait until it
 * closes, or take its place when the person says so.
 */
export class Leadership {
  readonly store = new Store<Lead>({ role: "asking", otherBusy: false });
  private readonly channel = new BroadcastChannel(name);
  private busy = false;

  constructor() {
    this.channel.onmessage = ({ data }: MessageEvent<string>) => {
      if (this.store.get().role === "leader") {
        if (data === "ask") this.tell();
      } else if (data !== "ask") this.store.set({ otherBusy: data === "busy" });
    };
    void this.queue();
  }

  /** Takes the lead from the tab that has it. */
  take() {
    void this.hold({ steal: true });
  }

  /** Says whether this tab is in a call. */
  setBusy(busy: boolean) {
    if (busy === this.busy) return;
    this.busy = busy;
    if (this.store.get().role === "leader") this.tell();
  }

  private async queue() {
    const free = await navigator.locks.request(name, { ifAvailable: true }, (lock) => !!lock);
    if (!free) {
      this.store.set({ role: "follower" });
      this.channel.postMessage("ask");
    }
    await this.hold({});
  }

  private async hold(options: LockOptions) {
    try {
      await navigator.locks.request(name, options, () => {
        this.store.set({ role: "leader", otherBusy: false });
        this.tell();
        return new Promise<never>(() => {});
      });
    } catch {
      // Another tab took it: wait until that one closes.
      this.store.set({ role: "follower", otherBusy: false });
      void this.hold({});
    }
  }

  private tell() {
    this.channel.postMessage(this.busy ? "busy" : "free");
  }
}
