import { pretty } from "../shared/format";
import { useStore } from "../shared/store";
import { words } from "../shared/words";
import { useAdmitted } from "./context";
import { Notice } from "./pages";

/** What became of the last call, if it was not an ordinary end. */
export function EndedNotice() {
  const { line, call, here } = useAdmitted();
  const { ended } = useStore(line.store);
  if (!ended) return null;
  const who = ended.name || pretty(ended.number) || words.phone.private;
  const again = ended.number && !/^anonymous$/i.test(ended.number) && here.user;
  return (
    <Notice
      tone={ended.cause === "Canceled" ? "warn" : "bad"}
      title={`${words.ended[ended.cause] ?? words.ended.other}: ${who}`}
      action={
        again
          ? {
              name: ended.outgoing ? words.call.callAgain : words.phone.callBack(who),
              run: () => call(ended.number, ended.name),
            }
          : undefined
      }
      onClose={() => line.dismiss()}
    >
      {words.endedNext[ended.cause] ?? words.endedNext.other}
    </Notice>
  );
}
