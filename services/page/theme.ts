import { useEffect, useLayoutEffect, useState } from "preact/hooks";

const NAMES = ["system", "light", "dark"] as const;
type Name = (typeof NAMES)[number];
const KEY = "unlocked-theme";

/** `name` is what was chosen, `shown` what that is at present. */
export function useTheme() {
  const [name, setName] = useState<Name>(remembered);
  const [isSystemDark, setSystemDark] = useState(() => darkness().matches);
  useEffect(() => {
    const query = darkness();
    const onChange = () => setSystemDark(query.matches);
    query.addEventListener("change", onChange);
    return () => query.removeEventListener("change", onChange);
  }, []);
  const shown = name === "system" ? (isSystemDark ? "dark" : "light") : name;
  // Before anything below asks for its colours.
  if (document.documentElement.dataset.theme !== shown) document.documentElement.dataset.theme = shown;
  useLayoutEffect(() => remember(name), [name]);
  const next = () => setName(NAMES[(NAMES.indexOf(name) + 1) % NAMES.length]!);
  return { name, shown, next };
}

function darkness(): MediaQueryList {
  return matchMedia("(prefers-color-scheme: dark)");
}

// A browser may forbid to remember; then nothing is.
function remembered(): Name {
  try {
    return NAMES.find((name) => name === localStorage.getItem(KEY)) ?? "system";
  } catch {
    return "system";
  }
}

function remember(name: Name): void {
  try {
    localStorage.setItem(KEY, name);
  } catch {}
}
