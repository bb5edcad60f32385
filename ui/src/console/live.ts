import { createContext, useContext } from "react";
import type { Api } from "../shared/calls";
import type { Binding, Call, News, TrunkStatus } from "../shared/model";
import { type Store, useStore } from "../shared/store";

/** The site as it is now, by the news. */
export interface Live {
  up: boolean;
  bindings: Record<string, Binding>; // by client
  reached: Record<string, boolean>; // by client
  calls: Record<string, Call>;
  trunks: Record<string, TrunkStatus>;
}

export const nothing: Live = { up: false, bindings: {}, reached: {}, calls: {}, trunks: {} };

/** The site after a piece of news. */
export function told(live: Live, news: News): Live {
  switch (news.event) {
    case "bound":
      return { ...live, bindings: { ...live.bindings, [news.client]: news } };
    case "released": {
      const { [news.binding.client]: _, ...bindings } = live.bindings;
      return { ...live, bindings };
    }
    case "reach":
      return { ...live, reached: { ...live.reached, [news.client]: news.reached } };
    case "call": {
      const { [news.id]: _, ...calls } = live.calls;
      return { ...live, calls: news.state === "over" ? calls : { ...calls, [news.id]: news } };
    }
    case "trunk":
      return { ...live, trunks: { ...live.trunks, [news.trunk]: news } };
  }
  return live;
}

export interface Console {
  api: Api;
  live: Store<Live>;
}

const ConsoleContext = createContext<Console | undefined>(undefined);
export const ProvideConsole = ConsoleContext.Provider;

export function useApi(): Api {
  return useContext(ConsoleContext)!.api;
}

export function useSite(): Live {
  return useStore(useContext(ConsoleContext)!.live);
}
