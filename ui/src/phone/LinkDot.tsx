import { Popover, Text, UnstyledButton } from "@mantine/core";
import { useStore } from "../shared/store";
import { words } from "../shared/words";
import { useAdmitted } from "./context";
import type { Link } from "./line";

const shades: Record<Link, string> = {
  off: "warn",
  connecting: "warn",
  up: "good",
  lost: "bad",
  refused: "bad",
};

/** The state of the connection: a dot whose shape tells as much as its colour, and words. */
export function LinkDot({ withWords }: { withWords?: boolean }) {
  const { line } = useAdmitted();
  const { link } = useStore(line.store);
  const state = link === "off" ? "connecting" : link;
  return (
    <Popover width={260} position="bottom-end" withArrow>
      <Popover.Target>
        <UnstyledButton className="link-dot" data-testid="link" data-link={link}>
          <span className="dot" data-is={shades[link]} />
          <span className={withWords || link !== "up" ? "" : "link-word"}>{words.link[state]}</span>
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        <Text size="sm">{words.link[`${state}More`]}</Text>
      </Popover.Dropdown>
    </Popover>
  );
}
