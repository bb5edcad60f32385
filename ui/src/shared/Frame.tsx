import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { setNonce } from "get-nonce";
import type { ReactNode } from "react";
import { backoff } from "./backoff";
import { theme, variables } from "./theme";

const queries = new QueryClient({
  defaultOptions: { queries: { retry: 2, retryDelay: (n) => backoff(n), staleTime: 5000 } },
});

/** The nonce that the page's policy asks of style elements; the server writes it into the page. */
const nonce = document.querySelector<HTMLMetaElement>('meta[name="style-nonce"]')?.content ?? "";
setNonce(nonce);

/** What every page stands in: its look and its queries. */
export function Frame({ children }: { children: ReactNode }) {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={variables}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
    >
      <QueryClientProvider client={queries}>{children}</QueryClientProvider>
    </MantineProvider>
  );
}
