import type { Bench } from "../bench.ts";
import { type Check, hasSuccessor } from "../check.ts";
import { requireFields } from "../expect.ts";
import { type Fields, nonce, PROTOCOL, proofOf } from "../frame.ts";
import { ANSWER_MS, Broken, type Peer } from "../peer.ts";
import type { Subject } from "../subject.ts";

const NAME = /^\P{C}{1,128}$/u;
const HEX = /^[0-9a-f]{64}$/;

/** After each refusal a welcome follows, so that none is the third in a row. */
const all: readonly Check[] = [
  {
    section: "hello",
    claim: "the worker says hello when it was challenged, not before, and says who it is, with a proof",
    run: async (bench) => {
      await bench.settle({ successor: "away" });
      const peer = await bench.arrival();
      await peer.staysSilent();
      const { hello, challenge } = await bench.challenge(peer);
      const { run, configHash, layer, outputs: width, dtype, secret } = bench.subject;
      const fields = "configHash dtype from incarnation instance kind protocol run to width";
      requireFields(hello, secret ? `${fields} nonce proof`.split(" ").sort().join(" ") : fields);
      const expected = { protocol: PROTOCOL, run, configHash, from: layer, to: layer + 1, width, dtype };
      for (const [name, value] of Object.entries(expected))
        if (hello[name] !== value) throw new Broken(`expected ${name} ${value}, got ${hello[name]}`);
      if (!Number.isSafeInteger(hello.incarnation) || Number(hello.incarnation) < 1)
        throw new Broken(`incarnation is ${hello.incarnation}, expected 1 or more`);
      if (!NAME.test(String(hello.instance))) throw new Broken(`instance is ${hello.instance}`);
      if (secret) {
        if (!HEX.test(String(hello.nonce))) throw new Broken(`nonce is ${hello.nonce}`);
        const proof = proofOf(secret, hello, hello.to, challenge.nonce, hello.nonce);
        if (hello.proof !== proof) throw new Broken("the hello's proof is wrong");
      }
      await peer.staysSilent();
    },
  },
  left("challenge", "a challenge of another protocol closes with 4406", 4406, (_, peer) =>
    peer.send({ kind: "challenge", protocol: 4, nonce: nonce() }),
  ),
  left("Greeting", "the first frame back is challenge: another closes with 4400", 4400, (_, peer) =>
    peer.send({ kind: "rewind", need: 0 }),
  ),
  left(
    "Greeting",
    "the second frame back is welcome: another closes with 4400",
    4400,
    async (bench, peer) => {
      await bench.challenge(peer);
      peer.send({ kind: "rewind", need: 0 });
    },
  ),
  {
    ...left(
      "Greeting",
      "no welcome within link.handshakeMs: 4408",
      4408,
      async (bench, peer) => void (await bench.challenge(peer)),
      ({ handshakeMs }) => handshakeMs + ANSWER_MS,
    ),
    limitMs: 40_000,
  },
  ...refusals([
    ["another protocol", () => ({ protocol: 4 }), 4406],
    ["another run", () => ({ run: "another-run" }), 4403],
    ["another layer", ({ layer }) => ({ from: layer + 2 }), 4412],
    ["another config", () => ({ configHash: "0".repeat(64) }), 4412],
    ["a need beyond the run", ({ batches }) => ({ need: batches + 1 }), 4412],
    ["incarnation 0", () => ({ incarnation: 0 }), 4400],
    ["an unknown field", () => ({ colour: "red" }), 4400],
  ]),
  {
    ...welcomed("The proof", "a wrong proof in a welcome closes with 4401", 4401, () => ({ proof: nonce() })),
    concerns: ({ secret }) => secret !== undefined,
  },
  {
    section: "welcome",
    claim: "an older life of the successor is left with 4409, and the newer one is dialled again",
    run: async (bench) => {
      await bench.settle();
      const incarnation = 1;
      await bench.after.close();
      const peer = await bench.arrival();
      const { hello, challenge } = await bench.challenge(peer);
      peer.send(bench.welcome(hello, challenge, { incarnation }));
      await peer.closesWith(4409);
      await bench.linkAfter();
    },
  },
  ...[1001, 4400, 4422, 4429].map(
    (code): Check => ({
      section: "Close codes",
      claim: `after ${code} the worker dials again, as the same life`,
      run: async (bench) => {
        await bench.settle({ successor: "away" });
        const first = await bench.linkAfter();
        await first.peer.close(code);
        const second = await bench.linkAfter();
        for (const name of ["incarnation", "instance"])
          if (first.hello[name] !== second.hello[name])
            throw new Broken(
              `expected the same ${name}, got ${second.hello[name]} after ${first.hello[name]}`,
            );
      },
    }),
  ),
];

/** The worker as it dials its successor, where it has one. */
export const dialling: readonly Check[] = all.map((check) => ({
  ...check,
  concerns: (subject) => hasSuccessor(subject) && check.concerns?.(subject) !== false,
}));

function refusals(changes: readonly (readonly [string, (subject: Subject) => Fields, number])[]): Check[] {
  return changes.map(([what, change, code]) =>
    welcomed("welcome", `a welcome with ${what} closes with ${code}`, code, change),
  );
}

/** So changed, a welcome is none. */
function welcomed(section: string, claim: string, code: number, change: (subject: Subject) => Fields): Check {
  return left(section, claim, code, async (bench, peer) => {
    const { hello, challenge } = await bench.challenge(peer);
    peer.send(bench.welcome(hello, challenge, change(bench.subject)));
  });
}

/** After such a greeting the worker closes, and dials again. */
function left(
  section: string,
  claim: string,
  code: number,
  greet: (bench: Bench, peer: Peer) => Promise<void> | void,
  within: (subject: Subject) => number = () => ANSWER_MS,
): Check {
  return {
    section,
    claim,
    run: async (bench) => {
      await bench.settle({ successor: "away" });
      const peer = await bench.arrival();
      await greet(bench, peer);
      await peer.closesWith(code, within(bench.subject));
      await bench.linkAfter();
    },
  };
}
