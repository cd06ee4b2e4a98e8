import type { ComponentChildren } from "preact";

interface Props {
  /** Read before the list: "of", "from". */
  readonly label: string;
  readonly options: readonly string[];
  readonly value: string;
  readonly onChoose: (value: string) => void;
  readonly testId?: string;
  /** Options before the others. */
  readonly children?: ComponentChildren;
}

/** One of a few. */
export function Choice({ label, options, value, onChoose, testId, children }: Props) {
  return (
    <label>
      {label}{" "}
      <select
        value={value}
        onChange={({ currentTarget }) => onChoose(currentTarget.value)}
        data-testid={testId}
      >
        {children}
        {options.map((each) => (
          <option key={each} value={each}>
            {each}
          </option>
        ))}
      </select>
    </label>
  );
}
