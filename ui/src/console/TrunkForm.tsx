import { Checkbox, PasswordInput, Select, TextInput } from "@mantine/core";
import { useState } from "react";
import type { Trunk, TrunkStatus } from "../shared/model";
import { useApi } from "./live";
import { FormSheet, useFault } from "./parts";
import { Rows } from "./Rows";
import { TrunkMore } from "./TrunkMore";
import { TrunkTrouble } from "./TrunkTrouble";
import {
  bodyOf,
  digits,
  type Fields,
  fieldsOf,
  type GatewayFields,
  nextGateway,
  type Part,
  transports,
} from "./trunkFields";
import { say } from "./words";

/** A trunk: first what every trunk needs, the rest behind a fold. */
export function TrunkForm({
  trunk,
  status,
  onClose,
}: {
  trunk?: Trunk;
  status?: TrunkStatus;
  onClose: () => void;
}) {
  const api = useApi();
  const [f, setF] = useState(() => fieldsOf(trunk));
  const set = (change: Partial<Fields>) => setF((now) => ({ ...now, ...change }));
  const send = async () => {
    if (!trunk) return api.createTrunk({ ...bodyOf(f), password: f.password || undefined });
    await api.changeTrunk(trunk.id, trunk.rev, bodyOf(f));
    if (f.password) await api.setTrunkPassword(trunk.id, f.password);
  };
  return (
    <FormSheet
      title={trunk ? say.trunks.edit : say.trunks.add}
      send={send}
      onClose={onClose}
      size="lg"
    >
      {trunk && <TrunkTrouble trunk={trunk} status={status} />}
      <Needed f={f} set={set} keep={trunk?.passwordSet} />
      <TrunkMore f={f} set={set} />
    </FormSheet>
  );
}

function Needed({ f, set, keep }: Part & { keep?: boolean }) {
  const fault = useFault();
  return (
    <>
      <TextInput
        label={say.trunks.name}
        value={f.name}
        onChange={(e) => set({ name: e.currentTarget.value })}
        error={fault("name")}
        required
        data-autofocus
      />
      <Gateways f={f} set={set} />
      <Checkbox
        label={say.trunks.register}
        description={say.trunks.registerHint}
        checked={f.register}
        onChange={(e) => set({ register: e.currentTarget.checked })}
        error={fault("register")}
      />
      <div className="pair">
        <TextInput
          label={say.trunks.username}
          value={f.username}
          onChange={(e) => set({ username: e.currentTarget.value })}
          error={fault("username")}
          required={f.register}
          autoComplete="off"
        />
        <PasswordInput
          label={say.trunks.password}
          placeholder={keep ? say.trunks.keep : undefined}
          value={f.password}
          onChange={(e) => set({ password: e.currentTarget.value })}
          autoComplete="new-password"
        />
      </div>
      <Checkbox
        label={say.trunks.enabled}
        checked={f.enabled}
        onChange={(e) => set({ enabled: e.currentTarget.checked })}
      />
    </>
  );
}

function Gateways({ f, set }: Part) {
  const fault = useFault();
  const several = f.gateways.length > 1;
  const change = (i: number, part: Partial<GatewayFields>) =>
    set({ gateways: f.gateways.map((g, j) => (i === j ? { ...g, ...part } : g)) });
  return (
    <Rows
      title={several ? say.trunks.gateways : undefined}
      hint={several ? say.trunks.gatewaysHint : undefined}
      add={f.gateways.length ? say.trunks.addGateway : say.trunks.addFirstGateway}
      onAdd={() => set({ gateways: [...f.gateways, nextGateway(f.gateways)] })}
      onRemove={
        several || f.register === false
          ? (i) => set({ gateways: f.gateways.filter((_, j) => j !== i) })
          : undefined
      }
      removable={several}
      names={f.gateways.map((g) => g.host || say.trunks.host)}
    >
      {f.gateways.map((g, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a gateway has no name but its place
        <div key={i} className="gateway" data-several={several || undefined}>
          <TextInput
            label={several ? say.trunks.hostNo(i + 1) : say.trunks.host}
            description={several ? undefined : say.trunks.hostHint}
            value={g.host}
            onChange={(e) => change(i, { host: e.currentTarget.value })}
            error={fault(`gateways[${i}].host`)}
            autoComplete="off"
            required
          />
          <TextInput
            label={say.trunks.port}
            placeholder={g.transport === "tls" ? "5061" : "5060"}
            value={g.port}
            onChange={(e) => change(i, { port: digits(e.currentTarget.value) })}
            error={fault(`gateways[${i}].port`)}
            inputMode="numeric"
          />
          <Select
            label={say.trunks.transport}
            data={transports.map((t) => ({ value: t, label: t.toUpperCase() }))}
            value={g.transport}
            onChange={(t) => t && change(i, { transport: t as GatewayFields["transport"] })}
            allowDeselect={false}
          />
          {several && (
            <TextInput
              label={say.trunks.priority}
              value={g.priority}
              onChange={(e) => change(i, { priority: digits(e.currentTarget.value) })}
              error={fault(`gateways[${i}].priority`)}
              inputMode="numeric"
            />
          )}
        </div>
      ))}
    </Rows>
  );
}
