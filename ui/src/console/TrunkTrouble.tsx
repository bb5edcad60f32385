import { when } from "../shared/format";
import type { Trunk, TrunkStatus } from "../shared/model";
import { words } from "../shared/words";
import { State } from "./parts";
import { trunkState } from "./trunkState";
import { say } from "./words";

/**
 * What is wrong with a trunk and what to do; nothing while all is well. brief:
 * the word for it stands beside it already.
 */
export function TrunkTrouble({
  trunk,
  status,
  brief,
}: {
  trunk: Trunk;
  status?: TrunkStatus;
  brief?: boolean;
}) {
  const s = trunkState(trunk, status);
  if (s.is === "good") return null;
  const since =
    status?.since && s.is === "bad" ? when(status.since, new Date(), words.yesterday) : "";
  return (
    <div className="trouble" data-is={s.is} role="status">
      {!brief && (
        <State is={s.is}>
          <strong>{[s.word, since && say.now.since(since)].filter(Boolean).join(" ")}</strong>
        </State>
      )}
      {s.why && (
        <div className="wrap">
          {[s.why, brief && since && say.trunks.since(since)].filter(Boolean).join(" ")}
        </div>
      )}
      {s.next && <div>{s.next}</div>}
    </div>
  );
}
