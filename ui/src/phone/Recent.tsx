import { ActionIcon, Skeleton, Text, Title } from "@mantine/core";
import { IconArrowDownLeft, IconArrowUpRight, IconPhone, IconPhoneOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { failure } from "../shared/advice";
import { clock, pretty, when } from "../shared/format";
import type { RecentCall } from "../shared/model";
import { words } from "../shared/words";
import { useAdmitted, useNow, usePhone } from "./context";

/** The person's last calls; a missed one is told apart by sign, word and colour. */
export function Recent() {
  const { api } = usePhone();
  const recent = useQuery({ queryKey: ["recent"], queryFn: () => api.recent() });
  const now = useNow(30_000);
  const calls = recent.data?.items;
  return (
    <section className="card recent" aria-labelledby="recent">
      <Title order={2} size="h5" id="recent">
        {words.phone.recent}
      </Title>
      {!calls && recent.isPending && (
        <div aria-busy="true">
          {[80, 60, 70].map((w) => (
            <Skeleton key={w} height={20} width={`${w}%`} my={18} />
          ))}
        </div>
      )}
      {!calls && recent.error && (
        <Text c="dimmed" py="md">
          {failure(recent.error)}. {words.phone.recentNext}
        </Text>
      )}
      {calls?.length === 0 && (
        <div className="empty">
          <IconPhone size={32} stroke={1.3} aria-hidden />
          <div>{words.phone.none}</div>
          <div className="quiet">{words.phone.noneMore}</div>
        </div>
      )}
      {calls && calls.length > 0 && (
        <ul className="calls">
          {calls.map((c) => (
            <One key={c.id} of={c} now={now} />
          ))}
        </ul>
      )}
    </section>
  );
}

function One({ of: c, now }: { of: RecentCall; now: Date }) {
  const { call } = useAdmitted();
  const missed = c.direction === "in" && !c.answered;
  const failed = c.direction === "out" && !c.answered;
  const known = !!c.party.number && !c.party.private;
  const number = known ? pretty(c.party.number) : "";
  const title = c.party.name || number || words.phone.private;
  const Sign = missed ? IconPhoneOff : c.direction === "in" ? IconArrowDownLeft : IconArrowUpRight;
  const kind = missed
    ? words.phone.missed
    : failed
      ? words.phone.notReached
      : c.direction === "in"
        ? words.phone.incoming
        : words.phone.outgoing;
  return (
    <li className="one" data-missed={missed || undefined}>
      <span className="one-sign">
        <Sign size={20} aria-hidden />
      </span>
      <div className="one-text">
        <div className="truncate one-name" title={title}>
          <bdi>{title}</bdi>
        </div>
        <div className="truncate one-kind">
          {[kind, c.party.name && number, c.answered && clock(c.durationMs)]
            .filter(Boolean)
            .join(" · ")}
          <time dateTime={c.time}> · {when(c.time, now, words.yesterday)}</time>
        </div>
      </div>
      <time className="quiet one-time" dateTime={c.time}>
        {when(c.time, now, words.yesterday)}
      </time>
      {known ? (
        <ActionIcon
          variant="subtle"
          size={44}
          radius="xl"
          aria-label={words.phone.callBack(title)}
          onClick={() => call(c.party.number, c.party.name)}
        >
          <IconPhone size={20} aria-hidden />
        </ActionIcon>
      ) : (
        <span className="one-none" />
      )}
    </li>
  );
}
