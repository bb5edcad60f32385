import { Problem } from "./access";
import { words } from "./words";

/** What to do about a request that failed. */
export function advice(error: Error): string {
  const a = words.advice;
  if (!(error instanceof Problem)) return a.unreachableNext;
  switch (error.status) {
    case 401:
    case 403:
      return a.forbidden;
    case 404:
      return a.missing;
    case 409:
      return a.taken;
    case 400:
    case 413:
    case 422:
      return a.wrong;
    case 429:
      return a.slow;
  }
  return a.broken;
}

/** What failed, for a person: the server's own words, not the browser's for a broken line. */
export function failure(error: Error): string {
  return error instanceof Problem ? error.message : words.advice.unreachable;
}
