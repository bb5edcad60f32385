import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { CallSettings, Settings } from "../shared/model";
import { useAdmitted, usePhone } from "./context";

/** How often the settings are read again: an administrator may have changed them. */
const again = 60_000;

/** What the person who is here wants done with her calls. */
export function useSettings() {
  const { api } = usePhone();
  const user = useAdmitted().here.user?.id;
  return useQuery({
    queryKey: ["settings", user],
    queryFn: api.settings,
    enabled: !!user,
    refetchInterval: again,
    refetchOnWindowFocus: true,
  });
}

/** Changes them, as they were read; a refusal reads them again. */
export function useSettle() {
  const { api } = usePhone();
  const user = useAdmitted().here.user?.id;
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (to: { calls: CallSettings; rev: number }) => api.settle(to.rev, to.calls),
    onSuccess: (now: Settings) => queries.setQueryData(["settings", user], now),
    onError: () => queries.invalidateQueries({ queryKey: ["settings", user] }),
  });
}
