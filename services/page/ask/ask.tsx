import { useRef, useState } from "preact/hooks";
import type { DataFacts } from "../../../shared/config/data-facts.ts";
import type { Answer, Question, WorkerView } from "../../../shared/record/hub-api.ts";
import { duration } from "../../../shared/record/numbers.ts";
import { spokenName } from "../../../shared/record/worker-name.ts";
import { type Asked, useAsking, useShown } from "./asking.ts";
import { truthOf } from "./beliefs.ts";
import { Beliefs } from "./beliefs.tsx";
import { Drawing } from "./drawing.tsx";
import { Prompt } from "./prompt.tsx";
import { Row } from "./row.tsx";

interface Props {
  readonly data: DataFacts;
  readonly workers: readonly WorkerView[];
  /** By the hub's clock. */
  readonly now: number;
}

/** Of examples: far more than any held-out part has. */
const MOST_EXAMPLES = 1_000_000;

/** A question to the living network, and what each room believes. */
export function Ask({ data, workers, now }: Props) {
  const section = useRef<HTMLElement>(null);
  const isShown = useShown(section);
  const [question, setQuestion] = useState<Question | undefined>({ example: 1 });
  const asked = useAsking(question, isShown);
  const source = asked.answers.get("source");
  const another = () => setQuestion({ example: Math.floor(Math.random() * MOST_EXAMPLES) });
  const truth = question?.example === undefined ? undefined : truthOf(source?.labels, data);
  return (
    <section class="panel ask" aria-labelledby="ask-title" ref={section} data-testid="ask">
      <div class="panel-head">
        <h2 id="ask-title">Ask the network</h2>
        <p class="hint">asked again each second, while it learns; nothing is learnt from it</p>
        <p class="answer" role="status" data-testid="ask-refusal">
          {asked.refusal}
        </p>
      </div>
      <div class="ask-body">
        <div class="ask-input">
          <Input data={data} source={source} question={question} onAsk={setQuestion} />
          <button type="button" class="plain" onClick={another} data-testid="another-example">
            another example
          </button>
          {truth !== undefined && (
            <p class="truth">
              held out; it is <b data-testid="truth">{truth}</b>
            </p>
          )}
        </div>
        <ol class="rooms">
          {workers.flatMap((worker) =>
            worker.layer === undefined ? (
              []
            ) : (
              <li key={worker.name}>
                <Room
                  worker={worker}
                  data={data}
                  asked={asked}
                  now={now}
                  isHead={worker === workers.at(-1)}
                />
              </li>
            ),
          )}
        </ol>
      </div>
    </section>
  );
}

interface InputProps {
  readonly data: DataFacts;
  readonly source: Answer | undefined;
  readonly question: Question | undefined;
  readonly onAsk: (question: Question | undefined) => void;
}

/** In whatever way the data can be given by hand; else held-out examples alone. */
function Input({ data, source, question, onAsk }: InputProps) {
  const { image, columns, sequence, window } = data;
  const example = question?.example === undefined ? undefined : source?.input;
  if (image)
    return (
      <Drawing
        {...{ width: image.width, height: image.height, shown: example, canDraw: image.channels === 1 }}
        onBegin={() => onAsk(undefined)}
        onDrawn={(input) => onAsk({ input })}
      />
    );
  if (sequence || window !== undefined)
    return <Prompt {...{ data, example }} onAsk={(text) => onAsk({ text })} />;
  const inputs =
    columns ?? Array.from({ length: data.inputWidth }, (_, index) => ({ name: `input ${index + 1}` }));
  return <Row {...{ data, inputs, example, onAsk }} />;
}

interface RoomProps {
  readonly worker: WorkerView;
  readonly data: DataFacts;
  readonly asked: Asked;
  readonly now: number;
  readonly isHead: boolean;
}

function Room({ worker, data, asked, now, isHead }: RoomProps) {
  const { name, contact } = worker;
  const answer = asked.answers.get(name);
  const isPresent = asked.present.has(name);
  const title = spokenName(name, isHead);
  const state = isPresent ? (answer?.beliefs ? "answers" : "silent") : "away";
  return (
    <article class={`belief belief-${state}`} data-testid="belief" data-worker={name} data-state={state}>
      <h3>{title}</h3>
      {state === "away" && <p class="away">{absence(contact, worker.since, answer?.at, now)}</p>}
      {answer?.beliefs && <Beliefs beliefs={answer.beliefs} data={data} of={title} />}
      {state === "silent" && <p class="hint">has no classifier of its own, and passes the question on</p>}
    </article>
  );
}

/** Since when it cannot. */
function absence(
  contact: WorkerView["contact"],
  since: number,
  answeredAt: number | undefined,
  now: number,
): string {
  if (contact !== "connected" && contact !== "absent")
    return `cannot answer: ${contact} for ${duration(Math.max(0, now - since) / 1000)}`;
  if (answeredAt === undefined) return "has not answered yet";
  return `nothing reaches it: last answered ${duration((Date.now() - answeredAt) / 1000)} ago`;
}
