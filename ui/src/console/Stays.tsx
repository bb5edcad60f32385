import { Button, Select } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { when } from "../shared/format";
import type { Stay } from "../shared/model";
import { words } from "../shared/words";
import { useApi } from "./live";
import { Head, List } from "./parts";
import { follow, go, useRoute } from "./route";
import { lasted, method, reason } from "./stay";
import { say } from "./words";

const page = 100;

/** Who was where: every stay of a person at a client. The filters are in the address. */
export function Stays() {
  const api = useApi();
  const { query } = useRoute();
  const user = query.get("user") ?? "";
  const client = query.get("client") ?? "";
  const stays = useInfiniteQuery({
    queryKey: ["stays", user, client],
    queryFn: ({ pageParam }) =>
      api.stays({
        user: user || undefined,
        client: client || undefined,
        before: pageParam || undefined,
      }),
    initialPageParam: "",
    getNextPageParam: (last) =>
      last.items.length < page ? undefined : last.items.at(-1)?.binding.since,
  });
  const all = stays.data?.pages.flatMap((p) => p.items) ?? [];
  const now = new Date();
  return (
    <>
      <Head title={say.stays.title}>
        <Filters user={user} client={client} />
      </Head>
      <List
        of={{ ...stays, data: stays.data && { items: all } }}
        empty={user || client ? say.stays.noneSuch : say.stays.none}
      >
        {all.map((s) => (
          <One key={`${s.binding.since} ${s.binding.client}`} of={s} now={now} />
        ))}
      </List>
      {stays.hasNextPage && (
        <Button
          variant="default"
          onClick={() => void stays.fetchNextPage()}
          loading={stays.isFetchingNextPage}
        >
          {say.calls.older}
        </Button>
      )}
    </>
  );
}

function Filters({ user, client }: { user: string; client: string }) {
  const api = useApi();
  const users = useQuery({ queryKey: ["users", ""], queryFn: () => api.users() });
  const clients = useQuery({ queryKey: ["clients", ""], queryFn: () => api.clients() });
  const show = (change: { user?: string; client?: string }) => {
    const wanted = Object.entries({ user, client, ...change }).filter(([, v]) => v);
    const search = new URLSearchParams(wanted as [string, string][]).toString();
    go(`/console/stays${search && `?${search}`}`);
  };
  const choices = (all: string, list: { id: string; name: string }[] | undefined) => [
    { value: "", label: all },
    ...(list?.map((x) => ({ value: x.id, label: x.name })) ?? []),
  ];
  return (
    <>
      <Select
        className="filter"
        aria-label={say.calls.person}
        data={choices(say.calls.everybody, users.data?.items)}
        value={user}
        onChange={(u) => show({ user: u ?? "" })}
        searchable
        allowDeselect={false}
      />
      <Select
        className="filter"
        aria-label={say.stays.client}
        data={choices(say.stays.everywhere, clients.data?.items)}
        value={client}
        onChange={(c) => show({ client: c ?? "" })}
        searchable
        allowDeselect={false}
      />
    </>
  );
}

function One({ of: { binding: b, until, reason: why }, now }: { of: Stay; now: Date }) {
  const time = (t: string) => when(t, now, words.yesterday);
  // An end on the same day needs no day.
  const end = (t: string) =>
    new Date(t).toDateString() === new Date(b.since).toDateString()
      ? when(t, new Date(t), "")
      : time(t);
  return (
    <div className="row" data-now={!until || undefined}>
      <div className="row-main">
        <div className="row-title wrap">
          <a href={`/console/stays?user=${b.user}`} onClick={follow} className="row-link">
            <bdi>{b.userName || b.user}</bdi>
          </a>{" "}
          <span className="quiet">{say.stays.at}</span>{" "}
          <a href={`/console/stays?client=${b.client}`} onClick={follow} className="row-link">
            <bdi>{b.clientName || b.client}</bdi>
          </a>
        </div>
        <div className="quiet wrap">
          {[method(b.method), reason(why)].filter(Boolean).join(" · ")}
        </div>
      </div>
      {until ? (
        <span className="row-time">{lasted(b.since, until)}</span>
      ) : (
        <span className="state">
          <span className="dot" data-is="good" />
          {say.stays.still}
        </span>
      )}
      <span className="row-when row-span quiet">
        <time dateTime={b.since}>{time(b.since)}</time>
        {" – "}
        {until ? <time dateTime={until}>{end(until)}</time> : say.stays.now}
      </span>
    </div>
  );
}
