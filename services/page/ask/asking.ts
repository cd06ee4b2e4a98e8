import { useEffect, useRef, useState } from "preact/hooks";
import type { Answer, Question } from "../../../shared/record/hub-api.ts";
import { ask } from "../hub.ts";

/** What is known of the last question: of each worker the newest answer, and when it came, by this machine's clock. */
export interface Asked {
  readonly answers: ReadonlyMap<string, Answer & { readonly at: number }>;
  /** Why it was not asked. */
  readonly refusal: string | undefined;
  /** Of the answers to the last one that is over: who gave one. */
  readonly present: ReadonlySet<string>;
}

const NOTHING: Asked = { answers: new Map(), refusal: undefined, present: new Set() };
const AGAIN_MS = 1_000;

/**
 * Asks it at once, and again each second while it can be seen, since the network learns; a new question does not wait for the
 * answers to the last.
 */
export function useAsking(question: Question | undefined, isShown: boolean): Asked {
  const [asked, setAsked] = useState(NOTHING);
  const newest = useRef(0);
  useEffect(() => {
    if (question === undefined || !isShown) return;
    const turn = ++newest.current;
    const isOld = () => newest.current !== turn;
    let isFirst = true;
    let timer: ReturnType<typeof setTimeout>;
    const again = async () => {
      if (!document.hidden) await askOnce(question, isFirst, isOld, setAsked);
      isFirst = false;
      if (!isOld()) timer = setTimeout(again, AGAIN_MS);
    };
    void again();
    return () => {
      newest.current++;
      clearTimeout(timer);
    };
  }, [question, isShown]);
  return asked;
}

type Change = (change: (before: Asked) => Asked) => void;

async function askOnce(question: Question, isNew: boolean, isOld: () => boolean, change: Change) {
  const present = new Set<string>();
  // What was said of another question is none of this one's.
  let [isBegun, refusal] = [false, undefined as string | undefined];
  const hear = (answer: Answer) => {
    if (isOld()) return;
    present.add(answer.worker);
    refusal = answer.refusal ?? refusal;
    const fresh = isNew && !isBegun;
    isBegun = true;
    change((before) => {
      const answers = new Map(fresh ? [] : before.answers);
      return { ...before, answers: answers.set(answer.worker, { ...answer, at: Date.now() }) };
    });
  };
  try {
    await ask(question, hear);
  } catch (error) {
    refusal = error instanceof Error ? error.message : String(error);
  }
  if (!isOld()) change((before) => ({ ...before, refusal, present }));
}

/** Whether the element is in view, and its page too. */
export function useShown(element: { readonly current: Element | null }): boolean {
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => setShown(entries.at(-1)!.isIntersecting));
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, []);
  return isShown;
}
