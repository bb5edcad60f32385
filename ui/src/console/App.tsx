import { Button, Loader, Text, Title } from "@mantine/core";
import {
  IconActivity,
  IconDeviceDesktop,
  IconHash,
  IconHistory,
  IconMapPin,
  IconPhone,
  IconPlugConnected,
  IconUsers,
} from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { Access } from "../shared/access";
import { Api } from "../shared/calls";
import { follow as followNews } from "../shared/follow";
import { type Identity, identity } from "../shared/identity";
import { Store, useStore } from "../shared/store";
import { words } from "../shared/words";
import { CallPage } from "./CallPage";
import { Calls } from "./Calls";
import { Clients } from "./Clients";
import { type Console, type Live, nothing, ProvideConsole, told } from "./live";
import { Now } from "./Now";
import { Numbers } from "./Numbers";
import { People } from "./People";
import { follow, useRoute } from "./route";
import { Stays } from "./Stays";
import { Trunks } from "./Trunks";
import { say } from "./words";

/** The console from its first moment: is an administrator at this machine? */
export function App() {
  const [who, setWho] = useState<Identity | "none">();
  useEffect(() => {
    if (!isSecureContext || !crypto.subtle) setWho("none");
    else identity().then(setWho, () => setWho("none"));
  }, []);
  if (!who) return <Wait />;
  if (who === "none") return <Told title={words.insecure.title} text={words.insecure.next} />;
  return <Known who={who} />;
}

function Known({ who }: { who: Identity }) {
  const queries = useQueryClient();
  const parts = useMemo<Console>(
    () => ({ api: new Api(new Access(who)), live: new Store<Live>(nothing) }),
    [who],
  );
  const here = useQuery({ queryKey: ["here"], queryFn: parts.api.here, retry: 1000 });
  const administrator = here.data?.user?.roles.includes("administrator") ?? false;
  const client = here.data?.client.id;
  useEffect(() => {
    if (!client) return;
    const stop = new AbortController();
    void followNews(
      parts.api,
      stop.signal,
      (news) => {
        parts.live.set(told(parts.live.get(), news));
        if (news.event === "client") void queries.invalidateQueries({ queryKey: ["here"] });
        if (news.event === "bound" || news.event === "released") {
          const at = news.event === "bound" ? news.client : news.binding.client;
          if (at === client) void queries.invalidateQueries();
          void queries.invalidateQueries({ queryKey: ["clients"] });
          void queries.invalidateQueries({ queryKey: ["stays"] });
        }
        if (news.event === "reach") void queries.invalidateQueries({ queryKey: ["clients"] });
        if (news.event === "call" && news.state === "over")
          void queries.invalidateQueries({ queryKey: ["records"] });
      },
      (up) => parts.live.set(up ? { ...nothing, up } : { up }),
    );
    return () => stop.abort();
  }, [parts, client, queries]);
  if (here.isPending) return <Wait />;
  if (!administrator)
    return (
      <Told title={say.notYou.title} text={`${say.notYou.text} ${say.notYou.next}`}>
        <Button component="a" href="/">
          {say.notYou.go}
        </Button>
      </Told>
    );
  return (
    <ProvideConsole value={parts}>
      <Shell
        name={here.data?.user?.name ?? ""}
        site={here.data?.site.name ?? ""}
        live={parts.live}
      />
    </ProvideConsole>
  );
}

const pages = [
  { page: "now", name: say.nav.now, sign: IconActivity },
  { page: "people", name: say.nav.people, sign: IconUsers },
  { page: "numbers", name: say.nav.numbers, sign: IconHash },
  { page: "clients", name: say.nav.clients, sign: IconDeviceDesktop },
  { page: "trunks", name: say.nav.trunks, sign: IconPlugConnected },
  { page: "stays", name: say.nav.stays, sign: IconMapPin },
  { page: "calls", name: say.nav.calls, sign: IconHistory },
];

function Shell({ name, site, live }: { name: string; site: string; live: Store<Live> }) {
  const route = useRoute();
  const { up } = useStore(live);
  const title = pages.find((p) => p.page === route.page)?.name ?? say.title;
  useEffect(() => {
    document.title = `${title} · ${words.app}`;
  }, [title]);
  return (
    <div className="console">
      <header className="side">
        <div className="side-mark">
          <img src="/icon.svg" alt="" width={28} height={28} />
          <div className="side-site">
            <div className="truncate side-name">{site || words.app}</div>
            <div className="truncate quiet side-user">{name}</div>
          </div>
        </div>
        <nav aria-label={say.title}>
          {pages.map(({ page, name: text, sign: Sign }) => (
            <a
              key={page}
              href={`/console/${page}`}
              onClick={follow}
              aria-current={route.page === page ? "page" : undefined}
            >
              <Sign size={20} aria-hidden />
              <span>{text}</span>
            </a>
          ))}
        </nav>
        <div className="side-foot">
          <span className="side-live" role="status">
            <span className="dot" data-is={up ? "good" : "warn"} />
            {up ? say.live : say.notLive}
          </span>
          <a href="/">
            <IconPhone size={20} aria-hidden />
            <span>{say.phone}</span>
          </a>
        </div>
      </header>
      <main className="content">
        <Page />
      </main>
    </div>
  );
}

function Page() {
  const { page, id } = useRoute();
  switch (page) {
    case "people":
      return <People />;
    case "numbers":
      return <Numbers />;
    case "clients":
      return <Clients />;
    case "trunks":
      return <Trunks />;
    case "stays":
      return <Stays />;
    case "calls":
      return id ? <CallPage id={id} /> : <Calls />;
    default:
      return <Now />;
  }
}

function Wait() {
  return (
    <main className="told" aria-busy="true">
      <h1 className="sr">{words.loading}</h1>
      <Loader type="dots" aria-label={words.loading} />
    </main>
  );
}

function Told({ title, text, children }: { title: string; text: string; children?: ReactNode }) {
  return (
    <main className="told">
      <Title order={1} size="h2">
        {title}
      </Title>
      <Text maw={440}>{text}</Text>
      {children}
    </main>
  );
}
