// usage: node --import tsx test/sim/seeds-process.ts FROM COUNT: prints what violationsOf found, as JSON.
import { violationsOf } from "./seeds.ts";

const [from, count] = process.argv.slice(2).map(Number);
process.stdout.write(JSON.stringify(await violationsOf(from!, count!)));
