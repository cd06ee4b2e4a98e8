import type { DataFacts } from "../../../shared/config/data-facts.ts";
import { beliefOf } from "./beliefs.ts";

interface Props {
  readonly beliefs: readonly number[];
  readonly data: DataFacts;
  /** Whose they are. */
  readonly of: string;
}

/** What a room believes, as a word, how sure it is, and a bar for each. */
export function Beliefs({ beliefs, data, of }: Props) {
  const { says, sure, bars } = beliefOf(beliefs, data);
  return (
    <>
      <p class="says">
        <b data-testid="says">{says}</b>
        {sure !== undefined && <span class="sure">{sure} sure</span>}
      </p>
      <ol class="bars" aria-label={`What ${of} believes`}>
        {bars.map(({ name, share, text, isBest }) => (
          <li key={name} class={isBest ? "best" : ""} data-testid="bar">
            <span class="bar-name">{name}</span>
            <span class="bar" aria-hidden="true">
              <span style={{ width: `${100 * share}%` }} />
            </span>
            <span class="bar-text">{text}</span>
          </li>
        ))}
      </ol>
    </>
  );
}
