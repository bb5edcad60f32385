import { Button, Select } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { clock, when } from "../shared/format";
import { words } from "../shared/words";
import { useApi } from "./live";
import { called, caller } from "./Now";
import { Head, List, State } from "./parts";
import { follow, go, useRoute } from "./route";
import { say } from "./words";

const page = 100;

/** The history of calls; the filter is in the address. */
export function Calls() {
  const api = useApi();
  const { query } = useRoute();
  const user = query.get("user") ?? "";
  const users = useQuery({ queryKey: ["users", ""], queryFn: () => api.users() });
  const records = useInfiniteQuery({
    queryKey: ["records", user],
    queryFn: ({ pageParam }) =>
      api.records({ user: user || undefined, before: pageParam || undefined }),
    initialPageParam: "",
    getNextPageParam: (last) => (last.items.length < page ? undefined : last.items.at(-1)?.offered),
  });
  const all = records.data?.pages.flatMap((p) => p.items) ?? [];
  const now = new Date();
  return (
    <>
      <Head title={say.calls.title}>
        <Select
          aria-label={say.calls.person}
          data={[
            { value: "", label: say.calls.everybody },
            ...(users.data?.items.map((u) => ({ value: u.id, label: u.name })) ?? []),
          ]}
          value={user}
          onChange={(u) => go(u ? `/console/calls?user=${u}` : "/console/calls")}
          searchable
          allowDeselect={false}
        />
      </Head>
      <List of={{ ...records, data: records.data && { items: all } }} empty={say.calls.none}>
        {all.map((r) => (
          <div key={r.id} className="row">
            <div className="row-main">
              <a className="row-title wrap" href={`/console/calls/${r.id}`} onClick={follow}>
                <bdi>{caller(r)}</bdi> → <bdi>{called(r)}</bdi>
              </a>
              <div className="quiet">
                {[say.calls.direction[r.direction], r.emergency && say.calls.emergency]
                  .filter(Boolean)
                  .join(" · ")}
              </div>
            </div>
            <State is={r.answered ? "good" : "bad"}>
              {r.answered ? say.calls.answered : r.cause}
            </State>
            <span className="row-time">{r.answered ? clock(r.durationMs) : ""}</span>
            <time className="row-when quiet" dateTime={r.offered}>
              {when(r.offered, now, words.yesterday)}
            </time>
          </div>
        ))}
      </List>
      {records.hasNextPage && (
        <Button
          variant="default"
          onClick={() => void records.fetchNextPage()}
          loading={records.isFetchingNextPage}
        >
          {say.calls.older}
        </Button>
      )}
    </>
  );
}
