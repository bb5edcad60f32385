import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const server = process.env.ROAMLINE_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2022",
    // The content security policy allows no data: fonts, and no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // What both programs share: React, Mantine and its parts. Loaded once, kept by its hash.
    chunkSizeWarningLimit: 600,
  },
  server: {
    proxy: {
      "/api": server,
      "/sip": { target: server, ws: true },
    },
  },
});
