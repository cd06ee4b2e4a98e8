import { type Check, hasSuccessor } from "../check.ts";
import { requireFields } from "../expect.ts";
import { type Fields, nonce, proofOf } from "../frame.ts";
import { ANSWER_MS, Broken } from "../peer.ts";
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
      const expected = { protocol: 5, run, configHash, from: layer, to: layer + 1, width, dtype };
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
  {
    section: "challenge",
    claim: "a challenge of another protocol closes with 4406",
    run: async (bench) => {
      await bench.settle({ successor: "away" });
      const peer = await bench.arrival();
      peer.send({ kind: "challenge", protocol: 4, nonce: nonce() });
      await peer.closesWith(4406);
      await bench.comeBack(bench.cursor + 1);
    },
  },
  {
    section: "Greeting",
    claim: "the first frame back is challenge: another closes with 4400",
    run: async (bench) => {
      await bench.settle({ successor: "away" });
      const peer = await bench.arrival();
      peer.send({ kind: "rewind", need: 0 });
      await peer.closesWith(4400);
      await bench.comeBack(bench.cursor + 1);
    },
  },
  {
    section: "Greeting",
    claim: "the second frame back is welcome: another closes with 4400",
    run: async (bench) => {
      await bench.settle({ successor: "away" });
      const peer = await bench.arrival();
      await bench.challenge(peer);
      peer.send({ kind: "rewind", need: 0 });
      await peer.closesWith(4400);
      await bench.comeBack(bench.cursor + 1);
    },
  },
  {
    section: "Greeting",
    claim: "no welcome within link.handshakeMs: 4408",
    run: async (bench) => {
      await bench.settle({ successor: "away" });
      const peer = await bench.arrival();
      await bench.challenge(peer);
      await peer.closesWith(4408, bench.subject.handshakeMs + ANSWER_MS);
      await bench.comeBack(bench.cursor + 1);
    },
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
    section: "The proof",
    claim: "a wrong proof in a welcome closes with 4401",
    concerns: ({ secret }) => secret !== undefined,
    run: async (bench) => {
      await bench.settle({ successor: "away" });
      const peer = await bench.arrival();
      const { hello, challenge } = await bench.challenge(peer);
      peer.send(bench.welcome(hello, challenge, { change: { proof: nonce() } }));
      await peer.closesWith(4401);
      await bench.comeBack(bench.cursor + 1);
    },
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
      peer.send(bench.welcome(hello, challenge, { change: { incarnation } }));
      await peer.closesWith(4409);
      await bench.comeBack(bench.cursor + 1);
    },
  },
  ...[1001, 4400, 4422, 4429].map(
    (code): Check => ({
      section: "Close codes",
      claim: `after ${code} the worker dials again, as the same life`,
      run: async (bench) => {
        await bench.settle({ successor: "away" });
        const first = await bench.linkAfter({ need: bench.cursor + 1 });
        await first.peer.close(code);
        const second = await bench.linkAfter({ need: bench.cursor + 1 });
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
  return changes.map(([what, change, code]) => ({
    section: "welcome",
    claim: `a welcome with ${what} closes with ${code}`,
    run: async (bench) => {
      await bench.settle({ successor: "away" });
      const peer = await bench.arrival();
      const { hello, challenge } = await bench.challenge(peer);
      peer.send(bench.welcome(hello, challenge, { change: change(bench.subject) }));
      await peer.closesWith(code);
      await bench.comeBack(bench.cursor + 1);
    },
  }));
}
