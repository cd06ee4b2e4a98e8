import type { Tone } from "../../../shared/record/condition.ts";

/** A shape for each tone, so that colour is never alone. */
const shapes: Readonly<Record<Tone, string>> = {
  lit: "M3 2.2v9.6L11.6 7z",
  idle: "M3.5 7h.01M7 7h.01M10.5 7h.01",
  held: "M4.5 3v8M9.5 3v8",
  silent: "M4.6 5.2a2.4 2.4 0 1 1 3.6 2.1C7.4 7.8 7 8.2 7 9m0 2.4v.01",
  dark: "M3.2 3.2l7.6 7.6M10.8 3.2l-7.6 7.6",
  done: "M2.6 7.4l2.9 3 5.9-6.6",
  absent: "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9",
};

export function ToneIcon({ tone }: { readonly tone: Tone }) {
  return (
    <svg class={`icon icon-${tone}`} viewBox="0 0 14 14" width="14" height="14" aria-hidden="true">
      <path d={shapes[tone]} />
    </svg>
  );
}
