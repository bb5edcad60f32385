import { advice, failure } from "../shared/advice";
import { diversions } from "../shared/callSettings";
import { callWords } from "../shared/callWords";
import { Notice } from "./pages";
import { useSettings, useSettle } from "./settings";

/** That calls do not ring here, or not to the end, and one click that changes it. */
export default function Diverted() {
  const { data } = useSettings();
  const settle = useSettle();
  if (!data) return null;
  return (
    <>
      {diversions(data.calls).map((d) => (
        <Notice
          key={d.title}
          tone={d.every ? "warn" : "info"}
          title={d.title}
          action={{
            name: callWords.off,
            run: () => settle.mutate({ calls: d.without, rev: data.rev }),
          }}
        >
          {d.text}
        </Notice>
      ))}
      {settle.error && (
        <Notice tone="bad" title={failure(settle.error)} onClose={settle.reset}>
          {advice(settle.error)}
        </Notice>
      )}
    </>
  );
}
