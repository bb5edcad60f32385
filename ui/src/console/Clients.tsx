import {
  ActionIcon,
  Button,
  Code,
  Menu,
  PasswordInput,
  Select,
  Text,
  TextInput,
} from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { Client } from "../shared/model";
import { Sheet } from "../shared/Sheet";
import { fingerprint } from "../shared/thumbprint";
import { useApi, useSite } from "./live";
import { Ask, Fault, FormSheet, Head, List, State, useChange, useSheet } from "./parts";
import { go, useRoute } from "./route";
import { say } from "./words";

type Open =
  | { kind: "phone" }
  | { kind: "code"; client?: Client }
  | { kind: "admit" | "rename" | "revoke" | "remove" | "digest" | "signIn"; client: Client };

const order = { waiting: 0, admitted: 1, revoked: 2 };

/** The machines of the site: who may use them, what they are called, where they stand. */
export function Clients() {
  const api = useApi();
  const { query } = useRoute();
  const { bindings, reached } = useSite();
  const [search, setSearch] = useState(query.get("match") ?? "");
  const [open, setOpen] = useSheet<Open>();
  const clients = useQuery({ queryKey: ["clients", search], queryFn: () => api.clients(search) });
  const release = useChange((client: string) => api.release(client));
  const close = () => setOpen(undefined);
  const sorted = [...(clients.data?.items ?? [])].sort(
    (a, b) => order[a.state] - order[b.state] || a.name.localeCompare(b.name),
  );
  return (
    <>
      <Head title={say.clients.title} search={search} onSearch={setSearch}>
        <Button variant="default" onClick={() => setOpen({ kind: "phone" })}>
          {say.clients.phone}
        </Button>
        <Button onClick={() => setOpen({ kind: "code" })}>{say.clients.code}</Button>
      </Head>
      <List of={clients} empty={search ? say.none : say.clients.none}>
        {sorted.map((c) => {
          const b = bindings[c.id];
          const up = reached[c.id] ?? c.reached;
          return (
            <div key={c.id} className="row" data-state={c.state}>
              <div className="row-main">
                <div className="row-title wrap">{c.name}</div>
                <div className="quiet wrap">
                  {[
                    say.clients.kind[c.kind],
                    c.placeName,
                    c.login,
                    c.thumbprint && fingerprint(c.thumbprint),
                  ]
                    .filter(Boolean)
                    .join(" · ")}
                </div>
                {c.state === "admitted" && !up && (
                  <div className="quiet wrap">{say.clients.unreachedNext[c.kind]}</div>
                )}
              </div>
              <div className="row-cell">
                {c.state === "admitted" ? (
                  <State is={up ? "good" : "bad"}>{up ? say.now.reached : say.now.unreached}</State>
                ) : (
                  <State is={c.state === "waiting" ? "warn" : ""}>
                    {say.clients.states[c.state]}
                  </State>
                )}
              </div>
              <div className="row-cell wrap">{b && <bdi>{b.userName}</bdi>}</div>
              {c.state === "waiting" ? (
                <Button onClick={() => setOpen({ kind: "admit", client: c })}>
                  {say.clients.admit}
                </Button>
              ) : (
                <ClientMenu
                  client={c}
                  bound={!!b}
                  open={(kind) => setOpen({ kind, client: c })}
                  release={() => release.mutate(c.id)}
                />
              )}
            </div>
          );
        })}
      </List>
      {open && <Dialogs open={open} close={close} />}
    </>
  );
}

type Kind = Exclude<Open["kind"], "phone">;

function ClientMenu({
  client: c,
  bound,
  open,
  release,
}: {
  client: Client;
  bound: boolean;
  open: (kind: Kind) => void;
  release: () => void;
}) {
  const admitted = c.state === "admitted";
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon
          className="row-menu"
          variant="subtle"
          color="gray"
          size={44}
          aria-label={`${say.more}: ${c.name}`}
        >
          <IconDots size={20} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => open("rename")}>{say.clients.rename}…</Menu.Item>
        {admitted && <Menu.Item onClick={() => open("signIn")}>{say.clients.signIn}…</Menu.Item>}
        {bound && <Menu.Item onClick={release}>{say.clients.signOut}</Menu.Item>}
        <Menu.Item onClick={() => go(`/console/stays?client=${c.id}`)}>
          {say.stays.openClient}
        </Menu.Item>
        {c.kind === "phone" && (
          <Menu.Item onClick={() => open("digest")}>{say.clients.setPassword}…</Menu.Item>
        )}
        {c.kind === "browser" && (
          <Menu.Item onClick={() => open("code")}>{say.clients.again}…</Menu.Item>
        )}
        {admitted ? (
          <Menu.Item onClick={() => open("revoke")}>{say.clients.revoke}…</Menu.Item>
        ) : (
          <Menu.Item onClick={() => open("admit")}>{say.clients.admit}…</Menu.Item>
        )}
        <Menu.Item onClick={() => open("remove")}>{say.clients.remove}…</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function Dialogs({ open, close }: { open: Open; close: () => void }) {
  const api = useApi();
  switch (open.kind) {
    case "phone":
      return <NewPhone onClose={close} />;
    case "code":
      return <EnrolmentCode client={open.client} onClose={close} />;
    case "admit":
    case "rename":
      return <NameAndPlace client={open.client} admit={open.kind === "admit"} onClose={close} />;
    case "digest":
      return <Digest client={open.client} onClose={close} />;
    case "signIn":
      return <SignIn client={open.client} onClose={close} />;
    case "revoke":
    case "remove":
      return (
        <Ask
          title={`${open.kind === "revoke" ? say.clients.revokeTitle(open.client.name) : `${say.clients.remove}: ${open.client.name}`}`}
          text={say.clients.revokeText}
          yes={open.kind === "revoke" ? say.clients.revoke : say.clients.remove}
          send={() =>
            open.kind === "revoke"
              ? api.revoke(open.client.id)
              : api.removeClient(open.client.id, open.client.rev)
          }
          onClose={close}
        />
      );
  }
}

