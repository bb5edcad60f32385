import { Select, Stack, TextInput } from "@mantine/core";
import { forwards, waits } from "./callSettings";
import { callWords } from "./callWords";
import { long } from "./format";
import type { CallSettings } from "./model";

/** The fields of what is done with a person's calls. */
export function CallFields({
  value,
  set,
  fault,
  siteWait,
}: {
  value: CallSettings;
  set: (value: CallSettings) => void;
  /** What is wrong with a field. */
  fault: (field: string) => string | undefined;
  /** How long calls wait where nothing is said, in milliseconds; undefined: not known here. */
  siteWait?: number;
}) {
  const w = callWords;
  const site =
    siteWait === undefined ? w.asSite : w.asSiteIs(siteWait ? long(siteWait) : w.notAtAll);
  return (
    <Stack gap="md">
      <label className="check">
        <input
          type="checkbox"
          checked={value.doNotDisturb ?? false}
          onChange={(e) => set({ ...value, doNotDisturb: e.currentTarget.checked || undefined })}
        />
        <span>
          {w.disturb}
          <span className="check-more">{w.disturbMore}</span>
        </span>
      </label>
      {forwards.map((f) => (
        <TextInput
          key={f}
          label={w.fields[f]}
          description={f === "forwardAlways" ? w.numberHint : undefined}
          value={value[f] ?? ""}
          onChange={(e) => set({ ...value, [f]: e.currentTarget.value || undefined })}
          error={fault(f)}
          inputMode="tel"
          autoComplete="off"
        />
      ))}
      <Select
        label={w.wait}
        description={value.forwardNotSignedIn ? w.waitNot : w.waitMore}
        data={[
          { value: "", label: site },
          ...waits(value.waitMs).map((ms) => ({
            value: String(ms),
            label: ms ? long(ms) : w.notAtAll,
          })),
        ]}
        value={value.waitMs === undefined ? "" : String(value.waitMs)}
        onChange={(ms) => set({ ...value, waitMs: ms ? Number(ms) : undefined })}
        error={fault("waitMs")}
        allowDeselect={false}
        comboboxProps={{ withinPortal: true }}
      />
    </Stack>
  );
}
