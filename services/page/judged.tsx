import { judgementTables } from "../../shared/record/curves/judged.ts";
import type { TestResult } from "../../shared/wire/frames.ts";
import { Scroll } from "./scroll.tsx";

/** Class by class, or value by value: what the last test on held-out data found. */
export function Judged({ test, labels }: { readonly test: TestResult; readonly labels: readonly string[] }) {
  const tables = judgementTables(test, labels);
  if (tables.length === 0) return null;
  return (
    <details class="judged" data-testid="judged">
      <summary>
        Last test, {test.rmse ? "value by value" : test.bits ? "label by label" : "class by class"}
      </summary>
      {tables.map(([head, ...rows]) => (
        <Scroll label={head![0]!} key={head![0]}>
          <table>
            <thead>
              <tr>
                {head!.map((name) => (
                  <th key={name}>{name}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(([name, ...cells]) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  {cells.map((cell, place) => (
                    <td class="number" key={head![place + 1]}>
                      {cell}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      ))}
    </details>
  );
}
