import { Button, PasswordInput, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { failure } from "../shared/advice";
import { words } from "../shared/words";
import { usePhone } from "./context";
import { FullPage, Notice } from "./pages";

/**
 * The one-time code of /setup#code, or undefined on any other page. It leaves
 * the address at once: an address is seen, copied and remembered.
 */
export function setupCode(): string | undefined {
  if (!/^\/setup\/?$/.test(location.pathname)) return undefined;
  const code = decodeURIComponent(location.hash.slice(1));
  if (location.hash) history.replaceState(null, "", location.pathname);
  kept = code || kept;
  return kept;
}

/** React may ask twice for the same page; the address can answer only once. */
let kept = "";

/** Makes the first administrator. */
export function SetUp({ code, done }: { code: string; done: () => void }) {
  const { api } = usePhone();
  const [name, setName] = useState("");
  const [login, setLogin] = useState<string>();
  const [password, setPassword] = useState("");
  const [number, setNumber] = useState("");
  const shown = login ?? suggest(name);
  const create = useMutation({
    mutationFn: () =>
      api.setUp({
        code,
        name: name.trim(),
        login: shown,
        password,
        number: number.trim() || undefined,
      }),
    onSuccess: done,
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    create.mutate();
  };
  if (!code) return <FullPage title={words.setup.title} text={words.setup.noCode} />;
  return (
    <FullPage title={words.setup.title} text={words.setup.text}>
      <form onSubmit={submit} className="form">
        <TextInput
          label={words.setup.name}
          value={name}
          onChange={(e) => setName(e.currentTarget.value)}
          autoComplete="name"
          required
          data-autofocus
        />
        <TextInput
          label={words.setup.login}
          description={words.setup.loginHint}
          value={shown}
          onChange={(e) => setLogin(e.currentTarget.value.toLowerCase().replace(/\s/g, ""))}
          autoComplete="username"
          required
        />
        <PasswordInput
          label={words.setup.password}
          description={words.setup.passwordHint}
          value={password}
          onChange={(e) => setPassword(e.currentTarget.value)}
          autoComplete="new-password"
          minLength={8}
          required
        />
        <TextInput
          label={words.setup.number}
          description={words.setup.numberHint}
          value={number}
          onChange={(e) => setNumber(e.currentTarget.value)}
          inputMode="tel"
          autoComplete="off"
        />
        {create.error && (
          <Notice tone="bad" title={failure(create.error)}>
            {"detail" in create.error && <Text size="sm">{String(create.error.detail)}</Text>}
            <Text size="sm">{words.setup.failedNext}</Text>
          </Notice>
        )}
        <Button type="submit" size="lg" loading={create.isPending}>
          {words.setup.go}
        </Button>
      </form>
    </FullPage>
  );
}

function suggest(name: string): string {
  const first = name.trim().split(/\s+/)[0] ?? "";
  return first.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}
