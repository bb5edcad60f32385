import type { GatewayStatus, Trunk, TrunkStatus } from "../shared/model";
import { say } from "./words";

export interface TrunkState {
  is: "good" | "warn" | "bad" | "";
  word: string;
  /** Why it is not well, as the server says it; empty if it is. */
  why: string;
  /** What to do about it; empty if there is nothing to do. */
  next: string;
}

/** How a trunk is, in a word, why if it is not well, and what to do then. */
export function trunkState(
  trunk: Pick<Trunk, "enabled" | "register">,
  status: TrunkStatus | undefined,
): TrunkState {
  const t = say.trunks;
  if (!trunk.enabled) return { is: "", word: t.off, why: "", next: t.offNext };
  if (!status) return { is: "warn", word: t.unknown, why: "", next: t.unknownNext };
  const silent = status.gateways.filter((g) => !g.reachable);
  if (status.error) {
    const answers = silent.length < status.gateways.length;
    const next = answers && trunk.register ? t.refusedNext : answers ? t.otherNext : t.silentNext;
    return { is: "bad", word: t.bad, why: status.error, next };
  }
  if (trunk.register && !status.registered)
    return { is: "warn", word: t.registering, why: "", next: t.unknownNext };
  if (silent.length > 0 && silent.length < status.gateways.length)
    return { is: "warn", word: t.partly, why: t.silent(names(silent)), next: t.partlyNext };
  if (silent.length > 0)
    return { is: "bad", word: t.bad, why: t.silent(names(silent)), next: t.silentNext };
  return { is: "good", word: t.good, why: "", next: "" };
}

function names(gateways: readonly GatewayStatus[]): string {
  return gateways.map((g) => g.address).join(", ");
}
