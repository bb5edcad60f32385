import { createContext, useContext, useEffect, useState } from "react";
import type { Api } from "../shared/calls";
import type { Call, Here } from "../shared/model";
import { type Store, useStore } from "../shared/store";
import type { Devices } from "./devices";
import type { Leadership } from "./lead";
import type { Line } from "./line";
import type { Sound } from "./sound";

/** What the news say, kept for the components. */
export interface Live {
  /** Running calls of this client, by identifier. */
  calls: Record<string, Call>;
  /** Whether this client can be called, as the server sees it. */
  streamUp: boolean;
  /** Something that happened to the person's line here. */
  notice?: string;
}

/** All that the phone is made of. */
export interface Phone {
  api: Api;
  devices: Devices;
  sound: Sound;
  lead: Leadership;
  live: Store<Live>;
}

/** The parts there are once the client is admitted. */
export interface Admitted {
  here: Here;
  line: Line;
  /** Calls a number; a failure is shown by itself. */
  call: (number: string, name?: string) => void;
  /** Opens the devices. */
  showDevices: () => void;
  /** Opens what is done with the person's calls. */
  showSettings: () => void;
  /** Opens the list of keys. */
  showKeys: () => void;
}

const PhoneContext = createContext<Phone | undefined>(undefined);
const AdmittedContext = createContext<Admitted | undefined>(undefined);

export const ProvidePhone = PhoneContext.Provider;
export const ProvideAdmitted = AdmittedContext.Provider;

export function usePhone(): Phone {
  return useContext(PhoneContext)!;
}

export function useAdmitted(): Admitted {
  return useContext(AdmittedContext)!;
}

export function useLive(): Live {
  return useStore(usePhone().live);
}

/** The time, renewed every so many milliseconds. */
export function useNow(every: number): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

/** True once something has lasted ms: a wait that is shorter shows nothing. */
export function useAfter(ms: number): boolean {
  const [after, setAfter] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setAfter(true), ms);
    return () => clearTimeout(timer);
  }, [ms]);
  return after;
}
