/** Light and dark: as the system says, until the person at the page says otherwise; the choice is remembered. */
import { useEffect, useState } from "preact/hooks";

export type Theme = "system" | "light" | "dark";

const key = "tmc-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

export function chosenTheme(): Theme {
  const kept = localStorage.getItem(key);
  return kept === "light" || kept === "dark" ? kept : "system";
}

const shown = (): "light" | "dark" => {
  const chosen = chosenTheme();
  return chosen === "system" ? (dark.matches ? "dark" : "light") : chosen;
};

function apply(): void {
  document.documentElement.dataset["theme"] = shown();
  for (const listener of listeners) listener();
}

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(key, theme);
  apply();
}

dark.addEventListener("change", apply);
apply();

/** What is shown; drawn again when it changes. */
export function useTheme(): "light" | "dark" {
  const [value, setValue] = useState(shown);
  useEffect(() => {
    const listener = (): void => setValue(shown());
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return value;
}
