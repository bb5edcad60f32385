import { Button, Group, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { failure } from "../shared/advice";
import type { ThisClient } from "../shared/model";
import { fingerprint } from "../shared/thumbprint";
import { words } from "../shared/words";
import { usePhone } from "./context";
import { FullPage } from "./pages";

/** Shown until an administrator admits this browser; it goes on by itself. */
export function Waiting({ client }: { client: ThisClient }) {
  const { api } = usePhone();
  const queries = useQueryClient();
  const [code, setCode] = useState("");
  const enrol = useMutation({
    mutationFn: () => api.enrol(code.trim()),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["here"] }),
  });
  return (
    <FullPage title={words.waiting.title} text={words.waiting.text} busy>
      <dl className="facts card">
        <dt>{words.waiting.name}</dt>
        <dd className="wrap">{client.name}</dd>
        <dt>{words.waiting.key}</dt>
        <dd className="key">{fingerprint(api.access.who.thumbprint)}</dd>
      </dl>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          if (code.trim()) enrol.mutate();
        }}
      >
        <Group align="end" gap="sm">
          <TextInput
            label={words.waiting.code}
            description={words.waiting.codeHint}
            value={code}
            onChange={(e) => setCode(e.currentTarget.value)}
            error={enrol.error && `${failure(enrol.error)}. ${words.waiting.codeNext}`}
            autoComplete="off"
            autoCapitalize="characters"
            spellCheck={false}
            style={{ flex: "1 1 200px" }}
          />
          <Button type="submit" variant="default" loading={enrol.isPending} disabled={!code.trim()}>
            {words.waiting.enrol}
          </Button>
        </Group>
      </form>
      <Text className="sr" role="status">
        {words.waiting.title}
      </Text>
    </FullPage>
  );
}
