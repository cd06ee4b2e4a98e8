import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type ClientOptions, WebSocket, WebSocketServer } from "ws";
import { answerTo, requireAnswer, requireFields, rowsOf } from "./expect.ts";
import { defined, type Fields, type Frame, nonce, PROTOCOL, proofOf, type Tensor } from "./frame.ts";
import { catchUp, lowestLacking } from "./lacking.ts";
import { LastBatches } from "./last-batches.ts";
import { labels, readTensor, sameBytes, tensor } from "./numbers.ts";
import { ANSWER_MS, Broken, Peer } from "./peer.ts";
import type { Subject } from "./subject.ts";
import { Waiting } from "./waiting.ts";

const MOST_FRAME_BYTES = 64 * 1024 * 1024;
const SOCKET = { perMessageDeflate: false, maxPayload: MOST_FRAME_BYTES } as const;

/** Both neighbours of the worker under test. */
export class Bench {
  readonly subject: Subject;
  /** The link to it as its predecessor, and as its successor. */
  before!: Peer;
  after!: Peer;
  /** Highest batch the worker has applied. */
  cursor = -1;
  readonly url: string;
  /** What the worker took and answered, and what it forwarded of it. */
  readonly given = new LastBatches();
  readonly sentOn = new LastBatches();
  readonly #http: Server = createServer();
  readonly #sockets = new WebSocketServer({ ...SOCKET, noServer: true });
  /** Links that the worker has dialled and that were not challenged yet. */
  readonly #arrivals: Peer[] = [];
  readonly #waiting = new Waiting();
  readonly #open = new Set<Peer>();
  /** Of this bench as a neighbour: higher than any that the worker can have met. */
  #incarnation = Date.now();
  #salt = 0;

