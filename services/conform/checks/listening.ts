import { request } from "node:http";
import type { Bench } from "../bench.ts";
import type { Check } from "../check.ts";
import { requireFields } from "../expect.ts";
import { type Frame, nonce, PROTOCOL, proofOf } from "../frame.ts";
import { ANSWER_MS, Broken } from "../peer.ts";
import type { Subject } from "../subject.ts";

const section = "Greeting";
const NAME = /^\P{C}{1,128}$/u;
const HEX = /^[0-9a-f]{64}$/;
const hasSecret = ({ secret }: Subject): boolean => secret !== undefined;

/** The worker as it is dialled. */
export const listening: readonly Check[] = [
  {
    section: "Topology",
    claim: "GET /healthz answers 200 and ends the connection",
    run: async (bench) => {
      const { status, connection } = await get(bench, "/healthz");
      if (status !== 200) throw new Broken(`expected status 200, got ${status}`);
      if (connection !== "close") throw new Broken(`expected Connection: close, got ${connection}`);
    },
  },
  {
    section: "Topology",
    claim: "a request with an Origin is refused with 403",
    run: async (bench) => expectRefused(bench, "/", { origin: "http://x" }, 403),
  },
  {
    section: "Topology",
    claim: "only the path / is upgraded",
    run: async (bench) => expectRefused(bench, "/other", {}, undefined),
  },
  {
    section: "Topology",
    claim: "an offer of permessage-deflate is not taken up",
    run: async (bench) => {
      const peer = await bench.dial({ perMessageDeflate: true });
      if (peer.socket.extensions !== "") throw new Broken(`it took up ${peer.socket.extensions}`);
    },
  },
  {
    section: "Topology",
    claim: "a mask of zeros is read like any other",
    run: async (bench) => {
      const peer = await bench.dial({ generateMask: () => {} });
      peer.send(bench.hello(await peer.next("challenge")));
      await peer.next("welcome");
    },
  },
  {
    section: "Topology",
    claim: "more than 16 KB before the welcome end the connection",
    run: async (bench) => {
      const peer = await bench.dial();
      peer.send(bench.hello(await peer.next("challenge"), { run: "r".repeat(20_000) }));
      await peer.closes();
    },
  },
  {
    section: "challenge",
    claim: "it comes first and at once, with a new nonce for every connection",
    run: async (bench) => {
      const nonces = new Set<unknown>();
      for (let time = 0; time < 3; time++) {
        const challenge = await (await bench.dial()).next("challenge");
        requireFields(challenge, "kind nonce protocol");
        if (challenge.protocol !== PROTOCOL)
          throw new Broken(`expected protocol ${PROTOCOL}, got ${challenge.protocol}`);
        if (!HEX.test(String(challenge.nonce))) throw new Broken(`the nonce is ${challenge.nonce}`);
        nonces.add(challenge.nonce);
      }
      if (nonces.size !== 3) throw new Broken("a nonce came twice");
    },
  },
  {
    section: "welcome",
    claim: "it says who the worker is and what it needs, and is proved",
    run: async (bench) => {
      const { peer, hello, challenge } = await bench.greet();
      expectWelcome(bench.subject, await peer.next("welcome"), hello, challenge);
    },
  },
  {
    section,
    claim: "nothing but a close comes where no hello came within link.handshakeMs: 4408",
    run: async (bench) => {
      const peer = await bench.dial();
      await peer.next("challenge");
      await peer.closesWith(4408, bench.subject.handshakeMs + ANSWER_MS);
    },
    limitMs: 40_000,
  },
  ...Object.entries({
    activation: (bench: Bench) => bench.activation(0),
    release: () => ({ kind: "release" }),
    challenge: () => ({ kind: "challenge", protocol: PROTOCOL, nonce: nonce() }),
  }).map(
    ([kind, frame]): Check => ({
      section,
      claim: `the first frame forward is hello: ${kind} closes with 4400`,
      run: async (bench) => {
        const peer = await bench.dial();
        await peer.next("challenge");
        peer.send(frame(bench));
        await peer.closesWith(4400);
      },
    }),
  ),
  {
    section,
    claim: "a second hello closes with 4400",
    run: async (bench) => {
      const { peer, hello, challenge } = await bench.greet();
      await peer.next("welcome");
      peer.send(bench.hello(challenge, { incarnation: hello.incarnation, instance: hello.instance }));
      await peer.closesWith(4400);
    },
  },
  {
    section: "The proof",
    claim: "a hello without a proof closes with 4401",
    concerns: hasSecret,
    run: async (bench) => (await bench.greet({ proof: undefined })).peer.closesWith(4401),
  },
  {
    section: "The proof",
    claim: "a wrong proof closes with 4401, before any other field is looked at",
    concerns: hasSecret,
    run: async (bench) => {
      const wrong = { nonce: nonce(), proof: nonce(), protocol: 4, run: "another-run" };
      await (await bench.greet(wrong)).peer.closesWith(4401);
    },
  },
  {
    section: "The proof",
    claim: "a hello recorded on another connection closes with 4401",
    concerns: hasSecret,
    run: async (bench) => {
      const { peer, hello } = await bench.greet();
      await peer.next("welcome");
      const other = await bench.dial();
      await other.next("challenge");
      other.send(hello);
      await other.closesWith(4401);
    },
  },
  {
    section: "The proof",
    claim: "a proof closes with 4401 where the worker has no secret",
    concerns: (subject) => !hasSecret(subject),
    run: async (bench) => (await bench.greet({ nonce: nonce(), proof: nonce() })).peer.closesWith(4401),
  },
  {
    section: "Topology",
    claim: "a newcomer that is welcome takes the predecessor's place, whose link closes with 4409",
    run: async (bench) => {
      const { peer: old } = await bench.linkBefore();
      const { peer } = await bench.linkBefore();
      await old.closesWith(4409);
      await peer.hasRead();
      await peer.staysSilent();
    },
  },
  {
    section: "Topology",
    claim: "one that is refused does not",
    run: async (bench) => {
      const { peer: old } = await bench.linkBefore();
      await (await bench.greet({ run: "another-run" })).peer.closesWith(4403);
      await old.hasRead();
      await old.staysSilent();
    },
  },
];

