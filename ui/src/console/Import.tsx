import { Button, Group, Stack, Text } from "@mantine/core";
import { IconDownload, IconFileSpreadsheet } from "@tabler/icons-react";
import { type DragEvent, useId, useMemo, useState } from "react";
import { Problem } from "../shared/access";
import { pretty } from "../shared/format";
import { Sheet } from "../shared/Sheet";
import { words } from "../shared/words";
import { useApi } from "./live";
import { Fault, useChange } from "./parts";
import { byLine, decode, type Look, look, type Person, sample } from "./table";
import { say } from "./words";

/** As many people as are shown before they are added; all are sent. */
const shown = 100;

interface Chosen {
  name: string;
  text: string;
}

/** Adds people and their numbers from a table, all or none. */
export function Import({ onClose }: { onClose: () => void }) {
  const api = useApi();
  const [chosen, setChosen] = useState<Chosen>();
  const send = useChange((text: string) => api.importTable(text));
  const seen = useMemo(() => (chosen ? look(chosen.text) : undefined), [chosen]);
  const choose = (file: File | undefined) => {
    if (!file) return;
    send.reset();
    void file.arrayBuffer().then((b) => setChosen({ name: file.name, text: decode(b) }));
  };
  const sendable =
    seen && !seen.missing.length && !seen.unknown.length && seen.people.length > 0 ? chosen : null;
  return (
    <Sheet title={say.import.title} opened onClose={onClose} size="xl">
      {send.data ? (
        <Stack gap="lg">
          <Text role="status" size="lg">
            {say.import.done(send.data.users, send.data.numbers)}
          </Text>
          <Group justify="end">
            <Button onClick={onClose} data-autofocus>
              {words.close}
            </Button>
          </Group>
        </Stack>
      ) : (
        <Stack gap="md">
          <Text>{say.import.text}</Text>
          <Picker name={chosen?.name} choose={choose} />
          {!chosen && <Columns />}
          {seen && <Faults seen={seen} error={send.error} />}
          {seen && sendable && <Preview seen={seen} error={send.error} />}
          <Group justify="end" gap="sm" className="sheet-foot">
            <Button variant="default" onClick={onClose}>
              {words.cancel}
            </Button>
            <Button
              disabled={!sendable}
              loading={send.isPending}
              onClick={() => sendable && send.mutate(sendable.text)}
            >
              {sendable && seen ? say.import.go(seen.people.length) : say.import.goNone}
            </Button>
          </Group>
        </Stack>
      )}
    </Sheet>
  );
}

function Picker({ name, choose }: { name?: string; choose: (file: File | undefined) => void }) {
  const [over, setOver] = useState(false);
  const hint = useId();
  const drop = (e: DragEvent) => {
    e.preventDefault();
    setOver(false);
    choose(e.dataTransfer.files[0]);
  };
  return (
    <label
      className="picker"
      data-over={over || undefined}
      onDragOver={(e) => {
        e.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <IconFileSpreadsheet size={28} stroke={1.5} aria-hidden />
      <span className="picker-text">
        <strong className="wrap">{name ?? say.import.choose}</strong>
        <span className="quiet" id={hint}>
          {name ? say.import.chooseOther : say.import.drop}
        </span>
      </span>
      <input
        type="file"
        className="sr"
        accept=".csv,.txt,text/csv"
        aria-label={say.import.choose}
        aria-describedby={hint}
        onChange={(e) => {
          choose(e.currentTarget.files?.[0]);
          // The same file may be chosen again after it was mended.
          e.currentTarget.value = "";
        }}
      />
    </label>
  );
}

/** What the columns are, and a table to begin with. */
function Columns() {
  return (
    <>
      <dl className="columns">
        {say.import.columns.map(([name, what]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <div>
        <Button
          variant="default"
          component="a"
          href={`data:text/csv;charset=utf-8,${encodeURIComponent(sample)}`}
          download="people.csv"
          leftSection={<IconDownload size={18} aria-hidden />}
        >
          {say.import.sample}
        </Button>
      </div>
    </>
  );
}

/** What keeps the table from being added: seen here, or told by the server. */
function Faults({ seen, error }: { seen: Look; error: Error | null }) {
  const refused = error instanceof Problem ? byLine(error.faults) : [];
  if (error && refused.length === 0) return <Fault error={error} />;
  const local = [
    ...seen.missing.map((c) => say.import.missing(c)),
    ...seen.unknown.map((c) => (c ? say.import.unknown(c) : say.import.nameless)),
    ...(seen.people.length === 0 ? [say.import.nobody] : []),
  ];
  const list = error
    ? refused.map((f) => (f.line ? say.import.line(f.line, f.text) : f.text))
    : local;
  if (list.length === 0) return null;
  return (
    <div className="fault" role="alert">
      <strong>{error ? say.import.refused(list.length) : say.import.unfit}</strong>
      <ul className="fault-list">
        {list.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
      <div>{say.import.mend}</div>
    </div>
  );
}

/** Who would be added, before anything is sent. */
function Preview({ seen, error }: { seen: Look; error: Error | null }) {
  const faults = new Map<number, string[]>();
  for (const f of error instanceof Problem ? byLine(error.faults) : [])
    faults.set(f.line, [...(faults.get(f.line) ?? []), f.text]);
  const first = seen.people.slice(0, shown);
  // A line that is wrong is shown however far below it stands.
  const rows = [...first, ...seen.people.slice(shown).filter((p) => faults.has(p.line))];
  const hidden = seen.people.length - rows.length;
  return (
    <div>
      <Text fw={600} mb={8} role="status">
        {say.import.would(seen.people.length, seen.numbers)} {!error && say.import.notYet}
      </Text>
      <div className="preview" tabIndex={0} role="region" aria-label={say.import.preview}>
        <table className="figures">
          <thead>
            <tr>
              <th scope="col">{say.import.lineHead}</th>
              <th scope="col">{say.people.name}</th>
              <th scope="col">{say.people.login}</th>
              <th scope="col">{say.people.numbers}</th>
              <th scope="col">{say.import.signsIn}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((p) => (
              <Row key={p.line} of={p} faults={faults.get(p.line)} />
            ))}
          </tbody>
        </table>
      </div>
      {hidden > 0 && (
        <Text c="dimmed" size="sm" mt={8}>
          {say.import.hidden(hidden)}
        </Text>
      )}
    </div>
  );
}

function Row({ of: p, faults }: { of: Person; faults?: string[] }) {
  const ways = [p.password && say.people.password, p.pin && say.people.pin].filter(Boolean);
  return (
    <tr data-bad={faults ? true : undefined}>
      <td className="quiet">{p.line}</td>
      <th scope="row">
        <bdi>{p.name || "–"}</bdi>
        {p.roles.includes("administrator") && (
          <span className="badge">{say.people.administrator}</span>
        )}
        {faults?.map((f) => (
          <div key={f} className="bad-text">
            {f}
          </div>
        ))}
      </th>
      <td>{p.login || "–"}</td>
      <td>{p.numbers.map(pretty).join(", ") || "–"}</td>
      <td>{ways.join(", ") || <span className="quiet">{say.import.noWay}</span>}</td>
    </tr>
  );
}
