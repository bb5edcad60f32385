import { Button, Group, Skeleton, Stack } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { Problem } from "../shared/access";
import { advice, failure } from "../shared/advice";
import { CallFields } from "../shared/CallFields";
import { callWords } from "../shared/callWords";
import type { Settings } from "../shared/model";
import { words } from "../shared/words";
import { Notice } from "./pages";
import { useSettings, useSettle } from "./settings";

/** What is done with the person's calls: forwards, do not disturb, waiting. */
export default function SettingsPanel({ onClose }: { onClose: () => void }) {
  const { data, error, refetch } = useSettings();
  if (data) return <Form now={data} onClose={onClose} />;
  if (error)
    return (
      <Notice
        tone="bad"
        title={failure(error)}
        action={{ name: words.retry, run: () => void refetch() }}
      >
        {advice(error)}
      </Notice>
    );
  return (
    <Stack aria-busy="true" mih={480}>
      {[40, 60, 60, 60].map((w, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: shapes without names
        <Skeleton key={i} height={44} width={`${w}%`} />
      ))}
    </Stack>
  );
}

function Form({ now, onClose }: { now: Settings; onClose: () => void }) {
  const [calls, setCalls] = useState(now.calls);
  const settle = useSettle();
  const faults = settle.error instanceof Problem ? settle.error.faults : [];
  const named = faults.some((f) => f.where.startsWith("body."));
  const fault = (field: string) => faults.find((f) => f.where === `body.${field}`)?.what;
  const submit = (e: FormEvent) => {
    e.preventDefault();
    settle.mutate({ calls, rev: now.rev }, { onSuccess: onClose });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="lg">
        <CallFields value={calls} set={setCalls} fault={fault} siteWait={now.siteWaitMs} />
        {settle.error && !named && (
          <Notice tone="bad" title={failure(settle.error)}>
            {advice(settle.error)}
          </Notice>
        )}
        <Group justify="end" gap="sm">
          <Button variant="default" onClick={onClose}>
            {words.cancel}
          </Button>
          <Button type="submit" loading={settle.isPending}>
            {callWords.save}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
