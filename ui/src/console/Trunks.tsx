import { Button, Checkbox, Group, PasswordInput, Select, Stack, TextInput } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Gateway, Trunk } from "../shared/model";
import { useApi, useSite } from "./live";
import { Ask, FormSheet, Head, List, State, useSheet } from "./parts";
import { trunkState } from "./trunkState";
import { say } from "./words";

/** The ways out of the house, and whether they work. */
export function Trunks() {
  const api = useApi();
  const { trunks: status } = useSite();
  const [editing, setEditing] = useSheet<Trunk | "new">();
  const [removing, setRemoving] = useSheet<Trunk>();
  const trunks = useQuery({ queryKey: ["trunks"], queryFn: api.trunks });
  return (
    <>
      <Head title={say.trunks.title}>
        <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setEditing("new")}>
          {say.trunks.add}
        </Button>
      </Head>
      <List of={trunks} empty={say.trunks.none}>
        {trunks.data?.items.map((t) => {
          const now = status[t.id];
          const s = trunkState(t, now);
          return (
            <div key={t.id} className="row">
              <div className="row-main">
                <button type="button" className="row-title" onClick={() => setEditing(t)}>
                  {t.name}
                </button>
                <div className="quiet wrap">
                  {now?.gateways
                    .map((g) =>
                      [g.address, g.reachable && say.trunks.roundTrip(g.roundTripMs)]
                        .filter(Boolean)
                        .join(", "),
                    )
                    .join(" · ") || t.gateways.map((g) => g.host).join(", ")}
                </div>
                {s.why && <div className="bad-text wrap">{s.why}</div>}
              </div>
              <State is={s.is}>{s.word}</State>
              <span className="row-time">{say.trunks.calls(now?.calls ?? 0)}</span>
              <Button
                variant="default"
                aria-label={`${say.remove} ${t.name}`}
                onClick={() => setRemoving(t)}
              >
                {say.remove}
              </Button>
            </div>
          );
        })}
      </List>
      {editing && (
        <Edit
          trunk={editing === "new" ? undefined : editing}
          onClose={() => setEditing(undefined)}
        />
      )}
      {removing && (
        <Ask
          title={say.trunks.removeTitle(removing.name)}
          text={say.trunks.removeText}
          yes={say.remove}
          send={() => api.removeTrunk(removing.id, removing.rev)}
          onClose={() => setRemoving(undefined)}
        />
      )}
    </>
  );
}

function Edit({ trunk, onClose }: { trunk?: Trunk; onClose: () => void }) {
  const api = useApi();
  const first = trunk?.gateways[0];
  const [f, setF] = useState({
    name: trunk?.name ?? "",
    host: first?.host ?? "",
    port: String(first?.port || ""),
    transport: first?.transport ?? ("udp" as Gateway["transport"]),
    register: trunk?.register ?? false,
    username: trunk?.username ?? "",
    password: "",
    maxCalls: String(trunk?.maxCalls ?? 0),
    enabled: trunk?.enabled ?? true,
    emergency: trunk?.emergency ?? false,
  });
  const set = (change: Partial<typeof f>) => setF({ ...f, ...change });
  const send = async () => {
    const gateway: Gateway = {
      ...first,
      host: f.host.trim(),
      port: Number(f.port) || 0,
      transport: f.transport,
    };
    const body = {
      name: f.name.trim(),
      enabled: f.enabled,
      // The page edits the first gateway and leaves the others as they are.
      gateways: [gateway, ...(trunk?.gateways.slice(1) ?? [])],
      register: f.register,
      username: f.username,
      maxCalls: Number(f.maxCalls) || 0,
      emergency: f.emergency,
    };
    if (!trunk) return api.createTrunk({ ...body, password: f.password || undefined });
    await api.changeTrunk(trunk.id, trunk.rev, body);
    if (f.password) await api.setTrunkPassword(trunk.id, f.password);
  };
  return (
    <FormSheet title={trunk ? say.trunks.edit : say.trunks.add} send={send} onClose={onClose}>
      <TextInput
        label={say.trunks.name}
        value={f.name}
        onChange={(e) => set({ name: e.currentTarget.value })}
        required
        data-autofocus
      />
      <TextInput
        label={say.trunks.host}
        description={say.trunks.hostHint}
        value={f.host}
        onChange={(e) => set({ host: e.currentTarget.value })}
        autoComplete="off"
        required
      />
      <Group grow align="end">
        <TextInput
          label={say.trunks.port}
          placeholder="5060"
          value={f.port}
          onChange={(e) => set({ port: e.currentTarget.value.replace(/\D/g, "") })}
          inputMode="numeric"
        />
        <Select
          label={say.trunks.transport}
          data={["udp", "tcp", "tls"].map((t) => ({ value: t, label: t.toUpperCase() }))}
          value={f.transport}
          onChange={(t) => set({ transport: (t ?? "udp") as Gateway["transport"] })}
          allowDeselect={false}
        />
      </Group>
      <TextInput
        label={say.trunks.username}
        value={f.username}
        onChange={(e) => set({ username: e.currentTarget.value })}
        autoComplete="off"
      />
      <PasswordInput
        label={say.trunks.password}
        description={trunk?.passwordSet ? say.trunks.keep : undefined}
        value={f.password}
        onChange={(e) => set({ password: e.currentTarget.value })}
        autoComplete="new-password"
      />
      <TextInput
        label={say.trunks.maxCalls}
        description={say.trunks.maxHint}
        value={f.maxCalls}
        onChange={(e) => set({ maxCalls: e.currentTarget.value.replace(/\D/g, "") })}
        inputMode="numeric"
      />
      <Stack gap="xs">
        <Checkbox
          label={say.trunks.register}
          checked={f.register}
          onChange={(e) => set({ register: e.currentTarget.checked })}
        />
        <Checkbox
          label={say.trunks.emergency}
          checked={f.emergency}
          onChange={(e) => set({ emergency: e.currentTarget.checked })}
        />
        <Checkbox
          label={say.trunks.enabled}
          checked={f.enabled}
          onChange={(e) => set({ enabled: e.currentTarget.checked })}
        />
      </Stack>
    </FormSheet>
  );
}
