import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { HEADERS } from "./guard.ts";

/** A request that is not answered as asked. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Of a request. Rejects with an HttpError, 413, where it is longer. */
export async function bodyOf(request: IncomingMessage, mostBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw new HttpError(413, `more than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

export function answerJson(response: ServerResponse, value: unknown, status = 200): void {
  answerText(response, JSON.stringify(value), "application/json; charset=utf-8", status);
}

export function answerText(response: ServerResponse, text: string, type: string, status = 200): void {
  const headers = { "content-type": type, "content-length": Buffer.byteLength(text) };
  response.writeHead(status, { "cache-control": "no-store", ...headers }).end(text);
}

/**
 * A file as it is now; what is appended meanwhile is left out. Rejects with an HttpError where there is none that can be
 * read. A reader who leaves early takes the open file along.
 */
export async function answerFile(
  response: ServerResponse,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const { file, size } = await openFile(path);
  response.writeHead(200, { ...headers, "content-length": size });
  if (size === 0 || response.req.method === "HEAD") {
    await file.close();
    return void response.end();
  }
  await pipeline(file.createReadStream({ end: size - 1 }), response).catch(() => response.destroy());
}

async function openFile(path: string): Promise<{ readonly file: FileHandle; readonly size: number }> {
  // A pipe would be waited for until somebody writes to it.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: Error) => {
    const { code } = error as NodeJS.ErrnoException;
    throw new HttpError(404, code === "ENOENT" ? "there is no such file yet" : `it cannot be read (${code})`);
  });
  const stats = await file.stat();
  if (stats.isFile()) return { file, size: stats.size };
  await file.close();
  throw new HttpError(404, "it is no file");
}

export function guardAnswer(response: ServerResponse): void {
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
}
