/**
 * Every frame that travels between two neighbours. PROTOCOL.md says the same in prose; change both in one commit.
 * "Forward" is from predecessor to successor. The predecessor dials.
 */
export type Frame =
  | ChallengeFrame
  | HelloFrame
  | WelcomeFrame
  | ActivationFrame
  | PreviewFrame
  | CorrectionFrame
  | QuestionFrame
  | GradientFrame
  | RewindFrame
  | BarrierFrame
  | SnapshotFrame
  | EndFrame
  | FinishedFrame
  | ReleaseFrame;

/** What a predecessor may send after its hello. */
export type ForwardFrame =
  | ActivationFrame
  | PreviewFrame
  | CorrectionFrame
  | QuestionFrame
  | BarrierFrame
  | EndFrame
  | ReleaseFrame;

/** Either is one batch, for a layer to learn from. */
export type BatchFrame = ActivationFrame | PreviewFrame;

/** What a batch is shown as: its input to the layer, or what the layer guesses that of. For layer 1 they are the same. */
export function shownIn(frame: BatchFrame): Tensor {
  return frame.kind === "preview" ? frame.input : frame.activation;
}

export function isEvaluation(frame: BatchFrame | CorrectionFrame): frame is EvaluationFrame {
  return frame.kind === "activation" && frame.evaluation !== undefined;
}

export function isTarget(frame: GradientFrame): frame is TargetFrame {
  return frame.gradient !== undefined;
}

/** The item that a gradient frame answers. */
export function answeredBy({ batch, part, snapshot }: GradientFrame) {
  if (part !== undefined) return { kind: "evaluation", batch, part } as const;
  return { kind: snapshot === undefined ? "batch" : "barrier", batch } as const;
}

export function rowsOf(frame: BatchFrame): number {
  return shownIn(frame).shape[0];
}

/** What a successor may send after its welcome. */
export type BackFrame = GradientFrame | RewindFrame | SnapshotFrame | FinishedFrame;

/** From the listener, first on every connection: a number used once, for the dialler to prove itself by. */
export interface ChallengeFrame {
  readonly kind: "challenge";
  readonly protocol: number;
  /** 32 random bytes, hex. */
  readonly nonce: string;
}

/** Forward, the answer to the challenge: who dials, and what will come. */
export interface HelloFrame {
  readonly kind: "hello";
  readonly protocol: number;
  readonly run: string;
  /** Layer number of the sender; the source is 0. */
  readonly from: number;
  readonly to: number;
  readonly incarnation: number;
  /** Random for each process, to tell two instances of one incarnation apart. */
  readonly instance: string;
  /** SHA-256 of the canonical config, hex. */
  readonly configHash: string;
  /** Floats per example in the activations to come. */
  readonly width: number;
  /** Of the activations to come, and of the gradients that answer them. */
  readonly dtype: Dtype;
  /** 32 random bytes, hex; with the proof, or not at all. */
  readonly nonce?: string;
  /** That the sender has the run's secret: an HMAC-SHA256, hex. */
  readonly proof?: string;
}

/** Back, the answer to hello: from which batch on the successor needs activations. */
export interface WelcomeFrame {
  readonly kind: "welcome";
  readonly protocol: number;
  readonly run: string;
  readonly from: number;
  readonly incarnation: number;
  readonly instance: string;
  readonly configHash: string;
  readonly need: number;
  /** As in hello, which must have had one. */
  readonly proof?: string;
}

/** Forward: a batch, or a part of an evaluation. Answered by exactly one gradient frame, in order, or by the link's death. */
export interface ActivationFrame {
  readonly kind: "activation";
  readonly batch: number;
  /**
   * Present on held-out data: part `part` of `parts`, sent between `batch` − 1 and `batch`; nothing learns from
   * it.
   */
  readonly evaluation?: { readonly part: number; readonly parts: number };
  /** rows × width. */
  readonly activation: Tensor;
  /** rows × positions: classes, u8 or u16; or rows × outputs of the head: bits, u8, or values of a regression, f32. */
  readonly labels: Tensor;
  /** The network's own input, where a later layer's generator looks at it. */
  readonly input?: Tensor;
}

/** One part of the held-out data. */
export interface EvaluationFrame extends ActivationFrame {
  readonly evaluation: { readonly part: number; readonly parts: number };
}

/**
 * Forward, where inputs are guessed (complete unlock): one batch, before the sender works on it itself. It is
 * answered as an activation is.
 */
export interface PreviewFrame {
  readonly kind: "preview";
  readonly batch: number;
  /** As in an activation. */
  readonly labels: Tensor;
  /** The network's own input, of which the receiver makes a guess of the activation. */
  readonly input: Tensor;
}

/** Forward, directly after a preview: what the sender's activation came to. Never answered. */
export interface CorrectionFrame {
  readonly kind: "correction";
  readonly batch: number;
  /** rows × width. */
  readonly activation: Tensor;
}

