/** The columns that an import knows, in the order in which the sample has them. */
export const columns = ["login", "name", "number", "password", "pin", "language", "roles"] as const;
export type Column = (typeof columns)[number];

/** One line of the table: who would be added. Secrets are told as being there, never shown. */
export interface Person {
  /** The line in the file, from 1; the head is line 1. */
  line: number;
  login: string;
  name: string;
  numbers: string[];
  password: boolean;
  pin: boolean;
  roles: string[];
}

/** What a table holds, before the server has looked at it. */
export interface Look {
  /** Names of the first line that no import knows. */
  unknown: string[];
  /** Names that are needed and are not there. */
  missing: Column[];
  people: Person[];
  /** How many numbers would lead to them. */
  numbers: number;
}

/** A table to begin with: every column, one person with everything, one with the least. */
export const sample = [
  columns.join(","),
  "ana,Ana Pereira,1001;+34910000001,,2580,en,",
  'ben,"Okafor, Ben",1002,change-this-now,,,',
  "",
].join("\r\n");

/**
 * Reads a table (RFC 4180) only to show it; what is right and wrong is the
 * server's to say. The separator is a comma, or a semicolon if the first line
 * holds one and no comma.
 */
export function look(text: string): Look {
  const [head, ...rows] = read(text);
  const names = head?.cells.map((c) => c.trim().toLowerCase()) ?? [];
  const people = rows.map(({ line, cells }): Person => {
    const cell = (c: Column) => cells[names.indexOf(c)]?.trim() ?? "";
    return {
      line,
      login: cell("login"),
      name: cell("name"),
      numbers: pieces(cell("number")),
      password: cell("password") !== "",
      pin: cell("pin") !== "",
      roles: pieces(cell("roles")),
    };
  });
  return {
    unknown: names.filter((n) => !(columns as readonly string[]).includes(n)),
    missing: (["login", "name"] as const).filter((n) => !names.includes(n)),
    people,
    numbers: people.reduce((sum, p) => sum + p.numbers.length, 0),
  };
}

/** The rows of a table with the line on which each begins; empty lines are passed over. */
function read(text: string): { line: number; cells: string[] }[] {
  const table = text.replace(/^\ufeff/, "");
  const first = table.slice(0, (table.indexOf("\n") + 1 || table.length + 1) - 1);
  const mark = first.includes(";") && !first.includes(",") ? ";" : ",";
  const rows: { line: number; cells: string[] }[] = [];
  let [line, began, cells, cell, quoted] = [1, 1, [] as string[], "", false];
  const endRow = () => {
    if (cells.length > 0 || cell.trim() !== "") rows.push({ line: began, cells: [...cells, cell] });
    [cells, cell, began] = [[], "", line];
  };
  for (let i = 0; i < table.length; i++) {
    const c = table[i]!;
    if (c === "\n") line++;
    if (quoted) {
      if (c !== '"') cell += c;
      else if (table[i + 1] === '"') cell += table[++i];
      else quoted = false;
    } else if (c === '"' && cell.trim() === "") [quoted, cell] = [true, ""];
    else if (c === mark) [cells, cell] = [[...cells, cell], ""];
    else if (c === "\n") endRow();
    else if (c !== "\r") cell += c;
  }
  endRow();
  return rows;
}

function pieces(cell: string): string[] {
  return cell
    .split(";")
    .map((p) => p.trim())
    .filter(Boolean);
}

/** The text of a file: UTF-8, or what older spreadsheets write in the west. */
export function decode(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** The faults of a refusal by line, in the order of lines; 0 is what no line is to blame for. */
export function byLine(
  faults: readonly { where: string; what: string }[],
): { line: number; text: string }[] {
  return faults
    .map(({ where, what }) => {
      const at = /^line (\d+)(?:, *(.*))?$/.exec(where);
      return { line: Number(at?.[1] ?? 0), text: [at?.[2], what].filter(Boolean).join(" ") };
    })
    .sort((a, b) => a.line - b.line);
}
