import {
  ActionIcon,
  Button,
  Checkbox,
  Menu,
  PasswordInput,
  Select,
  Stack,
  TextInput,
} from "@mantine/core";
import { IconDots, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { CallFields } from "../shared/CallFields";
import { whole } from "../shared/callSettings";
import { pretty } from "../shared/format";
import type { CallSettings, User } from "../shared/model";
import { Import } from "./Import";
import { useApi, useSite } from "./live";
import { Ask, FormSheet, Head, List, useChange, useFault, useFaults, useSheet } from "./parts";
import { go } from "./route";
import { say } from "./words";

type Open =
  | { kind: "edit"; user?: User }
  | { kind: "import" }
  | { kind: "remove" | "signIn"; user: User };

/** The people of the site, their numbers and where they are. */
export function People() {
  const api = useApi();
  const { bindings } = useSite();
  const [search, setSearch] = useState("");
  const [open, setOpen] = useSheet<Open>();
  const users = useQuery({ queryKey: ["users", search], queryFn: () => api.users(search) });
  const release = useChange((client: string) => api.release(client));
  const close = () => setOpen(undefined);
  const at = (u: User) => Object.values(bindings).filter((b) => b.user === u.id);
  return (
    <>
      <Head title={say.people.title} search={search} onSearch={setSearch}>
        <Button variant="default" onClick={() => setOpen({ kind: "import" })}>
          {say.import.open}
        </Button>
        <Button
          leftSection={<IconPlus size={18} aria-hidden />}
          onClick={() => setOpen({ kind: "edit" })}
        >
          {say.people.add}
        </Button>
      </Head>
      <List of={users} empty={search ? say.none : say.people.none}>
        {users.data?.items.map((u) => (
          <div key={u.id} className="row">
            <div className="row-main">
              <button
                type="button"
                className="row-title wrap"
                onClick={() => setOpen({ kind: "edit", user: u })}
              >
                <bdi>{u.name}</bdi>
              </button>
              <div className="quiet wrap">
                {[
                  u.login,
                  u.roles.includes("administrator") && say.people.administrator,
                  u.disabled && say.people.off,
                  u.calls.forwardAlways && say.people.forwarded(pretty(u.calls.forwardAlways)),
                  u.calls.doNotDisturb && say.people.undisturbed,
                ]
                  .filter(Boolean)
                  .join(" · ")}
              </div>
            </div>
            <div className="row-cell wrap">{u.numbers.map(pretty).join(", ") || "–"}</div>
            <div className="row-cell wrap">
              {at(u)
                .map((b) => b.clientName)
                .join(", ") || <span className="quiet">{say.people.nowhere}</span>}
            </div>
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon
                  className="row-menu"
                  variant="subtle"
                  color="gray"
                  size={44}
                  aria-label={`${say.more}: ${u.name}`}
                >
                  <IconDots size={20} aria-hidden />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item onClick={() => setOpen({ kind: "edit", user: u })}>{say.edit}</Menu.Item>
                <Menu.Item onClick={() => setOpen({ kind: "signIn", user: u })}>
                  {say.people.signInAt}…
                </Menu.Item>
                {at(u).map((b) => (
                  <Menu.Item key={b.client} onClick={() => release.mutate(b.client)}>
                    {say.people.signOut}: {b.clientName}
                  </Menu.Item>
                ))}
                <Menu.Item onClick={() => go(`/console/stays?user=${u.id}`)}>
                  {say.stays.open}
                </Menu.Item>
                <Menu.Item onClick={() => go(`/console/calls?user=${u.id}`)}>
                  {say.people.calls}
                </Menu.Item>
                <Menu.Item onClick={() => setOpen({ kind: "remove", user: u })}>
                  {say.remove}…
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </div>
        ))}
      </List>
      {open?.kind === "edit" && <Edit user={open.user} onClose={close} />}
      {open?.kind === "import" && <Import onClose={close} />}
      {open?.kind === "signIn" && <SignInAt user={open.user} onClose={close} />}
      {open?.kind === "remove" && (
        <Ask
          title={say.people.removeTitle(open.user.name)}
          text={say.people.removeText(open.user.name)}
          yes={say.remove}
          send={() => api.removeUser(open.user.id, open.user.rev)}
          onClose={close}
        />
      )}
    </>
  );
}

function Edit({ user, onClose }: { user?: User; onClose: () => void }) {
  const api = useApi();
  const [name, setName] = useState(user?.name ?? "");
  const [login, setLogin] = useState(user?.login ?? "");
  const [numbers, setNumbers] = useState(user?.numbers.join(", ") ?? "");
  const [password, setPassword] = useState("");
  const [pin, setPin] = useState("");
  const [administrator, setAdministrator] = useState(
    user?.roles.includes("administrator") ?? false,
  );
  const [disabled, setDisabled] = useState(user?.disabled ?? false);
  const [calls, setCalls] = useState(user?.calls ?? {});
  const send = async () => {
    const facts = {
      name: name.trim(),
      login: login.trim(),
      numbers: numbers
        .split(/[,;\n]/)
        .map((n) => n.trim())
        .filter(Boolean),
      roles: administrator ? (["administrator"] as "administrator"[]) : [],
      disabled,
    };
    if (!user)
      return api.createUser({
        ...facts,
        password: password || undefined,
        pin: pin || undefined,
      } as Parameters<typeof api.createUser>[0]);
    const change = calls === user.calls ? facts : { ...facts, calls: whole(calls) };
    await api.changeUser(user.id, user.rev, change as Parameters<typeof api.changeUser>[2]);
    if (password) await api.setPassword(user.id, password);
    if (pin) await api.setPin(user.id, pin);
  };
  const keep = user ? say.people.keep : undefined;
  return (
    <FormSheet title={user ? say.people.edit : say.people.add} send={send} onClose={onClose}>
      <TextInput
        label={say.people.name}
        value={name}
        onChange={(e) => setName(e.currentTarget.value)}
        required
        data-autofocus
      />
      <TextInput
        label={say.people.login}
        description={say.people.loginHint}
        value={login}
        onChange={(e) => setLogin(e.currentTarget.value.toLowerCase().replace(/\s/g, ""))}
        autoComplete="off"
        required
      />
      <TextInput
        label={say.people.numbers}
        description={say.people.numbersHint}
        value={numbers}
        onChange={(e) => setNumbers(e.currentTarget.value)}
        autoComplete="off"
      />
      <PasswordInput
        label={say.people.password}
        description={keep ?? say.people.passwordHint}
        value={password}
        onChange={(e) => setPassword(e.currentTarget.value)}
        autoComplete="new-password"
      />
      <PasswordInput
        label={say.people.pin}
        description={keep ?? say.people.pinHint}
        value={pin}
        onChange={(e) => setPin(e.currentTarget.value.replace(/\D/g, ""))}
        inputMode="numeric"
        autoComplete="new-password"
      />
      <Stack gap="xs">
        <Checkbox
          label={say.people.administrator}
          checked={administrator}
          onChange={(e) => setAdministrator(e.currentTarget.checked)}
        />
        {user && (
          <Checkbox
            label={say.people.disabled}
            checked={disabled}
            onChange={(e) => setDisabled(e.currentTarget.checked)}
          />
        )}
      </Stack>
      {user && <Calls value={calls} set={setCalls} />}
    </FormSheet>
  );
}

/** What is done with her calls. The fold says what is on, and opens where a fault is. */
function Calls({ value, set }: { value: CallSettings; set: (value: CallSettings) => void }) {
  const fault = useFault();
  const [open, setOpen] = useState(false);
  const inside = useFaults().some((f) => f.where.startsWith("body.calls."));
  useEffect(() => {
    if (inside) setOpen(true);
  }, [inside]);
  return (
    <details
      className="fold"
      open={open}
      onToggle={(e) => setOpen((e.currentTarget as HTMLDetailsElement).open)}
    >
      <summary>
        <span className="fold-name">{say.people.callsTo}</span>
        <span className="quiet">{say.people.diverted(value)}</span>
      </summary>
      <div className="fold-body">
        <CallFields value={value} set={set} fault={(f) => fault(`calls.${f}`)} />
      </div>
    </details>
  );
}

function SignInAt({ user, onClose }: { user: User; onClose: () => void }) {
  const api = useApi();
  const clients = useQuery({ queryKey: ["clients", ""], queryFn: () => api.clients() });
  const [client, setClient] = useState<string | null>(null);
  return (
    <FormSheet
      title={`${say.people.signInAt} …: ${user.name}`}
      save={say.clients.signIn}
      send={() => api.put(client ?? "", user.id)}
      onClose={onClose}
    >
      <Select
        label={say.nav.clients}
        data={clients.data?.items
          .filter((c) => c.state === "admitted")
          .map((c) => ({ value: c.id, label: c.name }))}
        value={client}
        onChange={setClient}
        searchable
        required
      />
    </FormSheet>
  );
}
