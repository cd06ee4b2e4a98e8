import { useRef, useState } from "preact/hooks";
import type { DataFacts } from "../../../shared/config/data-facts.ts";
import type { WorkerView } from "../../../shared/record/hub-api.ts";
import { useShown } from "../ask/asking.ts";
import { useSample } from "./sampling.ts";
import type { Written } from "./writer.ts";

interface Props {
  readonly data: DataFacts;
  readonly workers: readonly WorkerView[];
}

/** Where nothing is typed it goes on from a new line. */
const LINE = "\n";

/** What the living network writes, again and again while it learns. */
export function Sample({ data, workers }: Props) {
  const section = useRef<HTMLElement>(null);
  const isShown = useShown(section);
  const [prompt, setPrompt] = useState("");
  const { written, waits } = useSample(data, prompt === "" ? LINE : prompt, workers, isShown);
  return (
    <section class="panel sample" aria-labelledby="sample-title" ref={section} data-testid="sample">
      <div class="panel-head">
        <h2 id="sample-title">The network writes</h2>
        <p class="hint">{whenOf(written)}</p>
        <p class="answer" role="status" data-testid="sample-waits">
          {waits !== undefined && `waits: ${waits}`}
        </p>
      </div>
      <label class="sample-prompt">
        it goes on from
        <input
          type="text"
          value={prompt}
          maxLength={1000}
          placeholder="a new line"
          onInput={({ currentTarget }) => setPrompt(currentTarget.value)}
          data-testid="sample-prompt"
        />
      </label>
      <pre class="sample-text" data-testid="sample-text">
        {written.prompt !== LINE && <b>{written.prompt}</b>}
        {written.text}
      </pre>
    </section>
  );
}

function whenOf({ batches }: Written): string {
  if (batches === undefined) return "a character at a time, while it learns; nothing is learnt from it";
  const [first, last] = batches;
  return first === last ? `at batch ${first}` : `at batches ${first} to ${last}`;
}
