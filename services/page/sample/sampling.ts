import { useEffect, useRef, useState } from "preact/hooks";
import type { DataFacts } from "../../../shared/config/data-facts.ts";
import type { Answer, WorkerView } from "../../../shared/record/hub-api.ts";
import { ask } from "../hub.ts";
import { Writer, type Written, whyNothing } from "./writer.ts";

/** Between an answer and the next question: at most ten a second, one at a time. */
const PAUSE_MS = 100;
/** Where nothing can be written, or nothing is to be. */
const WAIT_MS = 1_000;

interface Sampled {
  readonly written: Written;
  /** Why nothing comes at the moment; undefined while it does. */
  readonly waits: string | undefined;
}

/** The network writes on from the prompt, and begins anew now and then; it stops while it cannot be seen. */
export function useSample(
  data: DataFacts,
  prompt: string,
  workers: readonly WorkerView[],
  isShown: boolean,
): Sampled {
  const writer = useRef<{ readonly prompt: string; readonly writer: Writer }>(undefined);
  if (writer.current?.prompt !== prompt)
    writer.current = { prompt, writer: new Writer(data, prompt, Date.now()) };
  const [sampled, setSampled] = useState<Sampled>({
    written: writer.current.writer.written,
    waits: undefined,
  });
  const newest = useRef(workers);
  newest.current = workers;
  const underWay = useRef<Promise<unknown>>(Promise.resolve());
  useEffect(() => {
    if (!isShown) return;
    let isOver = false;
    let timer: ReturnType<typeof setTimeout>;
    const again = async () => {
      if (isOver) return;
      const own = writer.current!.writer;
      if (own.isDue(Date.now(), newest.current.at(-1)?.batch ?? -1))
        writer.current = { prompt, writer: new Writer(data, prompt, Date.now()) };
      else if (!document.hidden && !own.isWhole) {
        const writing = writeOne(own, newest.current, () => isOver);
        underWay.current = writing;
        const waits = await writing;
        if (isOver) return;
        setSampled({ written: own.written, waits });
        timer = setTimeout(again, waits === undefined ? PAUSE_MS : WAIT_MS);
        return;
      }
      timer = setTimeout(again, WAIT_MS);
    };
    // Another prompt waits for the answer to the last one, or each letter that is typed would have a question under way.
    void underWay.current.then(() => {
      timer = setTimeout(again, PAUSE_MS);
    });
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [prompt, isShown]);
  return sampled;
}

/** Undefined where it wrote, else why it did not. What comes after the end is not taken. */
async function writeOne(
  writer: Writer,
  workers: readonly WorkerView[],
  isOver: () => boolean,
): Promise<string | undefined> {
  const answers: Answer[] = [];
  const names = workers.map(({ name }) => name);
  try {
    await ask(writer.question, (answer) => answers.push(answer));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const head = answers.find(({ worker }) => worker === names.at(-1));
  if (head?.beliefs === undefined) return whyNothing(answers, names);
  if (!isOver()) writer.take(head.beliefs, head.batch);
  return undefined;
}
