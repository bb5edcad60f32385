import { Anchor, Button, Loader, Skeleton, Stack, Text, Title } from "@mantine/core";
import type { ReactNode } from "react";
import { words } from "../shared/words";
import { useAfter } from "./context";

interface FullPageProps {
  title: string;
  text: string;
  next?: string;
  link?: { to: string; name: string };
  action?: { name: string; run: () => void };
  /** It goes on by itself. */
  busy?: boolean;
  children?: ReactNode;
}

/** A page with one thing to say. */
export function FullPage({ title, text, next, link, action, busy, children }: FullPageProps) {
  return (
    <main className="full">
      <Mark />
      <Stack gap="sm" className="full-text">
        <Title order={1} size="h2" className="wrap">
          {title}
        </Title>
        <Text size="lg" className="wrap">
          {text}
        </Text>
        {next && <Text c="dimmed">{next}</Text>}
        {children}
        {link && (
          <Button component="a" href={link.to} mt="sm">
            {link.name}
          </Button>
        )}
        {action && (
          <Button onClick={action.run} mt="sm">
            {action.name}
          </Button>
        )}
        {busy && <Loader type="dots" size="sm" aria-label={words.loading} />}
      </Stack>
    </main>
  );
}

/** The sign of the program. */
export function Mark() {
  return (
    <div className="mark">
      <img src="/icon.svg" alt="" width={28} height={28} />
      <span>{words.app}</span>
    </div>
  );
}

/** The shape of what comes; nothing at all for the first moment. */
export function Loading() {
  const late = useAfter(300);
  return (
    <main className="full" aria-busy="true">
      <h1 className="sr">{words.loading}</h1>
      {late && (
        <Stack w="min(360px, 90vw)">
          <Skeleton height={32} width="60%" />
          <Skeleton height={48} />
          <Skeleton height={48} />
        </Stack>
      )}
    </main>
  );
}

/** A notice with a word of what to do, that a screen reader tells. */
export function Notice({
  tone,
  title,
  children,
  action,
  onClose,
}: {
  tone: "info" | "warn" | "bad";
  title: string;
  children?: ReactNode;
  action?: { name: string; run: () => void };
  onClose?: () => void;
}) {
  return (
    <div className="notice" data-tone={tone} role={tone === "bad" ? "alert" : "status"}>
      <div className="notice-text">
        <strong className="wrap">{title}</strong>
        {children && <div className="wrap">{children}</div>}
      </div>
      {action && (
        <Anchor component="button" type="button" className="notice-action" onClick={action.run}>
          {action.name}
        </Anchor>
      )}
      {onClose && (
        <button
          type="button"
          className="notice-close"
          aria-label={`${words.close}: ${title}`}
          onClick={onClose}
        >
          ×
        </button>
      )}
    </div>
  );
}