/**
 * Forward, to a successor that said it takes questions: one example without labels, from which nothing is learnt. No item,
 * and answered by no frame: what a layer makes of it, it tells the hub. It may be dropped.
 */
export interface QuestionFrame {
  readonly kind: "question";
  /** By which the hub knows the answers again. */
  readonly question: number;
  /** 1 × width. */
  readonly activation: Tensor;
}

/**
 * Back: dL/d(activation) per example, not divided by the batch size. Without `gradient` it only acknowledges:
 * an evaluation, a batch that cannot be taken before earlier ones, or whatever goes to the source.
 */
export interface GradientFrame {
  readonly kind: "gradient";
  readonly batch: number;
  /** Of the part of an evaluation, or of the barrier, that it answers: the batch has the same number. */
  readonly part?: number;
  readonly snapshot?: string;
  readonly gradient?: Tensor;
}

/** One with numbers. */
export interface TargetFrame extends GradientFrame {
  readonly gradient: Tensor;
}

/** Back: the sender needs every batch from `need` on once more. */
export interface RewindFrame {
  readonly kind: "rewind";
  readonly need: number;
}

/**
 * Forward, between `batch` − 1 and `batch`: save what you are now, and pass it on. Answered as an activation is,
 * by a gradient frame without numbers, at once; that it is durable says a snapshot frame, later or never.
 */
export interface BarrierFrame {
  readonly kind: "barrier";
  readonly batch: number;
  /** Its name: `batch` in nine digits or more, a hyphen, eight hex digits that no barrier had before. */
  readonly snapshot: string;
  /** Those before that must not be removed yet. */
  readonly kept: readonly string[];
}

/** Back: the sender and all after it have saved that snapshot durably. In order of layers, the sender first. */
export interface SnapshotFrame {
  readonly kind: "snapshot";
  readonly snapshot: string;
  readonly saved: readonly SavedLayer[];
  /** Where the network was evaluated at this very batch. */
  readonly test?: TestResult;
}

/** Forward: no batch follows; `batches` were in the run. */
export interface EndFrame {
  readonly kind: "end";
  readonly batches: number;
}

/**
 * Back: the sender and all after it hold their last batch durably. Reports are in order of layers, the sender's
 * first.
 */
export interface FinishedFrame {
  readonly kind: "finished";
  readonly reports: readonly LayerReport[];
  readonly test?: TestResult;
}

/** Forward: everybody has finished; the receiver passes it on and exits. */
interface ReleaseFrame {
  readonly kind: "release";
}

export interface SavedLayer {
  readonly layer: number;
  /** SHA-256 of the file, as stated in it, hex. */
  readonly digest: string;
}

export interface LayerReport {
  readonly layer: number;
  /** Ranges of batches applied in the durable lineage, first and last included. */
  readonly applied: readonly (readonly [number, number])[];
  readonly restarts: number;
  /** SHA-256 of the weights, hex. */
  readonly digest: string;
}

export interface TestResult {
  /** Mean over held-out examples. */
  readonly loss: number;
  /** Fraction of examples (class), or of bits, that are wrong; of the variance that is not explained (values). */
  readonly error: number;
  /** Fraction of examples with every bit right, where labels are bits. */
  readonly exact?: number;
  /** Of classes, if they are few: how many of each true class (row) were taken for each (column), row-major. */
  readonly confusion?: readonly number[];
  /** Of bits, three numbers each: rightly 1, wrongly 1, wrongly 0. */
  readonly bits?: readonly number[];
  /** Of values, one number each: √ of the mean squared error, in the label's own unit. */
  readonly rmse?: readonly number[];
  /** Of values, one number each: the share of the variance that is explained. */
  readonly r2?: readonly number[];
}

/** What activations and gradients travel as between layers; `wire.dtype` of the config. */
export type LinkDtype = "f32" | "f16" | "bf16" | "i8";

/** u8 is for inputs and labels, u16 for labels that are classes of more than 256. */
export type Dtype = LinkDtype | "u8" | "u16";

/** Row-major, little-endian. A u8 value stands for byte × scale, an i8 value for byte × the scale of its row. */
export interface Tensor {
  readonly dtype: Dtype;
  readonly shape: readonly [rows: number, columns: number];
  /** For u8 only; 1 if absent. */
  readonly scale?: number;
  /** For i8, always: one f32 for each row. */
  readonly scales?: Uint8Array;
  /** Exactly rows × columns × size bytes; decoded, it may alias the receive buffer at any offset: copy before keeping. */
  readonly data: Uint8Array;
}

/** Most layers of a network: at the end of a run one frame tells of them all. */
export const MOST_LAYERS = 1024;

export const PROTOCOL_VERSION = 6;

/** Why a link was closed; the reason beside it states both values. */
export const CloseCode = {
  done: 1000,
  goingAway: 1001,
  badFrame: 4400,
  unproven: 4401,
  wrongRun: 4403,
  wrongVersion: 4406,
  helloTimeout: 4408,
  fenced: 4409,
  mismatch: 4412,
  nonFinite: 4422,
  windowExceeded: 4429,
} as const;

export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];
