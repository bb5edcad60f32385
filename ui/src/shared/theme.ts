import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from "@mantine/core";
import { words } from "./words";

const line: MantineColorsTuple = [
  "#eef3fd",
  "#dbe5fa",
  "#b6caf3",
  "#8fadec",
  "#6d93e6",
  "#5680dd",
  "#3f69cc",
  "#2d57b4",
  "#244898",
  "#1b387a",
];

/** Neutral greys with a breath of blue; index 7 is the dark page, 6 a card on it. */
const dark: MantineColorsTuple = [
  "#d5d8de",
  "#b4b9c2",
  "#8b919d",
  "#666c78",
  "#464c57",
  "#2f343d",
  "#1d2128",
  "#13161b",
  "#0e1014",
  "#090b0e",
];

const gray: MantineColorsTuple = [
  "#f6f7f9",
  "#eff1f4",
  "#e3e6eb",
  "#d3d8df",
  "#b6bcc7",
  "#8f97a4",
  "#626a78",
  "#474e5a",
  "#2f343d",
  "#191c22",
];

/** The one look of all pages. */
export const theme = createTheme({
  primaryColor: "line",
  primaryShade: { light: 7, dark: 7 },
  colors: { line, dark, gray },
  fontFamily: "'Inter Variable', system-ui, sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'DejaVu Sans Mono', monospace",
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  headings: { fontWeight: "620" },
  components: {
    Button: { defaultProps: { size: "md" }, styles: { root: { minHeight: 44 } } },
    TextInput: { defaultProps: { size: "md" } },
    PasswordInput: {
      defaultProps: {
        size: "md",
        visibilityToggleButtonProps: { "aria-label": words.signIn.show },
      },
    },
    Loader: { defaultProps: { role: "status" } },
    Select: { defaultProps: { size: "md" } },
    ModalRoot: {
      defaultProps: { centered: true, radius: "lg" },
      styles: { content: { background: "var(--surface)" } },
    },
    Tooltip: { defaultProps: { openDelay: 400 } },
  },
});

/** What Mantine's own colours lack of WCAG AA contrast. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-body": "#f6f7f9",
    "--mantine-color-dimmed": "#5b6370",
    "--mantine-color-placeholder": "#68707d",
    "--mantine-color-error": "#b4231f",
    "--mantine-color-anchor": "#2d57b4",
    "--surface": "#ffffff",
    "--edge": "#e3e6eb",
    "--sunk": "#eff1f4",
    "--good": "#18713c",
    "--warn": "#8a5300",
    "--bad": "#b4231f",
    "--good-soft": "#e2f4e8",
    "--warn-soft": "#fdf0d9",
    "--bad-soft": "#fdeaea",
    "--accent-soft": "#e8eefb",
    "--accent-text": "#2d57b4",
  },
  dark: {
    "--mantine-color-body": "#13161b",
    "--mantine-color-dimmed": "#a3a9b5",
    "--mantine-color-placeholder": "#969dab",
    "--mantine-color-error": "#ff8a84",
    "--mantine-color-anchor": "#8fadec",
    "--surface": "#1d2128",
    "--edge": "#2f343d",
    "--sunk": "#262b33",
    "--good": "#6fd095",
    "--warn": "#f0b95b",
    "--bad": "#ff8a84",
    "--good-soft": "#16301f",
    "--warn-soft": "#35290f",
    "--bad-soft": "#3a1d1d",
    "--accent-soft": "#1e2a44",
    "--accent-text": "#a9c1f3",
  },
});
