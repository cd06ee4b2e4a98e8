import type { ServerResponse } from "node:http";
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

export function answerJson(response: ServerResponse, value: unknown, status = 200): void {
  answerText(response, JSON.stringify(value), "application/json; charset=utf-8", status);
}

export function answerText(response: ServerResponse, text: string, type: string, status = 200): void {
  const headers = { "content-type": type, "content-length": Buffer.byteLength(text) };
  response.writeHead(status, { "cache-control": "no-store", ...headers }).end(text);
}

export function guardAnswer(response: ServerResponse): void {
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
}
