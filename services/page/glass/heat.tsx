import { useLayoutEffect, useRef } from "preact/hooks";
import { count, figure } from "../../../shared/record/numbers.ts";
import type { Picture } from "../../../shared/record/seen.ts";

interface Props {
  readonly name: string;
  readonly picture: Picture;
  /** Nothing is below zero. */
  readonly isSize: boolean;
  /** The value of the strongest colour. */
  readonly most: number;
}

/** A matrix as colours: below zero one, above another, zero is that of the paper. */
export function Heat({ name, picture, isSize, most }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { of, rows, columns, values } = picture;
  useLayoutEffect(() => paint(canvas.current!, picture, most), [picture, most]);
  const what = isSize
    ? "rows are inputs, columns outputs"
    : rows < of[0]
      ? `first ${rows} examples`
      : "an example a row";
  return (
    <figure class="heat" data-testid="heat" data-picture={name}>
      <figcaption>
        {name}{" "}
        <span class="small">
          {count(of[0])} × {count(of[1])}, {what}
        </span>
      </figcaption>
      <canvas
        ref={canvas}
        width={columns}
        height={rows}
        role="img"
        aria-label={`${name}, ${of[0]} by ${of[1]}: from ${figure(Math.min(...values))} to ${figure(Math.max(...values))}`}
      />
    </figure>
  );
}

export function mostOf({ values }: Picture): number {
  return Math.max(...values.map(Math.abs), Number.MIN_VALUE);
}

function paint(canvas: HTMLCanvasElement, { rows, columns, values }: Picture, most: number): void {
  const image = new ImageData(columns, rows);
  for (const [at, value] of values.entries()) {
    const strength = Math.min(1, Math.abs(value) / most);
    image.data.set([...(value < 0 ? BELOW : ABOVE), Math.round(255 * Math.sqrt(strength))], 4 * at);
  }
  canvas.getContext("2d")!.putImageData(image, 0, 0);
}

/** Orange and blue are told apart by everybody. */
const ABOVE = [210, 98, 20];
const BELOW = [40, 110, 200];
