import { words } from "../shared/words";

const keys = [
  ["1", ""],
  ["2", "ABC"],
  ["3", "DEF"],
  ["4", "GHI"],
  ["5", "JKL"],
  ["6", "MNO"],
  ["7", "PQRS"],
  ["8", "TUV"],
  ["9", "WXYZ"],
  ["*", ""],
  ["0", "+"],
  ["#", ""],
] as const;

const spoken: Record<string, string> = { "*": "star", "#": "hash" };

/** The twelve keys of a telephone (ITU-T E.161). Holding 0 gives a plus. */
export function Keypad({ press }: { press: (key: string) => void }) {
  let held: ReturnType<typeof setTimeout> | undefined;
  let plus = false;
  return (
    <div className="keypad" role="group" aria-label={words.phone.keypad}>
      {keys.map(([key, letters]) => (
        <button
          key={key}
          type="button"
          aria-label={spoken[key] ?? key}
          onPointerDown={() => {
            plus = false;
            if (key !== "0") return;
            held = setTimeout(() => {
              plus = true;
              press("+");
            }, 500);
          }}
          onPointerUp={() => clearTimeout(held)}
          onPointerLeave={() => clearTimeout(held)}
          onClick={() => {
            if (!plus) press(key);
            plus = false;
          }}
        >
          <span>{key}</span>
          {letters && <small data-letters={letters} />}
        </button>
      ))}
    </div>
  );
}