  constructor(url: string, subject: Subject) {
    this.url = url;
    this.subject = subject;
    this.#http.on("upgrade", (request, socket, head) => {
      this.#sockets.handleUpgrade(request, socket, head, (accepted) => {
        this.#arrivals.push(this.#known(new Peer(accepted)));
        this.#waiting.wake();
      });
    });
  }

  /** Where the worker is to dial its successor; 0 lets the system choose. Rejects where the port is taken. */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#http.once("error", reject);
      this.#http.listen({ host, port }, () => resolve((this.#http.address() as AddressInfo).port));
    });
  }

  async close(): Promise<void> {
    for (const peer of this.#open) peer.socket.terminate();
    this.#sockets.close();
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  // — as its predecessor —

  /** A connection that has said nothing yet. Rejects where it is not upgraded. */
  async dial(options: ClientOptions = {}): Promise<Peer> {
    const socket = new WebSocket(this.url, { ...SOCKET, handshakeTimeout: ANSWER_MS, ...options });
    const peer = this.#known(new Peer(socket));
    await new Promise<void>((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", (error) => reject(new Broken(`cannot connect: ${error.message}`)));
    });
    return peer;
  }

  /** The hello of a new life of ours, with a proof where the run has a secret; a proof in `change` stays as it is. */
  hello(challenge: Frame, change: Fields = {}): Frame {
    const { run, layer, configHash, inputs: width, dtypeIn: dtype, secret } = this.subject;
    const identity = { protocol: PROTOCOL, run, from: layer - 1, to: layer, configHash, width, dtype };
    const life = { incarnation: ++this.#incarnation, instance: randomBytes(8).toString("hex") };
    const hello: Frame = { kind: "hello", ...identity, ...life, ...change };
    if (secret === undefined || "proof" in change || "nonce" in change) return defined(hello);
    const own = nonce();
    return { ...hello, nonce: own, proof: proofOf(secret, hello, hello.to, challenge.nonce, own) };
  }

  /** Dials, and says hello; what follows is up to the caller. */
  async greet(change: Fields = {}): Promise<{ peer: Peer; hello: Frame; challenge: Frame }> {
    const peer = await this.dial();
    const challenge = await peer.next("challenge");
    const hello = this.hello(challenge, change);
    peer.send(hello);
    return { peer, hello, challenge };
  }

  /** A link on which the worker was welcome. */
  async linkBefore(change: Fields = {}): Promise<{ peer: Peer; welcome: Frame }> {
    const { peer } = await this.greet(change);
    return { peer, welcome: await peer.next("welcome") };
  }

  // — as its successor —

  /** The next connection that the worker dials, not challenged yet. */
  async arrival(withinMs = ANSWER_MS + 2 * this.subject.longestWaitMs): Promise<Peer> {
    let peer: Peer | undefined;
    const hasCome = () => {
      do peer = this.#arrivals.shift();
      while (peer && !peer.isOpen);
      return peer !== undefined;
    };
    if (await this.#waiting.until(hasCome, withinMs)) return peer!;
    throw new Broken(`expected the worker to dial its successor, it did not within ${withinMs} ms`);
  }

  /** Challenges it, and gives what it says. */
  async challenge(peer: Peer): Promise<{ hello: Frame; challenge: Frame }> {
    const challenge: Frame = { kind: "challenge", protocol: PROTOCOL, nonce: nonce() };
    peer.send(challenge);
    return { hello: await peer.next("hello"), challenge };
  }

  welcome(hello: Frame, challenge: Frame, change: Fields): Frame {
    const { run, layer, configHash, secret } = this.subject;
    const life = { incarnation: ++this.#incarnation, instance: randomBytes(8).toString("hex") };
    const identity = { protocol: PROTOCOL, run, from: layer + 1, configHash };
    const welcome: Frame = { kind: "welcome", ...identity, ...life, need: 0, ...change };
    if (secret === undefined || "proof" in change) return defined(welcome);
    return { ...welcome, proof: proofOf(secret, welcome, hello.from, challenge.nonce, hello.nonce) };
  }

  /**
   * Takes in the worker that comes next, and says what the successor needs, which is nothing before the next batch unless
   * told; `lacks`: from which batch on the worker has it lack something.
   */
  async linkAfter(need = this.cursor + 1): Promise<{ peer: Peer; hello: Frame; lacks: number }> {
    const peer = await this.arrival();
    const { hello, challenge } = await this.challenge(peer);
    peer.send(this.welcome(hello, challenge, { need }));
    await peer.hasRead();
    this.after = peer;
    return { peer, hello, lacks: await lowestLacking(this, need) };
  }

  // — from the same ground each time —

  /** New links on both sides, nothing in flight, both at one batch; `need`: the successor's, if it lacks earlier ones. */
  async settle({
    successor = "linked",
    need,
  }: {
    successor?: "linked" | "away";
    need?: number;
  } = {}): Promise<void> {
    const { isHead } = this.subject;
    await this.after?.close();
    await this.before?.close();
    // Else it might give up on one that waits for a challenge while that is under way.
    for (const waiting of this.#arrivals.splice(0)) await waiting.close();
    // It has noticed by the time it dials again.
    const arrived = isHead ? undefined : await this.arrival();
    const { peer, welcome } = await this.linkBefore();
    this.before = peer;
    this.cursor = Number(welcome.need) - 1;
    if (arrived === undefined) return;
    this.#arrivals.unshift(arrived);
    if (successor === "away") return;
    const { lacks } = await this.linkAfter(need);
    if (need === undefined) await catchUp(this, lacks);
  }

  // — frames —

  /** Batch `batch`, or a part of an evaluation there; the same numbers for the same `salt`. */
  activation(
    batch: number,
    { rows = this.subject.batchSize, salt = ++this.#salt, change = {} }: Shape = {},
  ): Frame {
    const { dtypeIn, inputs, hasInput, isFirst, dtypeOfInput, networkInputs, classes } = this.subject;
    return {
      kind: "activation",
      batch,
      activation: tensor(dtypeIn, rows, inputs, salt),
      labels: labels(rows, this.subject.labels, classes, salt),
      ...(hasInput && !isFirst && { input: tensor(dtypeOfInput, rows, networkInputs, salt) }),
      ...change,
    };
  }

  /** The answer that comes next, which must be to this item: its numbers, or undefined where it has none. */
  async answer(item: Frame, withinMs?: number): Promise<Tensor | undefined> {
    const frame = await this.before.next("gradient", withinMs);
    requireAnswer(frame, item);
    if (frame.gradient === undefined) return undefined;
    const { dtype, inputs } = this.subject;
    return readTensor(frame.gradient, dtype, rowsOf(item), inputs);
  }

  /** The same, with numbers, unless there is nobody to be taught. */
  async taught(item: Frame): Promise<Tensor | undefined> {
    const gradient = await this.answer(item);
    if (gradient === undefined && !this.subject.isFirst)
      throw new Broken(`expected the answer to batch ${item.batch} to have numbers`);
    if (gradient !== undefined && this.subject.isFirst)
      throw new Broken("expected an answer without numbers, as the source has nothing to teach");
    this.given.keep(item);
    return gradient;
  }

  /** What the worker answers to a batch that it has learnt already. */
  async taughtAgain(item: Frame): Promise<Tensor | undefined> {
    this.before.send(item);
    return this.taught(item);
  }

  async untaught(item: Frame): Promise<void> {
    if ((await this.answer(item)) !== undefined)
      throw new Broken(`expected the answer to batch ${item.batch} to have no numbers`);
  }

  /** An answer without numbers to a batch that is too early, and the rewind that comes with it, be it before or behind. */
  async tooEarly(item: Frame): Promise<void> {
    const isRewindFirst = (await this.before.peek()) === "rewind";
    if (isRewindFirst) await this.before.next("rewind");
    await this.untaught(item);
    if (!isRewindFirst) await this.before.next("rewind");
  }

  /** What the worker forwards next, which must be of this item. */
  async forwarded(item: Frame): Promise<Frame> {
    const frame = await this.after.next("activation");
    const { dtype, outputs, hasInput } = this.subject;
    const fields = ["kind", "batch", "activation", "labels"];
    if (item.evaluation) fields.push("evaluation");
    if (hasInput) fields.push("input");
    requireFields(frame, fields.sort().join(" "));
    if (frame.batch !== item.batch)
      throw new Broken(`expected batch ${item.batch} forward, got ${frame.batch}`);
    readTensor(frame.activation, dtype, rowsOf(item), outputs);
    if (!sameBytes(frame.labels as Fields, item.labels as Fields))
      throw new Broken("expected the labels unchanged");
    const input = (this.subject.isFirst ? item.activation : item.input) as Fields;
    if (hasInput && !sameBytes(frame.input as Fields, input))
      throw new Broken("expected the input unchanged");
    if (!item.evaluation) this.sentOn.keep(frame);
    return frame;
  }

  /** One of ours, without numbers unless some are given, to an item or to the batch of this number. */
  reply(item: Frame | number, gradient?: Tensor): void {
    const answered = answerTo(typeof item === "number" ? { kind: "activation", batch: item } : item);
    this.after.send({ ...answered, ...(gradient && { gradient }) });
  }

  /** Numbers of a successor's. */
  gradient(rows: number, salt = ++this.#salt): Tensor {
    const { dtype, outputs } = this.subject;
    return tensor(dtype, rows, outputs, salt);
  }

  /** Has the next batch applied, from `settle` on, and passed on; the successor does not answer it yet. */
  async apply(shape: Shape = {}): Promise<Frame> {
    const item = this.activation(this.cursor + 1, shape);
    this.before.send(item);
    await this.taught(item);
    this.cursor++;
    if (!this.subject.isHead) await this.forwarded(item);
    return item;
  }

  /** The same, and the successor answers. */
  async learn(shape: Shape = {}): Promise<Frame> {
    const item = await this.apply(shape);
    if (this.subject.isHead) return item;
    this.reply(this.cursor, shape.isTaught === false ? undefined : this.gradient(rowsOf(item)));
    await this.after.hasRead();
    return item;
  }

  #known(peer: Peer): Peer {
    this.#open.add(peer);
    peer.socket.once("close", () => this.#open.delete(peer));
    return peer;
  }
}

interface Shape {
  readonly rows?: number;
  readonly salt?: number;
  readonly change?: Fields;
  /** By the successor; false where what is learnt a moment later would disturb. */
  readonly isTaught?: boolean;
}
