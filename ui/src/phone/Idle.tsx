import { ActionIcon, Button, Menu, Text, Title } from "@mantine/core";
import {
  IconDots,
  IconHeadset,
  IconKeyboard,
  IconLogout,
  IconPhoneIncoming,
  IconSettings,
} from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { pretty } from "../shared/format";
import { useStore } from "../shared/store";
import { words } from "../shared/words";
import { useAdmitted, useLive, usePhone } from "./context";
import { Dial } from "./Dial";
import { Emergency } from "./Emergency";
import { EndedNotice } from "./EndedNotice";
import { LinkDot } from "./LinkDot";
import { Notice } from "./pages";
import { Recent } from "./Recent";

// Not needed before somebody has signed in; a phone that can't load it is a phone all the same.
const Diverted = lazy(() => import("./Diverted").catch(() => ({ default: () => null })));
const Astray = lazy(() => import("./Astray").catch(() => ({ default: () => null })));

/** The phone with nobody on it: whose line is here, and what can be done. */
export function Idle() {
  const { here, line } = useAdmitted();
  const { link } = useStore(line.store);
  const user = here.user!;
  return (
    <div className="phone">
      <Bar />
      <main className="idle">
        <section className="who">
          <Title order={1} className="who-name wrap">
            {user.name}
          </Title>
          {user.numbers.length > 0 ? (
            <Text className="who-number">
              {user.numbers.map((n) => (
                <bdi key={n}>{pretty(n)}</bdi>
              ))}
            </Text>
          ) : (
            <Text c="dimmed">{words.phone.noNumber}</Text>
          )}
          <Text className="who-here" data-up={link === "up"} role="status">
            {link === "up"
              ? words.phone.here
              : link === "lost" || link === "refused"
                ? words.phone.notHere
                : words.phone.notYet}
          </Text>
        </section>
        <Notices />
        <Dial />
        <Recent />
        <div className="idle-emergency">
          <Emergency />
        </div>
      </main>
    </div>
  );
}

/** The bar above: where this is, how the connection is, what else there is. */
export function Bar() {
  const { here, showDevices, showSettings, showKeys } = useAdmitted();
  const { api, live } = usePhone();
  const queries = useQueryClient();
  const signOut = useMutation({
    mutationFn: api.signOut,
    onError: () => live.set({ notice: words.phone.signOutFailed }),
    onSuccess: () => {
      queries.removeQueries({ queryKey: ["recent"] });
      queries.removeQueries({ queryKey: ["settings"] });
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["here"] }),
  });
  const administrator = here.user?.roles.includes("administrator");
  return (
    <header className="bar">
      <img src="/icon.svg" alt="" width={28} height={28} />
      <div className="bar-place">
        <div className="truncate bar-name">{here.client.name}</div>
        {here.client.placeName && (
          <div className="truncate quiet bar-sub">{here.client.placeName}</div>
        )}
      </div>
      <LinkDot />
      <Button
        variant="default"
        className="bar-wide"
        leftSection={<IconHeadset size={18} aria-hidden />}
        onClick={showDevices}
      >
        {words.phone.devices}
      </Button>
      {here.user && (
        <Button
          variant="default"
          className="sign-out"
          leftSection={<IconLogout size={18} aria-hidden />}
          onClick={() => signOut.mutate()}
          loading={signOut.isPending}
        >
          {words.phone.signOut}
        </Button>
      )}
      <Menu position="bottom-end" width={220}>
        <Menu.Target>
          <ActionIcon variant="default" size={44} aria-label={words.phone.menu}>
            <IconDots size={20} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconHeadset size={18} aria-hidden />} onClick={showDevices}>
            {words.phone.devices}
          </Menu.Item>
          {here.user && (
            <Menu.Item
              leftSection={<IconPhoneIncoming size={18} aria-hidden />}
              onClick={showSettings}
            >
              {words.phone.callsToYou}
            </Menu.Item>
          )}
          <Menu.Item
            leftSection={<IconKeyboard size={18} aria-hidden />}
            rightSection={<kbd className="key">?</kbd>}
            onClick={showKeys}
          >
            {words.keys.title}
          </Menu.Item>
          {administrator && (
            <Menu.Item
              component="a"
              href="/console"
              leftSection={<IconSettings size={18} aria-hidden />}
            >
              {words.phone.console}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
    </header>
  );
}

/** What the person should know before the next call. */
export function Notices() {
  const { here, line, showDevices } = useAdmitted();
  const { devices, sound, live } = usePhone();
  const { link, ended } = useStore(line.store);
  const { microphone } = useStore(devices.store);
  const { blocked } = useStore(sound.store);
  const { notice } = useLive();
  const open = { name: words.phone.tryDevices, run: showDevices };
  return (
    <div className="notices">
      {notice && (
        <Notice tone="info" title={notice} onClose={() => live.set({ notice: undefined })} />
      )}
      {(link === "lost" || link === "refused") && (
        <Notice tone="bad" title={words.link[link]}>
          {words.link[`${link}More`]}
        </Notice>
      )}
      {here.user && (
        <Suspense>
          <Astray />
          <Diverted />
        </Suspense>
      )}
      {ended && <EndedNotice />}
      {microphone === "denied" && (
        <Notice tone="bad" title={words.devices.denied} action={open}>
          {words.devices.deniedMore}
        </Notice>
      )}
      {microphone === "absent" && (
        <Notice tone="bad" title={words.devices.absent} action={open}>
          {words.devices.absentMore}
        </Notice>
      )}
      {microphone === "unknown" && (
        <Notice tone="info" title={words.phone.tryDevicesMore} action={open} />
      )}
      {blocked && (
        <Notice
          tone="warn"
          title={words.phone.soundBlocked}
          action={{ name: words.phone.soundAllow, run: () => void sound.wake() }}
        />
      )}
    </div>
  );
}
