import { ActionIcon, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconBackspace, IconPhone } from "@tabler/icons-react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { readDialled } from "../shared/dialled";
import { pretty } from "../shared/format";
import type { Contact } from "../shared/model";
import { useStore } from "../shared/store";
import { words } from "../shared/words";
import { useAdmitted, usePhone } from "./context";
import { Keypad } from "./Keypad";
import { occupied, startsTyping } from "./keys";

/** The number called last in this tab, for redialling. */
let lastCalled = "";

/** One field that is dial pad and search at once. */
export function Dial() {
  const { call, line, here, showKeys } = useAdmitted();
  const { link } = useStore(line.store);
  const [typed, setTyped] = useState("");
  const [choice, setChoice] = useState({ for: "", index: -1 });
  // Enter came before the answer: the first of it is called when it is there.
  const [wanted, setWanted] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const listId = useId();
  const { found, fresh, failed } = useContacts(typed, here.user!.numbers);
  const dialled = readDialled(typed);
  // A choice holds for the text for which it was made, and for the answer to that text alone.
  const first = dialled.kind === "name" ? 0 : -1;
  const chosen = !fresh ? -1 : choice.for === typed ? choice.index : first;
  useTypedAnywhere(field, (text) => setTyped(text));

  const go = (number: string, name?: string) => {
    lastCalled = number;
    setTyped("");
    setWanted("");
    call(number, name);
  };
  const submit = () => {
    const contact = found[chosen];
    if (contact) go(contact.number, contact.name);
    else if (dialled.kind === "number") go(dialled.number);
    else if (dialled.kind === "empty" && lastCalled) setTyped(lastCalled);
    else if (!fresh) setWanted(typed);
  };
  const answered = wanted !== "" && wanted === typed && fresh ? found[0] : undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the answer is there
  useEffect(() => {
    if (answered) go(answered.number, answered.name);
  }, [answered]);
  const key = (e: KeyboardEvent) => {
    const step = e.key === "ArrowDown" ? 1 : e.key === "ArrowUp" ? -1 : 0;
    if (step && fresh && found.length) {
      e.preventDefault();
      const index = Math.min(found.length - 1, Math.max(-1, chosen + step));
      setChoice({ for: typed, index });
    } else if (e.key === "Enter") {
      e.preventDefault();
      submit();
    } else if (e.key === "Escape") setTyped("");
    else if (e.key === "?" && typed === "") {
      e.preventDefault();
      showKeys();
    }
  };
  const can = link === "up" && (dialled.kind === "number" || !!found[chosen]);
  const redial = dialled.kind === "empty" && lastCalled !== "";
  return (
    <section className="card dial" aria-label={words.phone.call}>
      <div className="dial-field">
        <TextInput
          ref={field}
          className="dial-input"
          aria-label={words.phone.field}
          placeholder={words.phone.placeholder}
          value={typed}
          onChange={(e) => setTyped(e.currentTarget.value)}
          onKeyDown={key}
          size="lg"
          autoComplete="off"
          spellCheck={false}
          role="combobox"
          aria-expanded={found.length > 0}
          aria-controls={listId}
          aria-activedescendant={found[chosen] ? `${listId}-${chosen}` : undefined}
          rightSection={
            typed && (
              <ActionIcon
                variant="subtle"
                color="gray"
                size={40}
                aria-label={words.phone.clear}
                onClick={() => {
                  setTyped((t) => t.slice(0, -1));
                  field.current?.focus();
                }}
              >
                <IconBackspace size={22} aria-hidden />
              </ActionIcon>
            )
          }
        />
        <button
          type="button"
          className="go go-call"
          disabled={!can && !redial}
          aria-label={words.phone.call}
          onClick={submit}
        >
          <IconPhone size={24} aria-hidden />
        </button>
      </div>
      <div id={listId} role="listbox" aria-label={words.phone.people} className="people">
        {found.map((c, i) => (
          <div
            key={`${c.number} ${c.name}`}
            id={`${listId}-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === chosen}
            className="person"
            onClick={() => go(c.number, c.name)}
            onKeyDown={(e) => e.key === "Enter" && go(c.number, c.name)}
          >
            <span className="truncate person-name">{c.name}</span>
            {c.here && <span className="badge">{words.phone.present}</span>}
            <bdi className="quiet">{pretty(c.number)}</bdi>
          </div>
        ))}
      </div>
      {dialled.kind === "name" && found.length === 0 && (
        <Nobody text={dialled.text} failed={failed} />
      )}
      <Keypad
        press={(d) => {
          setTyped((t) => t + d);
          if (!matchMedia("(pointer: coarse)").matches) field.current?.focus();
        }}
      />
    </section>
  );
}

/** What is typed or pasted anywhere on the page goes into the field; "/" goes to it. */
function useTypedAnywhere(
  field: React.RefObject<HTMLInputElement | null>,
  pasted: (text: string) => void,
) {
  const paste = useRef(pasted);
  paste.current = pasted;
  useEffect(() => {
    const onKey = (e: globalThis.KeyboardEvent) => {
      if (occupied(e.target)) return;
      if (e.key === "/" && !e.ctrlKey && !e.metaKey && !e.altKey) e.preventDefault();
      else if (!startsTyping(e)) return;
      // The key itself is written where the focus is when it is let through.
      field.current?.focus();
    };
    const onPaste = (e: ClipboardEvent) => {
      const text = e.clipboardData?.getData("text/plain").trim();
      if (!text || occupied(e.target)) return;
      e.preventDefault();
      paste.current(text);
      field.current?.focus();
    };
    addEventListener("keydown", onKey);
    addEventListener("paste", onPaste);
    return () => {
      removeEventListener("keydown", onKey);
      removeEventListener("paste", onPaste);
    };
  }, [field]);
}

/** Says that a search found nobody, once the answer is there. */
function Nobody({ text, failed }: { text: string; failed: boolean }) {
  const [late, setLate] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setLate(text), 500);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <div className="quiet nobody wrap" role="status">
      {failed ? words.phone.lookupFailed : late === text ? words.phone.nobody(text) : ""}
    </div>
  );
}

interface Found {
  found: Contact[];
  /** They answer the text as it is now; until then those of the last text stay in sight. */
  fresh: boolean;
  failed: boolean;
}

/** The people whose name or number matches; not the person herself. */
function useContacts(typed: string, own: string[]): Found {
  const { api } = usePhone();
  const text = typed.trim();
  const dialled = readDialled(text);
  const match = dialled.kind === "number" ? dialled.number : text;
  const [settled] = useDebouncedValue(match, 120);
  const found = useQuery({
    queryKey: ["contacts", settled],
    queryFn: () => api.contacts(settled),
    enabled: settled !== "",
    placeholderData: keepPreviousData,
  });
  if (match === "") return { found: [], fresh: true, failed: false };
  const others = (found.data?.items ?? []).filter((c) => !own.includes(c.number));
  const fresh = settled === match && !found.isPlaceholderData && !found.isPending;
  return { found: others.slice(0, 6), fresh, failed: found.isError };
}
