import { Button, Group, Skeleton, Stack, Text, TextInput, Title } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { createContext, type FormEvent, type ReactNode, useContext, useState } from "react";
import { Problem } from "../shared/access";
import { advice, failure } from "../shared/advice";
import { Sheet } from "../shared/Sheet";
import { words } from "../shared/words";
import { say } from "./words";

/** The head of a page: its name, a search, what can be added. */
export function Head({
  title,
  search,
  onSearch,
  children,
}: {
  title: string;
  search?: string;
  onSearch?: (text: string) => void;
  children?: ReactNode;
}) {
  return (
    <div className="head">
      <Title order={1} size="h2">
        {title}
      </Title>
      {onSearch && (
        <TextInput
          className="head-search"
          aria-label={say.search}
          placeholder={say.search}
          value={search}
          onChange={(e) => onSearch(e.currentTarget.value)}
          leftSection={<IconSearch size={18} aria-hidden />}
        />
      )}
      <div className="head-acts">{children}</div>
    </div>
  );
}

/** A table's body while it is awaited, when it failed and when it is empty. */
export function List({
  of,
  empty,
  children,
}: {
  of: {
    isPending: boolean;
    error: Error | null;
    data?: { items: unknown[] };
    refetch?: () => unknown;
  };
  empty: string;
  children: ReactNode;
}) {
  if (of.isPending)
    return (
      <div className="card pad" aria-busy="true">
        {[70, 55, 62].map((w) => (
          <Skeleton key={w} height={18} width={`${w}%`} my={18} />
        ))}
      </div>
    );
  // What was read before stays readable while the server is away.
  if (of.error && !of.data)
    return <Fault error={of.error} again={of.refetch && (() => void of.refetch?.())} />;
  if (of.data?.items.length === 0) return <div className="card pad nothing quiet">{empty}</div>;
  return <div className="card list">{children}</div>;
}

/** What went wrong, with the details that there are. */
export function Fault({ error, again }: { error: Error; again?: () => void }) {
  const stale = error instanceof Problem && error.status === 412;
  const detail = error instanceof Problem ? located(error) : "";
  return (
    <div className="fault" role="alert">
      <strong>{stale ? say.changed : failure(error) || say.failed}</strong>
      {detail && <div>{detail}</div>}
      {!stale && <div>{advice(error)}</div>}
      {again && (
        <Button variant="default" mt="sm" onClick={again}>
          {words.retry}
        </Button>
      )}
    </div>
  );
}

/** The details with the names of the fields that they are about. */
function located({ detail, faults }: Problem): string {
  const named = faults.filter((f) => f.where.startsWith("body."));
  if (named.length === 0) return detail;
  return named.map((f) => `${f.where.slice("body.".length)}: ${f.what}`).join("; ");
}

/** Sends a change and reads the lists again, also after a refusal. */
export function useChange<V, R>(send: (v: V) => Promise<R>, done?: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: send,
    onSuccess: done,
    onSettled: () => queries.invalidateQueries(),
  });
}

type Faults = Problem["faults"];
const none: Faults = [];
const FaultsContext = createContext<Faults>([]);

/** What the server found wrong with the form that this stands in. */
export function useFaults(): Faults {
  return useContext(FaultsContext);
}

/** What the server found wrong with one field of the form, such as "gateways[0].host". */
export function useFault(): (field: string) => string | undefined {
  const faults = useFaults();
  return (field) => faults.find((f) => f.where === `body.${field}`)?.what;
}

/** A form in a dialog. */
export function FormSheet({
  title,
  send,
  onClose,
  save = say.save,
  size,
  children,
}: {
  title: string;
  send: () => Promise<unknown>;
  onClose: () => void;
  save?: string;
  size?: string;
  children: ReactNode;
}) {
  const change = useChange(send, onClose);
  const faults = change.error instanceof Problem ? change.error.faults : none;
  const submit = (e: FormEvent) => {
    e.preventDefault();
    change.mutate(undefined);
  };
  return (
    <Sheet title={title} opened onClose={onClose} size={size}>
      <form onSubmit={submit}>
        <Stack gap="md">
          <FaultsContext.Provider value={faults}>{children}</FaultsContext.Provider>
          <div className="sheet-foot">
            {change.error && <Fault error={change.error} />}
            <Group justify="end" gap="sm">
              <Button variant="default" onClick={onClose}>
                {words.cancel}
              </Button>
              <Button type="submit" loading={change.isPending}>
                {save}
              </Button>
            </Group>
          </div>
        </Stack>
      </form>
    </Sheet>
  );
}

/** A question before something that hurts somebody: it says whom. */
export function Ask({
  title,
  text,
  yes,
  send,
  onClose,
}: {
  title: string;
  text: string;
  yes: string;
  send: () => Promise<unknown>;
  onClose: () => void;
}) {
  const change = useChange(send, onClose);
  return (
    <Sheet title={title} opened onClose={onClose}>
      <Text mb="md">{text}</Text>
      {change.error && <Fault error={change.error} />}
      <Group justify="end" gap="sm" mt="md">
        <Button variant="default" onClick={onClose} data-autofocus>
          {words.cancel}
        </Button>
        <Button
          className="danger"
          loading={change.isPending}
          onClick={() => change.mutate(undefined)}
        >
          {yes}
        </Button>
      </Group>
    </Sheet>
  );
}

/** Which dialog is open, and for what. */
export function useSheet<T>() {
  return useState<T>();
}

/** A state in a word with its sign. */
export function State({ is, children }: { is: "good" | "warn" | "bad" | ""; children: ReactNode }) {
  return (
    <span className="state">
      <span className="dot" data-is={is} />
      {children}
    </span>
  );
}
