import { ActionIcon, Button } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { say } from "./words";

/** A list in a form: rows that can be removed, and a button for one more. */
export function Rows({
  title,
  hint,
  add,
  onAdd,
  onRemove,
  removable = true,
  names,
  children,
}: {
  title?: string;
  hint?: string;
  add: string;
  onAdd: () => void;
  onRemove?: (index: number) => void;
  removable?: boolean;
  /** What each row is called when it is removed. */
  names: readonly string[];
  children: ReactNode[];
}) {
  return (
    <div role="group" aria-label={title}>
      {title && <div className="field-title">{title}</div>}
      {hint && <div className="field-hint">{hint}</div>}
      {children.map((child, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row has no name but its place
        <div key={i} className="field-row">
          {child}
          {removable && onRemove && (
            <ActionIcon
              variant="subtle"
              color="gray"
              size={44}
              aria-label={`${say.remove} ${names[i]}`}
              onClick={() => onRemove(i)}
            >
              <IconTrash size={20} aria-hidden />
            </ActionIcon>
          )}
        </div>
      ))}
      <Button
        variant="subtle"
        size="sm"
        leftSection={<IconPlus size={16} aria-hidden />}
        onClick={onAdd}
      >
        {add}
      </Button>
    </div>
  );
}
