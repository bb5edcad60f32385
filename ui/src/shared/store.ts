import { useSyncExternalStore } from "react";

/** A value that components watch. It changes by being replaced. */
export class Store<T> {
  private watchers = new Set<() => void>();

  constructor(private value: T) {}

  get = (): T => this.value;

  set(change: Partial<T>) {
    this.value = { ...this.value, ...change };
    for (const w of this.watchers) w();
  }

  watch = (w: () => void) => {
    this.watchers.add(w);
    return () => {
      this.watchers.delete(w);
    };
  };
}

/** The store's value, followed. */
export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.watch, store.get);
}
