import { useMutation } from "@tanstack/react-query";
import type { Call } from "../shared/model";
import { words } from "../shared/words";
import { useAdmitted, useLive, usePhone } from "./context";
import { Notice } from "./pages";

/** A call of the person's that did not come along: it can be brought here. */
export default function Astray() {
  const { here } = useAdmitted();
  const { api } = usePhone();
  const { calls } = useLive();
  const bring = useMutation({ mutationFn: api.fetchCall });
  const call = astray(Object.values(calls), here.user?.id ?? "", here.client.id);
  if (!call) return null;
  return (
    <Notice
      tone="warn"
      title={words.phone.astray(call.place)}
      action={
        bring.isPending
          ? undefined
          : { name: words.phone.bringHere, run: () => bring.mutate(call.id) }
      }
    >
      {bring.error ? bring.error.message : bring.isPending ? words.phone.bringing : ""}
    </Notice>
  );
}

/** The running call of a person that is at another client than this, or waits for her. */
export function astray(calls: readonly Call[], user: string, client: string) {
  for (const c of calls) {
    if (c.state !== "talking" && c.state !== "parked") continue;
    const mine = c.legs.filter((l) => user && l.user === user && l.client);
    const live = mine.filter((l) => l.state !== "ended" && l.state !== "ending");
    if (mine.length === 0 || live.some((l) => l.client === client)) continue;
    return { id: c.id, place: live.at(-1)?.clientName ?? "" };
  }
  return undefined;
}
