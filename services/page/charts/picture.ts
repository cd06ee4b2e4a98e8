import type uPlot from "uplot";
import { type Chart, titleOf } from "../../../shared/record/curves/curves.ts";

/** A chart as a picture to keep: its title, what is plotted, lines where workers were away, and whose line is whose. */
export function pictureOf(
  chart: Chart,
  plot: uPlot,
  colour: (name: string) => string,
  strokes: readonly string[],
) {
  const scale = devicePixelRatio;
  const [width, height] = [plot.ctx.canvas.width, plot.ctx.canvas.height];
  const canvas = document.createElement("canvas");
  canvas.width = width + 32 * scale;
  canvas.height = height + 84 * scale;
  const context = canvas.getContext("2d")!;
  context.fillStyle = colour("--card");
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.scale(scale, scale);
  context.fillStyle = colour("--ink");
  context.font = "600 15px system-ui, sans-serif";
  context.fillText(chart.title, 16, 26);
  context.font = "12px system-ui, sans-serif";
  context.fillStyle = colour("--muted");
  context.fillText(chart.unit, 24 + measure(context, chart.title, "600 15px system-ui, sans-serif"), 26);
  context.drawImage(plot.ctx.canvas, 16, 40, width / scale, height / scale);
  drawMarks(context, plot, colour("--bad"));
  let left = 16;
  for (const [index, curve] of chart.curves.entries()) {
    context.fillStyle = strokes[index] ?? colour("--ink");
    for (const part of curve.isOverlay ? [0, 8] : [0, 4, 8]) {
      context.fillRect(left + part, canvas.height / scale - 24, 6, 3);
    }
    context.fillStyle = colour("--ink");
    context.fillText(titleOf(curve), left + 20, canvas.height / scale - 18);
    left += 36 + context.measureText(titleOf(curve)).width;
  }
  return canvas;
}

function measure(context: CanvasRenderingContext2D, text: string, font: string): number {
  context.save();
  context.font = font;
  const { width } = context.measureText(text);
  context.restore();
  return width;
}

function drawMarks(context: CanvasRenderingContext2D, plot: uPlot, colour: string): void {
  const { offsetLeft, offsetTop, clientHeight } = plot.over;
  context.save();
  context.fillStyle = colour;
  for (const mark of plot.over.querySelectorAll<HTMLElement>(".mark-span")) {
    context.globalAlpha = 0.12;
    context.fillRect(16 + offsetLeft + mark.offsetLeft, 40 + offsetTop, mark.offsetWidth, clientHeight);
    context.globalAlpha = 1;
    context.fillRect(16 + offsetLeft + mark.offsetLeft, 40 + offsetTop, 1, clientHeight);
    if (mark.textContent) {
      context.font = "10px system-ui, sans-serif";
      context.fillText(mark.textContent, 20 + offsetLeft + mark.offsetLeft, 36 + offsetTop);
    }
  }
  context.restore();
}

export function download(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser has begun by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
