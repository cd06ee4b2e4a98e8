import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { useKeys } from "../keys.ts";
import type { Note } from "./notes.ts";

const KEY = "unlocked-visited";
const LOOK_MS = 250;
const AIR = 12;

/** A note after the other, beside what it speaks of, on the first visit of this browser and never again. */
export function Visit({ notes }: { readonly notes: readonly Note[] }) {
  const [isOver, setOver] = useState(wasHere);
  const [at, setAt] = useState(0);
  const over = () => {
    remember();
    setOver(true);
  };
  const note = isOver ? undefined : notes[at];
  if (note === undefined) return null;
  const isLast = at === notes.length - 1;
  return (
    <Beside note={note} onSkip={over}>
      <div aria-live="polite">
        <h2 id="visit-title">{note.title}</h2>
        <p>{note.text}</p>
      </div>
      <div class="visit-tools">
        <span class="small">
          {at + 1} of {notes.length}
        </span>
        {!isLast && (
          <button type="button" class="quiet" onClick={over} data-testid="visit-skip">
            skip
          </button>
        )}
        {at > 0 && (
          <button type="button" class="quiet" onClick={() => setAt(at - 1)} data-testid="visit-back">
            back
          </button>
        )}
        <button
          type="button"
          class="visit-next"
          onClick={() => (isLast ? over() : setAt(at + 1))}
          data-testid="visit-next"
        >
          {isLast ? "done" : "next"}
        </button>
      </div>
    </Beside>
  );
}

interface BesideProps {
  readonly note: Note;
  readonly onSkip: () => void;
  readonly children: ComponentChildren;
}

/** Below what the note speaks of, which is shown and marked; on a phone at the foot of the screen. */
function Beside({ note: { about }, onSkip, children }: BesideProps) {
  const section = useRef<HTMLElement>(null);
  useKeys({ Escape: onSkip });
  // With the text, in one picture.
  useLayoutEffect(() => {
    const subject = document.querySelector(about);
    subject?.setAttribute("data-noted", "");
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    subject?.scrollIntoView({ block: "center", inline: "center", behavior: isStill ? "auto" : "smooth" });
    return () => subject?.removeAttribute("data-noted");
  }, [about]);
  useLayoutEffect(() => {
    const look = () => place(section.current!, document.querySelector(about));
    look();
    // The chain grows and is scrolled.
    const timer = setInterval(look, LOOK_MS);
    return () => clearInterval(timer);
  }, [about]);
  return (
    <section class="visit" aria-labelledby="visit-title" ref={section} data-testid="visit">
      {children}
    </section>
  );
}

function place(note: HTMLElement, subject: Element | null): void {
  if (subject === null) return;
  const { left, bottom, width } = subject.getBoundingClientRect();
  const most = document.documentElement.clientWidth - note.offsetWidth - AIR;
  const beside = left + width / 2 - note.offsetWidth / 2;
  note.style.setProperty("--left", `${Math.max(AIR, Math.min(most, beside))}px`);
  note.style.setProperty("--top", `${bottom + scrollY + AIR}px`);
}

// A browser may forbid to remember; then it is told once a visit.
function wasHere(): boolean {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}

function remember(): void {
  try {
    localStorage.setItem(KEY, "yes");
  } catch {}
}
