import type { ComponentChildren, Ref } from "preact";

interface Props {
  readonly label: string;
  readonly class?: string;
  readonly frame?: Ref<HTMLElement>;
  readonly children: ComponentChildren;
}

/** What is longer than its place, and can be scrolled by keys too. */
export function Scroll({ label, class: also = "", frame, children }: Props) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without it keys do not reach it
    <section class={`scroll ${also}`} aria-label={label} tabIndex={0} {...(frame ? { ref: frame } : {})}>
      {children}
    </section>
  );
}
