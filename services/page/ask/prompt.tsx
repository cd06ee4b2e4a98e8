import { useEffect, useState } from "preact/hooks";
import type { DataFacts } from "../../../shared/config/data-facts.ts";
import { decodeText } from "../../../shared/data/decode-text.ts";

interface Props {
  readonly data: DataFacts;
  /** A held-out window as the network takes it, until something is typed. */
  readonly example: readonly number[] | undefined;
  readonly onAsk: (text: string) => void;
}

/** A text, of which the network says what comes next. */
export function Prompt({ data, example, onAsk }: Props) {
  const [text, setText] = useState("");
  useEffect(() => {
    if (example) setText(decodeText(data, example));
  }, [example]);
  const change = (typed: string) => {
    setText(typed);
    onAsk(typed);
  };
  return (
    <label class="prompt">
      a text; what comes next?
      <textarea
        rows={6}
        value={text}
        onInput={({ currentTarget }) => change(currentTarget.value)}
        data-testid="prompt"
      />
    </label>
  );
}
