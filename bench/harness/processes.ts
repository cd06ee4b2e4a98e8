import { readFileSync } from "node:fs";

/** Of one process so far, all its threads, in seconds; a hundredth is the grain. */
export function processorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name before it may hold anything but ends with the last bracket.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

const TICKS_A_SECOND = 100;

export function residentMegabytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) / 1024;
}

/** Of all processors together, so far: what anybody did on them, in seconds. */
export function busySeconds(): number {
  const [, line = ""] = /^cpu +(.*)$/m.exec(readFileSync("/proc/stat", "utf8")) ?? [];
  const [user, nice, system, , , interrupts, soft, stolen] = line.split(" ").map(Number);
  return (user! + nice! + system! + interrupts! + soft! + stolen!) / TICKS_A_SECOND;
}
