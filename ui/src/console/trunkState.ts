import type { Trunk, TrunkStatus } from "../shared/model";
import { say } from "./words";

/** How a trunk is, in a word, and why if it is not well. */
export function trunkState(
  trunk: Pick<Trunk, "enabled">,
  status: TrunkStatus | undefined,
): { is: "good" | "warn" | "bad" | ""; word: string; why: string } {
  if (!trunk.enabled) return { is: "", word: say.trunks.off, why: "" };
  if (!status) return { is: "warn", word: say.trunks.unknown, why: "" };
  if (status.error) return { is: "bad", word: say.trunks.bad, why: status.error };
  return { is: "good", word: say.trunks.good, why: "" };
}
