import { Button, Select, TextInput } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { pretty } from "../shared/format";
import type { Listing } from "../shared/model";
import { Import } from "./Import";
import { useApi } from "./live";
import { Ask, FormSheet, Head, List, useSheet } from "./parts";
import { say } from "./words";

/** Where every number leads. */
export function Numbers() {
  const api = useApi();
  const [search, setSearch] = useState("");
  const [editing, setEditing] = useSheet<Listing | "new">();
  const [removing, setRemoving] = useSheet<Listing>();
  const [importing, setImporting] = useState(false);
  const numbers = useQuery({ queryKey: ["numbers", search], queryFn: () => api.numbers(search) });
  return (
    <>
      <Head title={say.numbers.title} search={search} onSearch={setSearch}>
        <Button variant="default" onClick={() => setImporting(true)}>
          {say.import.open}
        </Button>
        <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setEditing("new")}>
          {say.numbers.add}
        </Button>
      </Head>
      <List of={numbers} empty={search ? say.none : say.numbers.none}>
        {numbers.data?.items.map((n) => (
          <div key={n.number} className="row">
            <div className="row-main">
              <button type="button" className="row-title digits" onClick={() => setEditing(n)}>
                <bdi>{pretty(n.number)}</bdi>
              </button>
            </div>
            <div className="row-cell wrap">
              <bdi>{n.toName || n.to.id}</bdi>
            </div>
            <Button
              variant="default"
              aria-label={`${say.remove} ${n.number}`}
              onClick={() => setRemoving(n)}
            >
              {say.remove}
            </Button>
          </div>
        ))}
      </List>
      {editing && (
        <Edit
          listing={editing === "new" ? undefined : editing}
          onClose={() => setEditing(undefined)}
        />
      )}
      {importing && <Import onClose={() => setImporting(false)} />}
      {removing && (
        <Ask
          title={say.numbers.removeTitle(pretty(removing.number))}
          text={say.numbers.removeText(removing.toName)}
          yes={say.remove}
          send={() => api.removeNumber(removing.number, removing.rev)}
          onClose={() => setRemoving(undefined)}
        />
      )}
    </>
  );
}

function Edit({ listing, onClose }: { listing?: Listing; onClose: () => void }) {
  const api = useApi();
  const users = useQuery({ queryKey: ["users", ""], queryFn: () => api.users() });
  const [number, setNumber] = useState(listing?.number ?? "");
  const [user, setUser] = useState<string | null>(listing?.to.id ?? null);
  return (
    <FormSheet
      title={listing ? pretty(listing.number) : say.numbers.add}
      send={() =>
        listing
          ? api.moveNumber(listing.number, listing.rev, user ?? "")
          : api.addNumber(number, user ?? "")
      }
      onClose={onClose}
    >
      {!listing && (
        <TextInput
          label={say.numbers.number}
          description={say.numbers.hint}
          value={number}
          onChange={(e) => setNumber(e.currentTarget.value)}
          inputMode="tel"
          autoComplete="off"
          required
          data-autofocus
        />
      )}
      <Select
        label={say.numbers.leads}
        data={users.data?.items.map((u) => ({ value: u.id, label: u.name }))}
        value={user}
        onChange={setUser}
        searchable
        required
      />
    </FormSheet>
  );
}
