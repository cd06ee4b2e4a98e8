import { useEffect, useRef, useState } from "preact/hooks";
import { centred } from "./centre.ts";
import { rgbaOf } from "./pixels.ts";

interface Props {
  readonly width: number;
  readonly height: number;
  /** What is shown until something is drawn: pixels of an example. */
  readonly shown: readonly number[] | undefined;
  /** Not on what has colours. */
  readonly canDraw: boolean;
  /** What was shown is no longer. */
  readonly onBegin: () => void;
  /** Whenever something more was drawn. */
  readonly onDrawn: (pixels: readonly number[]) => void;
}

const SIDE = 224;
const BRUSH = SIDE / 14;
/** Of a step with the arrow keys. */
const STEP = SIDE / 28;

/** A sheet to draw on, with a pointer or by keys; it shows an example until then. */
export function Drawing(props: Props) {
  const { canDraw } = props;
  const { canvas, cursor, clear, ...heard } = usePen(props);
  return (
    <>
      <div class="sheet">
        <canvas
          ref={canvas}
          width={SIDE}
          height={SIDE}
          tabIndex={0}
          role="img"
          aria-label="A sheet to draw on. Arrow keys move the pen, the space bar puts it down and lifts it."
          data-testid="sheet"
          {...heard}
        />
        {cursor && (
          <span
            class="pen"
            aria-hidden="true"
            style={{ left: `${(100 * cursor.x) / SIDE}%`, top: `${(100 * cursor.y) / SIDE}%` }}
          />
        )}
      </div>
      {canDraw && (
        <p class="hint">
          draw on it, or use the arrow keys and the space bar{" "}
          <button type="button" class="quiet" onClick={clear} data-testid="clear-sheet">
            clear
          </button>
        </p>
      )}
    </>
  );
}

/** The sheet, and what draws on it. */
function usePen({ width, height, shown, canDraw, onBegin, onDrawn }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const pen = useRef<{ x: number; y: number; isDown: boolean; isFresh: boolean }>({
    ...{ x: SIDE / 2, y: SIDE / 2, isDown: false, isFresh: true },
  });
  const [cursor, setCursor] = useState<{ readonly x: number; readonly y: number }>();
  useEffect(() => {
    if (shown === undefined) return;
    pen.current.isFresh = true;
    paint(canvas.current!, shown, width, height);
  }, [shown]);
  const context = () => canvas.current!.getContext("2d", { willReadFrequently: true })!;
  const clear = () => {
    wipe(context());
    pen.current.isFresh = false;
    onBegin();
  };
  const line = (x: number, y: number) => {
    if (pen.current.isFresh) clear();
    stroke(context(), pen.current, { x, y });
    pen.current = { ...pen.current, x, y };
  };
  const tell = () => onDrawn(centred(greyOf(context()), width, height));
  const onDown = (event: PointerEvent) => {
    if (!canDraw) return;
    canvas.current!.setPointerCapture(event.pointerId);
    const [x, y] = placeOn(canvas.current!, event);
    pen.current = { ...pen.current, x, y, isDown: true };
    line(x, y);
  };
  const onMove = (event: PointerEvent) => {
    if (pen.current.isDown) line(...placeOn(canvas.current!, event));
  };
  const onUp = () => {
    if (pen.current.isDown) tell();
    pen.current.isDown = false;
  };
  const onKey = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (!canDraw || (event.key !== " " && step === undefined)) return;
    event.preventDefault();
    const { x, y, isDown } = pen.current;
    if (step === undefined) {
      pen.current.isDown = !isDown;
      if (isDown) return tell();
      line(x, y);
      return setCursor({ x, y });
    }
    const [toX, toY] = [bounded(x + step[0] * STEP), bounded(y + step[1] * STEP)];
    if (isDown) line(toX, toY);
    else pen.current = { ...pen.current, x: toX, y: toY };
    setCursor({ x: toX, y: toY });
  };
  return {
    ...{ canvas, cursor, clear, onKeyDown: onKey, onBlur: () => setCursor(undefined) },
    ...{ onPointerDown: onDown, onPointerMove: onMove, onPointerUp: onUp, onPointerCancel: onUp },
  };
}

/** Where on the sheet, in its own units. */
function placeOn(canvas: HTMLCanvasElement, { clientX, clientY }: PointerEvent): readonly [number, number] {
  const { left, top, width, height } = canvas.getBoundingClientRect();
  return [((clientX - left) * SIDE) / width, ((clientY - top) * SIDE) / height];
}

const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

function bounded(value: number): number {
  return Math.min(SIDE, Math.max(0, value));
}

function wipe(context: CanvasRenderingContext2D): void {
  context.fillStyle = "#000";
  context.fillRect(0, 0, SIDE, SIDE);
}

interface Point {
  readonly x: number;
  readonly y: number;
}

function stroke(context: CanvasRenderingContext2D, from: Point, to: Point): void {
  context.strokeStyle = "#fff";
  context.lineWidth = BRUSH;
  context.lineCap = "round";
  context.lineJoin = "round";
  context.beginPath();
  context.moveTo(from.x, from.y);
  context.lineTo(to.x, to.y);
  context.stroke();
}

function paint(canvas: HTMLCanvasElement, pixels: readonly number[], width: number, height: number): void {
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  const image = new ImageData(width, height);
  image.data.set(rgbaOf(pixels, width, height));
  const small = new OffscreenCanvas(width, height);
  small.getContext("2d")!.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, SIDE, SIDE);
}

function greyOf(context: CanvasRenderingContext2D) {
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  const pixels = Uint8Array.from({ length: SIDE * SIDE }, (_, at) => data[4 * at]!);
  return { width: SIDE, height: SIDE, pixels };
}
