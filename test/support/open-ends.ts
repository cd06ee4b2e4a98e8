import { afterEach } from "vitest";
import { hello, welcome } from "./frames.ts";
import { DialEnd, ListenEnd } from "./link-ends.ts";
import { RawListener, RawPeer, StoppedListener } from "./raw-peer.ts";

/** Opens ends of links for the tests of a file; after each test all are closed, listeners under test last. */
export function openEnds() {
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup();
  });

  async function listenEnd(changes: Parameters<typeof ListenEnd.open>[0] = {}): Promise<ListenEnd> {
    const end = await ListenEnd.open(changes);
    cleanups.push(() => end.listener.close());
    return end;
  }

  function dialEnd(url: string, changes: ConstructorParameters<typeof DialEnd>[1] = {}): DialEnd {
    const end = new DialEnd(url, changes);
    cleanups.unshift(() => end.dialler.close());
    return end;
  }

  async function rawListener(port = 0): Promise<RawListener> {
    const listener = await RawListener.open(port);
    cleanups.unshift(() => listener.die());
    return listener;
  }

  async function stoppedListener(frames?: readonly unknown[]): Promise<StoppedListener> {
    const listener = await StoppedListener.open(frames);
    cleanups.unshift(() => listener.close());
    return listener;
  }

  async function rawPeer(port: number, options: Parameters<typeof RawPeer.dial>[1] = {}): Promise<RawPeer> {
    const peer = await RawPeer.dial(port, options);
    cleanups.unshift(() => peer.socket.terminate());
    return peer;
  }

  /** Past the greeting. */
  async function rawPredecessor(end: ListenEnd, options = {}, greeting = hello): Promise<RawPeer> {
    const peer = await rawPeer(end.port, options);
    peer.send(greeting);
    const answer = await peer.next();
    if (answer.kind !== welcome.kind) throw new Error(`Cannot greet: the answer is ${answer.kind}`);
    return peer;
  }

  return { cleanups, listenEnd, dialEnd, rawListener, stoppedListener, rawPeer, rawPredecessor };
}
