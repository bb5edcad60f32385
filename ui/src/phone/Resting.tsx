import { Button, PasswordInput, Tabs, Text, TextInput, Title } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { Problem } from "../shared/access";
import { advice, failure } from "../shared/advice";
import { useStore } from "../shared/store";
import { words } from "../shared/words";
import { useAdmitted, useLive, useNow, usePhone } from "./context";
import { Emergency } from "./Emergency";
import { EndedNotice } from "./EndedNotice";
import { LinkDot } from "./LinkDot";
import { Notice } from "./pages";

/** The machine's face while nobody is signed in: nothing of the person before. */
export function Resting() {
  const { here, line } = useAdmitted();
  const { live } = usePhone();
  const { notice } = useLive();
  const { ended } = useStore(line.store);
  const { methods } = here.site;
  const password = methods.includes("password");
  const pin = methods.includes("pin");
  return (
    <main className="resting">
      <header className="resting-head">
        <Clock />
        <Title order={1} size="h2" ta="center" className="wrap">
          {here.client.name}
        </Title>
        <Text c="dimmed" ta="center" className="wrap">
          {[here.client.placeName, here.site.name].filter(Boolean).join(" · ")}
        </Text>
      </header>
      <div className="resting-body">
        {notice && (
          <Notice tone="info" title={notice} onClose={() => live.set({ notice: undefined })} />
        )}
        {ended && <EndedNotice />}
        <section className="card sign-in" aria-labelledby="sign-in">
          <Title order={2} size="h4" id="sign-in">
            {words.signIn.resting}
          </Title>
          <Text c="dimmed" mb="md">
            {password || pin ? words.signIn.invite : words.signIn.none}
          </Text>
          {password && pin ? (
            <Tabs defaultValue="password" keepMounted={false}>
              <Tabs.List grow mb="md">
                <Tabs.Tab value="password">{words.signIn.byPassword}</Tabs.Tab>
                <Tabs.Tab value="pin">{words.signIn.byPin}</Tabs.Tab>
              </Tabs.List>
              <Tabs.Panel value="password">
                <SignIn method="password" />
              </Tabs.Panel>
              <Tabs.Panel value="pin">
                <SignIn method="pin" />
              </Tabs.Panel>
            </Tabs>
          ) : (
            (password || pin) && <SignIn method={password ? "password" : "pin"} />
          )}
        </section>
        <Emergency />
      </div>
      <footer className="resting-foot">
        <LinkDot withWords />
      </footer>
    </main>
  );
}

function Clock() {
  const now = useNow(1000);
  return (
    <time className="clock" dateTime={now.toISOString()}>
      {new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" })
        .formatToParts(now)
        .map((p) => (p.type === "dayPeriod" ? <small key={p.type}>{p.value}</small> : p.value))}
    </time>
  );
}

function SignIn({ method }: { method: "password" | "pin" }) {
  const { api, sound } = usePhone();
  const queries = useQueryClient();
  const [login, setLogin] = useState("");
  const [secret, setSecret] = useState("");
  const secretField = useRef<HTMLInputElement>(null);
  const signIn = useMutation({
    mutationFn: () => api.identify(method, login.trim(), secret),
    onSuccess: () => queries.invalidateQueries(),
    onError: () => {
      setSecret("");
      secretField.current?.focus();
    },
  });
  const submit = (e: FormEvent) => {
    e.preventDefault();
    void sound.wake();
    if (login.trim() && secret) signIn.mutate();
  };
  const byPin = method === "pin";
  return (
    <form onSubmit={submit} className="form">
      <TextInput
        label={byPin ? words.signIn.number : words.signIn.name}
        value={login}
        onChange={(e) => setLogin(e.currentTarget.value)}
        inputMode={byPin ? "tel" : undefined}
        // This machine is everybody's: nothing is remembered here.
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        size="lg"
      />
      <PasswordInput
        ref={secretField}
        label={byPin ? words.signIn.pin : words.signIn.password}
        value={secret}
        onChange={(e) => setSecret(e.currentTarget.value)}
        inputMode={byPin ? "numeric" : undefined}
        autoComplete={byPin ? "one-time-code" : "off"}
        size="lg"
      />
      {signIn.error && (
        <Notice tone="bad" title={reason(signIn.error, byPin)}>
          {next(signIn.error)}
        </Notice>
      )}
      <Button type="submit" size="lg" loading={signIn.isPending} fullWidth>
        {words.signIn.go}
      </Button>
    </form>
  );
}

function reason(error: Error, byPin: boolean): string {
  if (!(error instanceof Problem)) return failure(error);
  if (error.status === 401) return byPin ? words.signIn.wrongPin : words.signIn.wrong;
  if (error.status === 429 && error.retryAfter) return words.signIn.slow(error.retryAfter);
  return error.message;
}

function next(error: Error): string {
  if (!(error instanceof Problem)) return advice(error);
  if (error.status === 401) return words.signIn.wrongNext;
  if (error.status === 429) return words.signIn.slowNext;
  return advice(error);
}
