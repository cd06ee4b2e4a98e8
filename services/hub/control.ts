import type { IncomingMessage } from "node:http";
import * as z from "zod";
import type { ControlAnswer, ControlRequest, ControlView } from "../../shared/record/hub-api.ts";
import { isWorkerName, type WorkerName, workerNames } from "../../shared/record/worker-name.ts";
import { COMMANDS, type Command } from "../../shared/telemetry/messages.ts";
import type { TelemetryClient } from "../../shared/telemetry/telemetry-server.ts";
import { bodyOf, HttpError } from "./answer.ts";
import { isToken } from "./guard.ts";
import type { Watch } from "./watch.ts";

const MOST_BODY_BYTES = 4096;
const shape = z.object({ worker: z.string().max(64), command: z.enum(COMMANDS) });

/** `run` is on this machine, started by `train`; else its workers are containers. */
export function twins(isLocal: boolean): ControlView["twins"] {
  const told = (command: Command) =>
    isLocal
      ? `npm run unlocked -- control {worker} ${command}`
      : command === "start"
        ? "docker compose start {worker}"
        : `docker compose exec hub node services/start/run.cjs services/cli/main.ts control {worker} ${command} /record`;
  const entries = COMMANDS.map((command) => [command, told(command)] as const);
  return Object.fromEntries(entries) as Record<Command, string>;
}

/** Gives a command. Rejects with an HttpError: 403 without the token, 404 for an unknown worker, 409 where it cannot obey. */
export async function control(
  request: IncomingMessage,
  token: string | undefined,
  watch: Watch | undefined,
): Promise<ControlAnswer> {
  if (token === undefined || watch === undefined) {
    throw new HttpError(403, "this hub gives no commands: it was started without --control");
  }
  if (!isToken(request.headers.authorization, token))
    throw new HttpError(403, "the token is missing or wrong");
  const { worker, command } = readRequest(await bodyOf(request, MOST_BODY_BYTES));
  const names = workerNames(watch.record.config);
  if (worker === "run") for (const each of ofRun(watch, names, command)) watch.command(each, command);
  else if (!isWorkerName(worker) || !names.includes(worker))
    throw new HttpError(404, `there is no ${worker} in this run`);
  else tell(watch, worker, command);
  return { sent: true };
}

/** The process that started a worker stops and starts it: otherwise it would take a stop for a failure. */
function tell(watch: Watch, worker: WorkerName, command: Command): void {
  const [visitor, train] = [watch.visitor(worker), watch.visitor("train")];
  const isAway = visitor === undefined;
  if (
    train?.introduction.control &&
    (command === "stop" || command === "start" || (isAway && command === "restart"))
  )
    return watch.command(train, command, worker);
  if (command === "start")
    throw new HttpError(409, `Cannot start ${worker}: its container is started elsewhere`);
  if (isAway) throw new HttpError(409, `${worker} is not connected`);
  if (!visitor.introduction.control) throw new HttpError(409, `${worker} was started without --control`);
  watch.command(visitor, command);
}

/** The process that started the workers ends the run; without one, each worker is told. */
function ofRun(watch: Watch, names: readonly WorkerName[], command: Command): TelemetryClient[] {
  if (command !== "stop") throw new HttpError(409, `a run can be told to stop, not to ${command}`);
  const train = watch.visitor("train");
  const all = train ? [train] : names.flatMap((name) => watch.visitor(name) ?? []);
  const able = all.filter(({ introduction }) => introduction.control);
  if (able.length === 0) throw new HttpError(409, "no worker that obeys commands is connected");
  return able;
}

function readRequest(text: string): ControlRequest {
  try {
    return shape.parse(JSON.parse(text));
  } catch {
    throw new HttpError(400, `expected {"worker": …, "command": one of ${COMMANDS.join(", ")}}`);
  }
}
