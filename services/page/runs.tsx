import { differences } from "../../shared/record/config-difference.ts";
import { headline } from "../../shared/record/curves/judged.ts";
import type { RunRow, RunView } from "../../shared/record/hub-api.ts";
import { count, day } from "../../shared/record/numbers.ts";
import { fileAddress } from "./hub.ts";
import { Scroll } from "./scroll.tsx";

interface Props {
  readonly runs: readonly RunRow[];
  readonly shown: RunView;
  readonly overlay: RunView | undefined;
  readonly onOpen: (run: string) => void;
  readonly onOverlay: (run: string | undefined) => void;
}

const FILES = ["config.yaml", "metrics.csv", "metrics.ndjson", "events.ndjson", "summary.json"] as const;

export function Runs({ runs, shown, overlay, onOpen, onOverlay }: Props) {
  return (
    <section class="panel runs" aria-labelledby="runs-title">
      <div class="panel-head">
        <h2 id="runs-title">Runs</h2>
        <p class="files">
          files of this run:{" "}
          {FILES.map((name) => (
            <a key={name} href={fileAddress(shown.row.id, name)} download>
              {name}
            </a>
          ))}
        </p>
      </div>
      <Scroll label="List of runs">
        <table>
          <thead>
            <tr>
              <th>run</th>
              <th>began</th>
              <th>state</th>
              <th class="number">batches</th>
              <th class="number">test</th>
              <th>beside</th>
            </tr>
          </thead>
          <tbody>
            {runs.map((row) => (
              <Row
                key={row.id}
                row={row}
                isShown={row.id === shown.row.id}
                isOverlay={row.id === overlay?.row.id}
                onOpen={onOpen}
                onOverlay={onOverlay}
              />
            ))}
          </tbody>
        </table>
      </Scroll>
      {overlay && <Difference one={shown} other={overlay} />}
    </section>
  );
}

interface RowProps extends Pick<Props, "onOpen" | "onOverlay"> {
  readonly row: RunRow;
  readonly isShown: boolean;
  readonly isOverlay: boolean;
}

function Row({ row, isShown, isOverlay, onOpen, onOverlay }: RowProps) {
  return (
    <tr class={isShown ? "shown" : ""} data-testid="run" data-run={row.id}>
      <td>
        <button
          type="button"
          class="plain"
          aria-current={isShown ? "true" : undefined}
          onClick={() => onOpen(row.id)}
        >
          {row.id}
        </button>
      </td>
      <td>{day(row.startedAt)}</td>
      <td>{row.state}</td>
      <td class="number">
        {count(row.batch + 1)} <span class="of">of {count(row.batches)}</span>
      </td>
      <td class="number">{headline(row.test).value}</td>
      <td>
        {isShown ? (
          <span class="of">shown</span>
        ) : (
          <label class="check">
            <input
              type="checkbox"
              checked={isOverlay}
              aria-label={`Draw ${row.id} beside the shown run`}
              onChange={() => onOverlay(isOverlay ? undefined : row.id)}
            />
            dashed
          </label>
        )}
      </td>
    </tr>
  );
}

function Difference({ one, other }: { readonly one: RunView; readonly other: RunView }) {
  const rows = differences([one.config, other.config]);
  return (
    <div class="difference" data-testid="difference">
      <h3>What differs in their configs</h3>
      {rows.length === 0 ? (
        <p>Nothing: the same config.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th>value</th>
              <th>{one.row.id}</th>
              <th>{other.row.id} (dashed)</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.path}>
                <th scope="row">{row.path}</th>
                {row.values.map((value, index) => (
                  <td key={index}>{value}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}