/** Chooses a place, or names a new one; the caller makes it when the form is sent. */
function usePlace(first: string) {
  const api = useApi();
  const places = useQuery({ queryKey: ["places"], queryFn: api.places });
  const [place, setPlace] = useState(first);
  const [fresh, setFresh] = useState("");
  const field = (
    <>
      <Select
        label={say.clients.place}
        data={[
          { value: "", label: say.now.noPlace },
          ...(places.data?.items.map((p) => ({ value: p.id, label: p.name })) ?? []),
          { value: "new", label: `${say.clients.newPlace}…` },
        ]}
        value={place}
        onChange={(p) => setPlace(p ?? "")}
        allowDeselect={false}
      />
      {place === "new" && (
        <TextInput
          label={say.clients.newPlace}
          value={fresh}
          onChange={(e) => setFresh(e.currentTarget.value)}
          required
        />
      )}
    </>
  );
  const id = async () => (place === "new" ? (await api.addPlace(fresh.trim())).id : place);
  return { field, id };
}

function NameAndPlace({
  client,
  admit,
  onClose,
}: {
  client: Client;
  admit: boolean;
  onClose: () => void;
}) {
  const api = useApi();
  const [name, setName] = useState(client.name);
  const place = usePlace(client.placeId);
  const send = async () => {
    const change = { name: name.trim(), placeId: await place.id() };
    return admit ? api.admit(client.id, change) : api.changeClient(client.id, client.rev, change);
  };
  return (
    <FormSheet
      title={admit ? say.clients.admitTitle : say.clients.rename}
      save={admit ? say.clients.admit : say.save}
      send={send}
      onClose={onClose}
    >
      {admit && client.thumbprint && (
        <div>
          <Text mb={4}>{say.clients.admitText}</Text>
          <Code fz="lg">{fingerprint(client.thumbprint)}</Code>
        </div>
      )}
      <TextInput
        label={say.clients.name}
        value={name}
        onChange={(e) => setName(e.currentTarget.value)}
        required
        data-autofocus
      />
      {place.field}
    </FormSheet>
  );
}

function NewPhone({ onClose }: { onClose: () => void }) {
  const api = useApi();
  const [name, setName] = useState("");
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const place = usePlace("");
  return (
    <FormSheet
      title={say.clients.phone}
      save={say.add}
      send={async () =>
        api.createPhone({ name, login, password, placeId: (await place.id()) || undefined })
      }
      onClose={onClose}
    >
      <TextInput
        label={say.clients.name}
        value={name}
        onChange={(e) => setName(e.currentTarget.value)}
        required
        data-autofocus
      />
      {place.field}
      <TextInput
        label={say.clients.login}
        value={login}
        onChange={(e) => setLogin(e.currentTarget.value.trim())}
        autoComplete="off"
        required
      />
      <PasswordInput
        label={say.clients.password}
        description={say.clients.passwordHint}
        value={password}
        onChange={(e) => setPassword(e.currentTarget.value)}
        autoComplete="new-password"
        minLength={8}
        required
      />
    </FormSheet>
  );
}

function Digest({ client, onClose }: { client: Client; onClose: () => void }) {
  const api = useApi();
  const [password, setPassword] = useState("");
  return (
    <FormSheet
      title={`${say.clients.setPassword}: ${client.name}`}
      send={() => api.setDigest(client.id, password)}
      onClose={onClose}
    >
      <PasswordInput
        label={say.clients.password}
        description={say.clients.passwordHint}
        value={password}
        onChange={(e) => setPassword(e.currentTarget.value)}
        autoComplete="new-password"
        minLength={8}
        required
        data-autofocus
      />
    </FormSheet>
  );
}

function SignIn({ client, onClose }: { client: Client; onClose: () => void }) {
  const api = useApi();
  const users = useQuery({ queryKey: ["users", ""], queryFn: () => api.users() });
  const [user, setUser] = useState<string | null>(null);
  return (
    <FormSheet
      title={`${say.clients.signIn}: ${client.name}`}
      save={say.clients.signIn}
      send={() => api.put(client.id, user ?? "")}
      onClose={onClose}
    >
      <Select
        label={say.clients.person}
        data={users.data?.items
          .filter((u) => !u.disabled)
          .map((u) => ({ value: u.id, label: u.name }))}
        value={user}
        onChange={setUser}
        searchable
        required
      />
    </FormSheet>
  );
}

function EnrolmentCode({ client, onClose }: { client?: Client; onClose: () => void }) {
  const api = useApi();
  const make = useMutation({
    mutationFn: () => api.enrolmentCode(client ? { clientId: client.id } : {}),
  });
  const { mutate } = make;
  useEffect(() => mutate(), [mutate]);
  return (
    <Sheet
      title={client ? `${say.clients.again}: ${client.name}` : say.clients.codeTitle}
      opened
      onClose={onClose}
    >
      {make.error && <Fault error={make.error} />}
      <output className="code" aria-live="polite">
        {make.data?.code ?? "\u00a0"}
      </output>
      {make.data && (
        <Text>
          {say.clients.codeText(
            new Date(make.data.expires).toLocaleTimeString(undefined, {
              hour: "2-digit",
              minute: "2-digit",
            }),
          )}
        </Text>
      )}
    </Sheet>
  );
}
