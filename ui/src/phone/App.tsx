import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { Access } from "../shared/access";
import { backoff, pause } from "../shared/backoff";
import { Api } from "../shared/calls";
import { type Identity, identity } from "../shared/identity";
import { Store } from "../shared/store";
import { words } from "../shared/words";
import { type Live, type Phone, ProvidePhone } from "./context";
import { Devices } from "./devices";
import { Gate } from "./Gate";
import { Leadership } from "./lead";
import { FullPage, Loading } from "./pages";
import { SetUp, setupCode } from "./SetUp";
import { Sound } from "./sound";

type Start = { who: Identity } | { fault: "insecure" | "identity" } | undefined;

/** The phone from its first moment: who is this browser, then everything else. */
export function App() {
  const [start, setStart] = useState<Start>();
  useEffect(() => {
    if (!isSecureContext || !crypto.subtle || !navigator.mediaDevices || !navigator.locks) {
      setStart({ fault: "insecure" });
      return;
    }
    identity().then(
      (who) => setStart({ who }),
      () => setStart({ fault: "identity" }),
    );
  }, []);
  if (!start) return <Loading />;
  if ("who" in start) return <Known who={start.who} />;
  if (start.fault === "insecure") {
    const secure = `https://${location.host}${location.pathname}`;
    return (
      <FullPage
        title={words.insecure.title}
        text={words.insecure.text}
        next={words.insecure.next}
        link={location.protocol === "http:" ? { to: secure, name: words.insecure.open } : undefined}
      />
    );
  }
  return (
    <FullPage
      title={words.noIdentity.title}
      text={words.noIdentity.text}
      next={words.noIdentity.next}
    />
  );
}

function Known({ who }: { who: Identity }) {
  const queries = useQueryClient();
  const [setup, setSetup] = useState(setupCode);
  const phone = useMemo<Phone>(
    () => ({
      api: new Api(new Access(who)),
      devices: new Devices(),
      sound: new Sound(),
      lead: new Leadership(),
      live: new Store<Live>({ calls: {}, streamUp: false }),
    }),
    [who],
  );
  const [reachable, setReachable] = useState<boolean>();
  useEffect(() => {
    const stop = new AbortController();
    void (async () => {
      for (let n = 0; !stop.signal.aborted; n++) {
        try {
          await phone.api.access.current();
          setReachable(true);
          return;
        } catch {
          setReachable(false);
          await pause(backoff(n), stop.signal);
        }
      }
    })();
    return () => stop.abort();
  }, [phone]);
  if (reachable === undefined) return <Loading />;
  if (!reachable)
    return (
      <FullPage
        title={words.offline.title}
        text={words.offline.text}
        next={words.offline.next}
        busy
      />
    );
  return (
    <ProvidePhone value={phone}>
      {setup === undefined ? (
        <Gate />
      ) : (
        <SetUp
          code={setup}
          done={() => {
            setSetup(undefined);
            history.replaceState(null, "", "/");
            void queries.invalidateQueries();
          }}
        />
      )}
    </ProvidePhone>
  );
}
