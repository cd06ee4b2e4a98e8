import type { EventLine } from "../../shared/record/lines.ts";
import { clock, count } from "../../shared/record/numbers.ts";
import { subjectOf } from "../../shared/record/outages/outages.ts";
import { placeOf } from "./charts/plot.ts";
import { Choice } from "./choice.tsx";
import { Scroll } from "./scroll.tsx";

/** Rows that are shown, the newest; all of them are in events.ndjson. */
const MOST_ROWS = 300;

interface Props {
  readonly events: readonly EventLine[];
  readonly workers: readonly string[];
  readonly filter: string | undefined;
  readonly onFilter: (worker: string | undefined) => void;
}

export function History({ events, workers, filter, onFilter }: Props) {
  const shown = events.filter(
    (each) => filter === undefined || subjectOf(each) === filter || each.worker === filter,
  );
  return (
    <section class="panel history" aria-labelledby="history-title">
      <div class="panel-head">
        <h2 id="history-title">Events</h2>
        <Choice
          label="of"
          options={workers}
          value={filter ?? ""}
          onChoose={(worker) => onFilter(worker === "" ? undefined : worker)}
        >
          <option value="">everybody</option>
        </Choice>
      </div>
      <Scroll label="Event history, the newest first">
        <table>
          <thead class="unseen">
            <tr>
              <th>time</th>
              <th>worker</th>
              <th>event</th>
              <th>batch</th>
            </tr>
          </thead>
          <tbody>
            {shown
              .slice(-MOST_ROWS)
              .reverse()
              .map((event) => (
                <Row key={`${event.at}${event.worker}${event.name}${event.text}`} event={event} />
              ))}
          </tbody>
        </table>
        {shown.length === 0 && <p class="empty">no event yet</p>}
      </Scroll>
    </section>
  );
}

function Row({ event }: { readonly event: EventLine }) {
  const { at, name, text, batch } = event;
  const worker = subjectOf(event) ?? event.worker;
  return (
    <tr data-testid="event" data-worker={worker} data-event={name}>
      <td class="time">{clock(at)}</td>
      <td class="who">
        <span class={`key colour-${placeOf(worker)}`} aria-hidden="true" /> {worker}
      </td>
      <td>
        <strong class={`event event-${name}`}>{name}</strong> {withoutName(text, name)}
      </td>
      <td class="number">{batch === undefined ? "" : count(batch)}</td>
    </tr>
  );
}

/** "lost predecessor: …" after a bold "lost" is said once. */
function withoutName(text: string, name: string): string {
  return text.startsWith(name) ? text.slice(name.length).trim() : text;
}