/** Throws unless the welcome is whole. */
function expectWelcome(
  { secret, run, configHash, layer, batches }: Subject,
  welcome: Frame,
  hello: Frame,
  challenge: Frame,
): void {
  const fields = "configHash from incarnation instance kind need protocol run";
  requireFields(welcome, secret ? `${fields} proof`.split(" ").sort().join(" ") : fields);
  const expected = { protocol: PROTOCOL, run, configHash, from: layer };
  for (const [name, value] of Object.entries(expected))
    if (welcome[name] !== value) throw new Broken(`expected ${name} ${value}, got ${welcome[name]}`);
  const { incarnation, instance, need } = welcome as {
    incarnation?: number;
    instance?: string;
    need?: number;
  };
  if (!Number.isSafeInteger(incarnation) || incarnation! < 1)
    throw new Broken(`incarnation is ${incarnation}`);
  if (!NAME.test(String(instance))) throw new Broken(`instance is ${instance}`);
  if (!Number.isSafeInteger(need) || need! < 0 || need! > batches) throw new Broken(`need is ${need}`);
  if (!secret) return;
  const proof = proofOf(secret, welcome, hello.from, challenge.nonce, hello.nonce);
  if (welcome.proof !== proof) throw new Broken("the welcome's proof is wrong");
}

function get(bench: Bench, path: string, headers = {}): Promise<{ status: number; connection: string }> {
  return new Promise((resolve, reject) => {
    const url = bench.url.replace(/^ws/, "http").replace(/\/*$/, path);
    const asking = request(url, { headers, timeout: ANSWER_MS, agent: false }, (response) => {
      response.resume();
      resolve({ status: response.statusCode!, connection: String(response.headers.connection) });
    });
    asking.on("error", (error) => reject(new Broken(`no answer: ${error.message}`)));
    asking.on("upgrade", (_response, socket) => {
      socket.destroy();
      resolve({ status: 101, connection: "upgrade" });
    });
    asking.on("timeout", () => asking.destroy(new Error(`none within ${ANSWER_MS} ms`)));
    asking.end();
  });
}

async function expectRefused(bench: Bench, path: string, headers: object, status: number | undefined) {
  const upgrade = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" };
  const key = { "sec-websocket-key": Buffer.alloc(16, 1).toString("base64") };
  const { status: found } = await get(bench, path, { ...upgrade, ...key, ...headers });
  if (status === undefined ? found < 400 : found !== status)
    throw new Broken(`expected ${status ?? "a refusal"}, got ${found}`);
}
