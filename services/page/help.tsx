import { useEffect, useRef } from "preact/hooks";
import type { Tone } from "../../shared/record/condition.ts";
import { ToneIcon } from "./chain/icons.tsx";

const SHORTCUTS: readonly (readonly [key: string, what: string])[] = [
  ["?", "this help"],
  ["1 … 9", "choose layer 1 … 9: its events and its log"],
  ["0", "choose the source"],
  ["Esc", "choose nobody"],
  ["x", "curves along batches or time"],
  ["l", "logarithmic axis for losses"],
  ["r", "show all of the curves again"],
  ["/", "look for words in the log"],
  ["t", "light, dark, or as the system"],
];

const TONES: readonly (readonly [Tone, string])[] = [
  ["lit", "at work: training or evaluating"],
  ["idle", "starting, waiting for a neighbour, or stopping"],
  ["held", "holding: its targets are too old to learn on; or paused"],
  ["silent", "unreachable: nothing heard, nobody knows more"],
  ["dark", "dead: its process is known to be gone"],
  ["done", "left in order: finished or stopped"],
  ["absent", "never heard of yet"],
];

export function Help({ isOpen, onClose }: { readonly isOpen: boolean; readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="help-title">
      <h2 id="help-title">What there is to see</h2>
      <dl class="tones">
        {TONES.map(([tone, words]) => (
          <div key={tone}>
            <dt>
              <ToneIcon tone={tone} />
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
      <p>
        Grey figures are old, and say how old. A line on a curve is where a worker went, shade is where it was
        away; a gap is a stretch nobody told of.
      </p>
      <h2>Keys</h2>
      <dl class="keys">
        {SHORTCUTS.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <button type="button" class="plain" onClick={onClose}>
        Close
      </button>
    </dialog>
  );
}
