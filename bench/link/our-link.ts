import { dial } from "../../shared/link/dial.ts";
import { listen } from "../../shared/link/listen.ts";
import { wasmKernels } from "../../shared/math/wasm-kernels.ts";
import { encode } from "../../shared/wire/codec.ts";
import type {
  ActivationFrame,
  Frame,
  HelloFrame,
  LinkDtype,
  Tensor,
  WelcomeFrame,
} from "../../shared/wire/frames.ts";
import { floatsToTensor, LARGEST_VALUE, TensorReader, TensorWriter } from "../../shared/wire/tensor.ts";
import { hello as anyHello, welcome as anyWelcome } from "../../test/support/frames.ts";
import type { Sender } from "./end.ts";
import type { Exchange } from "./ends.ts";

/** A batch of MNIST: 64 examples with a label each, answered by the gradient of 256 floats for each. */
const ROWS = 64;
const LABELS = 1;
const ANSWER_COLUMNS = 256;

const config = { heartbeatMs: 1000, handshakeMs: 5000, backoffMs: { first: 50, most: 2000 } };
const maxFrameBytes = 1 << 20;
const hello: HelloFrame = { ...anyHello, width: ANSWER_COLUMNS };
const welcome: WelcomeFrame = anyWelcome;

/** As a layer does: frames land in memory of its kernels, and every value that leaves is checked there. */
export async function listenLink(dtype: LinkDtype): Promise<number> {
  const kernels = wasmKernels();
  const reader = new TensorReader(kernels, kernels.allocate(maxFrameBytes / 4), ROWS);
  const labelReader = new TensorReader(kernels, kernels.allocate(ROWS * LABELS), ROWS);
  const gradient = kernels.allocate(ROWS * ANSWER_COLUMNS).fill(0.125);
  const writer = new TensorWriter(kernels, dtype, ROWS, ANSWER_COLUMNS);
  const listener = await listen({
    host: "127.0.0.1",
    port: 0,
    link: config,
    maxFrameBytes,
    traffic: { sent: 0, received: 0 },
    answer: () => welcome,
    onUp: () => undefined,
    onFrame: (frame, link) => {
      if (frame.kind !== "activation") return;
      reader.read(frame.activation);
      labelReader.read(frame.labels);
      link.send({
        kind: "gradient",
        batch: frame.batch,
        gradient: checked(kernels, gradient, writer),
      });
    },
    onDown: () => process.exit(),
  });
  return listener.port;
}

export function dialLink(port: number, dtype: LinkDtype): Promise<Sender> {
  const kernels = wasmKernels();
  const reader = new TensorReader(kernels, kernels.allocate(ROWS * ANSWER_COLUMNS), ROWS);
  const output = kernels.allocate(maxFrameBytes / 4).fill(0.125);
  const writers = new Map<number, TensorWriter>();
  let batch = 0;
  return new Promise((resolve) => {
    dial({
      url: `ws://127.0.0.1:${port}/`,
      link: config,
      maxFrameBytes,
      traffic: { sent: 0, received: 0 },
      random: Math.random,
      hello: () => hello,
      check: () => undefined,
      onUp: (link) => {
        sender.prepare = ({ columns }: Exchange) => {
          const writer = writers.get(columns) ?? new TensorWriter(kernels, dtype, ROWS, columns);
          writers.set(columns, writer);
          sender.send = () => link.send(activation(checked(kernels, output, writer), batch++));
        };
        resolve(sender);
      },
      onFrame: (frame) => {
        if (frame.kind !== "gradient" || !frame.gradient) return;
        reader.read(frame.gradient);
        sender.onAnswer();
      },
      onDown: () => process.exit(),
    });
    const sender: Sender = { prepare: () => undefined, send: () => undefined, onAnswer: () => undefined };
  });
}

/** Bytes of a whole frame there and of its answer, so that other carriers carry the same. */
export function frameLengths({ rows, columns }: Exchange): { readonly there: number; readonly back: number } {
  const zeros = (width: number) => floatsToTensor(new Float32Array(rows * width), rows, width);
  const answer: Frame = { kind: "gradient", batch: 1, gradient: zeros(ANSWER_COLUMNS) };
  return { there: encode(activation(zeros(columns), 1)).length, back: encode(answer).length };
}

const labels: Tensor = { dtype: "u8", shape: [ROWS, LABELS], data: new Uint8Array(ROWS * LABELS) };

function activation(tensor: Tensor, batch: number): ActivationFrame {
  return { kind: "activation", batch, activation: tensor, labels };
}

function checked(
  kernels: ReturnType<typeof wasmKernels>,
  values: Float32Array,
  writer: TensorWriter,
): Tensor {
  if (!kernels.isWithin(values, ROWS * writer.columns, LARGEST_VALUE)) throw new Error("not finite");
  return writer.write(values, ROWS);
}
