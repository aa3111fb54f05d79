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

/** What is shown. Kept here, because a look at `dark.matches` between the system's change and its event takes the event away. */
let shown: "light" | "dark" = "light";

function apply(): void {
  const chosen = chosenTheme();
  shown = chosen === "system" ? (dark.matches ? "dark" : "light") : chosen;
  document.documentElement.dataset["theme"] = shown;
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
  const [value, setValue] = useState(() => shown);
  useEffect(() => {
    const listener = (): void => setValue(shown);
    listeners.add(listener);
    // It may have changed since the drawing.
    listener();
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return value;
}
