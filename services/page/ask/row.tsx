import { useEffect, useState } from "preact/hooks";
import type { DataFacts } from "../../../shared/config/data-facts.ts";
import type { Question } from "../../../shared/record/hub-api.ts";
import { Choice } from "../choice.tsx";

type Input = NonNullable<DataFacts["columns"]>[number] | { readonly name: string };

interface Props {
  readonly data: DataFacts;
  readonly inputs: readonly Input[];
  /** A held-out one, as the network takes it. */
  readonly example: readonly number[] | undefined;
  readonly onAsk: (question: Question) => void;
}

/** More fields than that nobody fills in. */
const MOST_FIELDS = 64;

/** One row of a table to fill in, column by column. */
export function Row({ data, inputs, example, onAsk }: Props) {
  const [cells, setCells] = useState<readonly string[]>([]);
  useEffect(() => {
    if (example) setCells(cellsOf(inputs, example));
  }, [example]);
  const change = (at: number, cell: string) => {
    const changed = inputs.map((_, index) => (index === at ? cell : (cells[index] ?? "")));
    setCells(changed);
    if (data.columns)
      onAsk({ row: Object.fromEntries(inputs.map(({ name }, index) => [name, changed[index]])) });
    else if (changed.every((each) => each.trim() !== "" && Number.isFinite(Number(each))))
      onAsk({ input: changed.map(Number) });
  };
  if (inputs.length > MOST_FIELDS) return <p class="hint">too many columns to fill in by hand</p>;
  return (
    <fieldset class="row">
      <legend class="unseen">One row</legend>
      {inputs.map((input, at) => (
        <Cell key={input.name} input={input} cell={cells[at] ?? ""} onChange={(cell) => change(at, cell)} />
      ))}
    </fieldset>
  );
}

interface CellProps {
  readonly input: Input;
  readonly cell: string;
  readonly onChange: (cell: string) => void;
}

function Cell({ input, cell, onChange }: CellProps) {
  if ("categories" in input)
    return (
      <Choice label={input.name} options={input.categories} value={cell} onChoose={onChange}>
        <option value="">missing</option>
      </Choice>
    );
  return (
    <label>
      {input.name}{" "}
      <input
        inputMode="decimal"
        value={cell}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
        data-testid="cell"
      />
    </label>
  );
}

/** What was made into inputs, as it was before. */
function cellsOf(inputs: readonly Input[], values: readonly number[]): string[] {
  let at = 0;
  return inputs.map((input) => {
    if ("categories" in input) {
      const own = values.slice(at, at + input.categories.length);
      at += own.length;
      return input.categories[own.indexOf(1)] ?? "";
    }
    const value = values[at]!;
    if (!("mean" in input)) {
      at++;
      return String(Number(value.toPrecision(6)));
    }
    const isMissing = input.marksMissing === true && values[at + 1] === 1;
    at += input.marksMissing ? 2 : 1;
    return isMissing ? "" : String(Number((input.mean + value * input.deviation).toPrecision(6)));
  });
}
