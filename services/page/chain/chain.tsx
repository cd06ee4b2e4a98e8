import type { ComponentChildren } from "preact";
import type { WorkerView } from "../../../shared/record/hub-api.ts";
import type { EventLine } from "../../../shared/record/lines.ts";
import { bytes, figure, rate } from "../../../shared/record/numbers.ts";
import type { Outage } from "../../../shared/record/outages/outages.ts";
import type { Commanding } from "../commanding.tsx";
import { BreakIt } from "./break-it.tsx";
import { ToneIcon } from "./icons.tsx";
import { type LinkView, linksOf } from "./links.ts";
import { cardOf, type WorkerCard } from "./worker-cards.ts";

interface Props {
  readonly workers: readonly WorkerView[];
  readonly events: readonly EventLine[];
  readonly now: number;
  readonly selected: string | undefined;
  readonly onSelect: (worker: string) => void;
  readonly outages: readonly Outage[];
  /** Undefined where nobody may give any. */
  readonly commands: Commanding | undefined;
}

/** The network as it stands: rooms in a row, what passes between them, and how each is. */
export function Chain({ workers, events, now, selected, onSelect, outages, commands }: Props) {
  const links = linksOf(workers, now);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a long chain is scrolled by keys
    <section class="chain" aria-label="The chain of layers" tabIndex={0}>
      <ol>
        {workers.map((worker, index) => (
          <li key={worker.name}>
            {index > 0 && <Link link={links[index - 1]!} />}
            <RoomCard
              room={cardOf(worker, index > 0 && index === workers.length - 1, now, events)}
              place={index}
              isSelected={selected === worker.name}
              onSelect={onSelect}
            >
              {commands && (
                <BreakIt {...{ worker, outages, commands }} hasSuccessor={index < workers.length - 1} />
              )}
            </RoomCard>
          </li>
        ))}
      </ol>
    </section>
  );
}

interface CardProps {
  readonly room: WorkerCard;
  readonly place: number;
  readonly isSelected: boolean;
  readonly onSelect: (worker: string) => void;
  readonly children: ComponentChildren;
}

function RoomCard({ room, place, isSelected, onSelect, children }: CardProps) {
  return (
    <article
      class={`room room-${room.tone}${room.isOld ? " old" : ""}${isSelected ? " selected" : ""}`}
      data-testid="room"
      data-worker={room.worker}
      data-state={room.state}
      aria-label={`${room.title}: ${room.state}${room.note === undefined ? "" : `, ${room.note}`}`}
    >
      <h2>
        <span class={`swatch colour-${place}`} aria-hidden="true" />
        <button
          type="button"
          aria-pressed={isSelected}
          onClick={() => onSelect(room.worker)}
          title="Show its events and its log"
        >
          {room.title}
        </button>
      </h2>
      <p class="state" data-testid="state">
        <ToneIcon tone={room.tone} />
        <span>
          <strong>{room.state}</strong>
          {room.note !== undefined && <span class="note">{room.note}</span>}
        </span>
      </p>
      <p class="shape">
        {room.shape.map((line) => (
          <span key={line}>{line}</span>
        ))}
      </p>
      <p class="pulse">
        <span>
          <b data-testid="room-batch">{room.batch}</b> batch
        </span>
        <span>
          <b>{room.rate}</b> /s
        </span>
      </p>
      <dl class="figures">
        {room.figures.map(({ name, value, title }) => (
          <div key={name} title={title}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {room.age !== undefined && <p class="age">figures are {room.age} old</p>}
      {room.alarm !== undefined && (
        <p class="alarm" role="alert">
          {room.alarm}
        </p>
      )}
      {children}
    </article>
  );
}

function Link({ link }: { readonly link: LinkView }) {
  return (
    <div
      class={`link link-${link.tone}${link.isOld ? " old" : ""}`}
      data-testid="link"
      data-from={link.from}
      data-to={link.to}
      data-state={link.tone}
    >
      <p class="unseen">{`from ${link.from} to ${link.to}: ${toneWords[link.tone]}`}</p>
      <p class="flow forward" title="Activations a second, and bytes a second, forward">
        <span>{rate(link.activationsPerSecond)} /s</span>
        <span>{perSecond(link.forward)}</span>
      </p>
      <span class="wire wire-forward" aria-hidden="true" />
      <span class="wire wire-back" aria-hidden="true" />
      <p class="flow back" title="Gradients a second, and bytes a second, back">
        <span>{rate(link.gradientsPerSecond)} /s</span>
        <span>{perSecond(link.back)}</span>
      </p>
      <Window link={link} />
    </div>
  );
}

const toneWords = { flowing: "flowing", still: "nothing passes", broken: "not connected" } as const;

function perSecond(value: number | undefined): string {
  return value === undefined ? "–" : `${bytes(value)}/s`;
}

function Window({ link: { inFlight, window, staleness } }: { readonly link: LinkView }) {
  return (
    <p class="window">
      {inFlight !== undefined && window !== undefined && (
        <span title="Unanswered activations, of so many allowed">
          <meter min={0} max={window} value={Math.min(inFlight, window)} aria-label="window" />
          {inFlight}/{window}
        </span>
      )}
      {staleness !== undefined && (
        <span title="Mean age of the targets heard, in batches">{figure(staleness)} stale</span>
      )}
    </p>
  );
}
