import { Checkbox, MultiSelect, Select, TextInput } from "@mantine/core";
import { type ReactNode, useEffect, useState } from "react";
import type { Rewrite } from "../shared/model";
import { useFault, useFaults } from "./parts";
import { Rows } from "./Rows";
import {
  codecs,
  digits,
  type Fields,
  folded,
  type Part,
  type SourceFields,
  special,
  transports,
} from "./trunkFields";
import { say } from "./words";

const t = say.trunks;

/** What few trunks need. The fold says what of it is in use, and opens where a fault is. */
export function TrunkMore(part: Part) {
  const faults = useFaults();
  const [open, setOpen] = useState(false);
  const inside = faults.some((f) => folded(f.where));
  useEffect(() => {
    if (inside) setOpen(true);
  }, [inside]);
  const used = special(part.f);
  return (
    <details
      className="fold"
      open={open}
      onInvalidCapture={() => setOpen(true)}
      onToggle={(e) => setOpen((e.currentTarget as HTMLDetailsElement).open)}
    >
      <summary>
        <span className="fold-name">{t.more}</span>
        <span className="quiet">
          {used.length ? t.moreUsed(used.map((p) => t.parts[p])) : t.moreNone}
        </span>
      </summary>
      <div className="fold-body">
        <Group title={t.parts.calls}>
          <Calls {...part} />
        </Group>
        <Group title={t.parts.numbers}>
          <Numbers {...part} />
        </Group>
        <Group title={t.parts.identity}>
          <Identity {...part} />
        </Group>
        <Group title={t.parts.voice}>
          <Voice {...part} />
        </Group>
      </div>
    </details>
  );
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <fieldset className="fold-part">
      <legend>{title}</legend>
      {children}
    </fieldset>
  );
}

function Calls({ f, set }: Part) {
  const fault = useFault();
  const change = (i: number, part: Partial<SourceFields>) =>
    set({ sources: f.sources.map((s, j) => (i === j ? { ...s, ...part } : s)) });
  return (
    <>
      <TextInput
        label={t.maxCalls}
        placeholder={t.noLimit}
        value={f.maxCalls}
        onChange={(e) => set({ maxCalls: digits(e.currentTarget.value) })}
        error={fault("maxCalls")}
        inputMode="numeric"
        maw={240}
      />
      <Checkbox
        label={t.emergency}
        checked={f.emergency}
        onChange={(e) => set({ emergency: e.currentTarget.checked })}
      />
      <Rows
        title={t.sources}
        hint={t.sourcesHint}
        add={t.addSource}
        onAdd={() => set({ sources: [...f.sources, { prefix: "", port: "", transport: "" }] })}
        onRemove={(i) => set({ sources: f.sources.filter((_, j) => j !== i) })}
        names={f.sources.map((s) => s.prefix || t.source)}
      >
        {f.sources.map((s, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: an address has no name but its place
          <div key={i} className="gateway">
            <TextInput
              label={t.source}
              placeholder="192.0.2.0/24"
              value={s.prefix}
              onChange={(e) => change(i, { prefix: e.currentTarget.value })}
              error={fault(`sources[${i}].prefix`)}
              autoComplete="off"
              required
            />
            <TextInput
              label={t.port}
              placeholder={t.any}
              value={s.port}
              onChange={(e) => change(i, { port: digits(e.currentTarget.value) })}
              error={fault(`sources[${i}].port`)}
              inputMode="numeric"
            />
            <Select
              label={t.transport}
              data={[
                { value: "", label: t.any },
                ...transports.map((v) => ({ value: v, label: v.toUpperCase() })),
              ]}
              value={s.transport}
              onChange={(v) => change(i, { transport: (v ?? "") as SourceFields["transport"] })}
              allowDeselect={false}
            />
          </div>
        ))}
      </Rows>
    </>
  );
}

