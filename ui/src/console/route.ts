import { type MouseEvent, useSyncExternalStore } from "react";

/** Where in the console the address bar points: /console/calls/k_1?user=u_2. */
export interface Route {
  page: string;
  id: string;
  query: URLSearchParams;
}

/** Reads an address of the console. */
export function readRoute(pathname: string, search: string): Route {
  const [, , page = "", id = ""] = pathname.split("/");
  return { page: page || "now", id: decodeURIComponent(id), query: new URLSearchParams(search) };
}

const moved = "roamline-moved";

/** Goes to another place in the console without loading the page anew. */
export function go(path: string) {
  history.pushState(null, "", path);
  dispatchEvent(new Event(moved));
  window.scrollTo(0, 0);
}

/** Lets a link be followed within the page, unless it should open elsewhere. */
export function follow(e: MouseEvent<HTMLAnchorElement>) {
  if (e.metaKey || e.ctrlKey || e.shiftKey || e.button !== 0) return;
  e.preventDefault();
  go(e.currentTarget.getAttribute("href")!);
}

function watch(each: () => void) {
  addEventListener("popstate", each);
  addEventListener(moved, each);
  return () => {
    removeEventListener("popstate", each);
    removeEventListener(moved, each);
  };
}

/** The present place, followed. */
export function useRoute(): Route {
  const address = useSyncExternalStore(watch, () => location.pathname + location.search);
  const [pathname, search] = address.split("?");
  return readRoute(pathname!, search ?? "");
}
