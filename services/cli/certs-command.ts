import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import type { Edges } from "../train/edges.ts";
import { Refusal } from "../train/refusal.ts";

interface Options {
  readonly for: string;
  readonly out: string;
  readonly network?: string;
  readonly days: string;
}

/** `certs`: what encrypts the links of a network that leaves its machine. */
export function addCerts(program: Command, edges: Pick<Edges, "out" | "date">): void {
  program
    .command("certs")
    .description(
      "make an authority and a certificate for each worker, to encrypt their links (see docs/deploy.md)",
    )
    .requiredOption("--for <workers>", "parted by commas: source,layer1,layer2")
    .requiredOption("--out <folder>", "where ca.crt, and <worker>.crt and <worker>.key go")
    .option("--network <name>", "of a network on Kubernetes, where workers have longer names")
    .option("--days <n>", "how long they are good for", "365")
    .action(async (options: Options) => {
      edges.out.write(await make(options, edges.date()));
    });
}

/** What was made, for people. */
async function make({ for: list, out, network, days: text }: Options, now: Date): Promise<string> {
  const workers = list.split(",").map((name) => name.trim());
  const wrong = workers.find((name) => !/^(source|layer[1-9]\d{0,3})$/.test(name));
  if (wrong !== undefined)
    throw new Refusal(`Cannot make certificates: --for has "${wrong}", expected source, layer1, layer2, …`);
  const days = Number(text);
  if (!(Number.isInteger(days) && days >= 1 && days <= 3650))
    throw new Refusal(`Cannot make certificates: --days is ${text}, expected a whole number from 1 to 3650`);
  const { makeCertificates } = await import("../../deploy/certificates.ts");
  const { authority, pairs } = await makeCertificates({ workers, network, now, days });
  try {
    mkdirSync(out, { recursive: true, mode: 0o700 });
    writeFileSync(join(out, "ca.crt"), authority);
    for (const [worker, { certificate, key }] of pairs) {
      writeFileSync(join(out, `${worker}.crt`), certificate);
      writeFileSync(join(out, `${worker}.key`), key, { mode: 0o600 });
    }
  } catch (error) {
    throw new Refusal(`Cannot make certificates: ${(error as Error).message}`, { cause: error });
  }
  return `${pairs.size} certificates in ${out}, good for ${days} days\n`;
}