function Numbers({ f, set }: Part) {
  const faults = useFaults();
  const dials = faults.find((x) => x.where.startsWith("body.dials"))?.what;
  return (
    <>
      <TextInput
        label={t.dials}
        description={t.dialsHint}
        placeholder={t.everyNumber}
        value={f.dials}
        onChange={(e) => set({ dials: e.currentTarget.value })}
        error={dials}
        autoComplete="off"
      />
      <Rewrites title={t.in} hint={t.inHint} of="in" f={f} set={set} />
      <Rewrites title={t.out} hint={t.outHint} of="out" f={f} set={set} />
    </>
  );
}

function Rewrites({
  title,
  hint,
  of,
  f,
  set,
}: Part & { title: string; hint: string; of: "in" | "out" }) {
  const fault = useFault();
  const rules = f[of];
  const put = (next: Rewrite[]) => set({ [of]: next } as Partial<Fields>);
  const change = (i: number, part: Partial<Rewrite>) =>
    put(rules.map((r, j) => (i === j ? { ...r, ...part } : r)));
  return (
    <Rows
      title={title}
      hint={hint}
      add={t.addRule}
      onAdd={() => put([...rules, { match: "", with: "" }])}
      onRemove={(i) => put(rules.filter((_, j) => j !== i))}
      names={rules.map((r) => r.match || title)}
    >
      {rules.map((r, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a rule has no name but its place
        <div key={i} className="pair">
          <TextInput
            label={t.match}
            placeholder={of === "in" ? "0([1-9].*)" : "\\+34(.*)"}
            value={r.match}
            onChange={(e) => change(i, { match: e.currentTarget.value })}
            error={fault(`${of}[${i}].match`)}
            autoComplete="off"
            spellCheck={false}
            required
          />
          <TextInput
            label={t.with}
            placeholder={of === "in" ? "+34$1" : "0$1"}
            value={r.with}
            onChange={(e) => change(i, { with: e.currentTarget.value })}
            error={fault(`${of}[${i}].with`)}
            autoComplete="off"
            spellCheck={false}
          />
        </div>
      ))}
    </Rows>
  );
}

function Identity({ f, set }: Part) {
  const fault = useFault();
  return (
    <>
      <Select
        label={t.identity}
        data={[
          { value: "from", label: t.identities.from },
          { value: "pai", label: t.identities.pai },
        ]}
        value={f.identity}
        onChange={(v) => set({ identity: v === "pai" ? "pai" : "from" })}
        allowDeselect={false}
      />
      <div className="pair">
        <TextInput
          label={t.domain}
          placeholder={t.domainDefault}
          value={f.domain}
          onChange={(e) => set({ domain: e.currentTarget.value })}
          error={fault("domain")}
          autoComplete="off"
        />
        <TextInput
          label={t.advertise}
          placeholder={t.advertiseDefault}
          value={f.advertise}
          onChange={(e) => set({ advertise: e.currentTarget.value })}
          error={fault("advertise")}
          autoComplete="off"
        />
      </div>
    </>
  );
}

function Voice({ f, set }: Part) {
  return (
    <>
      <MultiSelect
        label={t.codecs}
        description={t.codecsHint}
        placeholder={f.codecs.length ? undefined : codecs.join(", ")}
        data={[...codecs]}
        value={f.codecs}
        onChange={(v) => set({ codecs: v })}
        size="md"
        clearButtonProps={{ "aria-label": t.codecsClear }}
      />
      <Select
        label={t.srtp}
        data={(["off", "optional", "required"] as const).map((v) => ({
          value: v,
          label: t.srtps[v],
        }))}
        value={f.srtp}
        onChange={(v) => set({ srtp: (v ?? "off") as Fields["srtp"] })}
        allowDeselect={false}
      />
      <Checkbox
        label={t.symmetric}
        description={t.symmetricHint}
        checked={f.symmetric}
        onChange={(e) => set({ symmetric: e.currentTarget.checked })}
      />
    </>
  );
}
