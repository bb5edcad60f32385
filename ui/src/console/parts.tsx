import { Button, Group, Skeleton, Stack, Text, TextInput, Title } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { Problem } from "../shared/access";
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
  of: { isPending: boolean; error: Error | null; data?: { items: unknown[] } };
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
  if (of.error) return <Fault error={of.error} />;
  if (of.data?.items.length === 0) return <div className="card pad nothing quiet">{empty}</div>;
  return <div className="card list">{children}</div>;
}

/** What went wrong, with the details that there are. */
export function Fault({ error }: { error: Error }) {
  const stale = error instanceof Problem && error.status === 412;
  const detail = error instanceof Problem ? error.detail : "";
  return (
    <div className="fault" role="alert">
      <strong>{stale ? say.changed : error.message || say.failed}</strong>
      {detail && <div>{detail}</div>}
    </div>
  );
}

/** Sends a change and reads the lists again, also after a refusal. */
export function useChange<V>(send: (v: V) => Promise<unknown>, done?: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: send,
    onSuccess: done,
    onSettled: () => queries.invalidateQueries(),
  });
}

/** A form in a dialog. */
export function FormSheet({
  title,
  send,
  onClose,
  save = say.save,
  children,
}: {
  title: string;
  send: () => Promise<unknown>;
  onClose: () => void;
  save?: string;
  children: ReactNode;
}) {
  const change = useChange(send, onClose);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    change.mutate(undefined);
  };
  return (
    <Sheet title={title} opened onClose={onClose}>
      <form onSubmit={submit}>
        <Stack gap="md">
          {children}
          {change.error && <Fault error={change.error} />}
          <Group justify="end" gap="sm">
            <Button variant="default" onClick={onClose}>
              {words.cancel}
            </Button>
            <Button type="submit" loading={change.isPending}>
              {save}
            </Button>
          </Group>
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
