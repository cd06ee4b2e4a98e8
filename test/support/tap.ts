import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** Between two ends, as somebody on their way would be: passes all on, and keeps what the dialler sends. */
export class Tap {
  /** Of the first connection, in the pieces that came. */
  readonly heard: Buffer[] = [];
  readonly #server: Server;
  readonly #sockets: Socket[] = [];

  private constructor(server: Server, port: number) {
    this.#server = server;
    server.on("connection", (near) => {
      const far = connect(port, "127.0.0.1");
      if (this.#sockets.length === 0) near.on("data", (bytes) => this.heard.push(bytes));
      for (const socket of [near, far]) socket.on("error", () => {});
      this.#sockets.push(near, far);
      near.pipe(far).pipe(near);
    });
  }

  /** To 127.0.0.1:port. */
  static async open(port: number): Promise<Tap> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Tap(server, port);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
