import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A way to a server that the test can cut: connections on a port of 127.0.0.1 that go on to another one. */
export class TcpProxy {
  readonly port: number;
  readonly #target: string;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  /** @param target host:port. */
  constructor(port: number, target: string) {
    this.port = port;
    this.#target = target;
  }

  async open(): Promise<void> {
    const [host = '', port = ''] = this.#target.split(':');
    this.#server = createServer((incoming) => {
      const outgoing = connect(Number(port), host);
      for (const [from, to] of [
        [incoming, outgoing],
        [outgoing, incoming],
      ] as const) {
        this.#sockets.add(from);
        from.pipe(to);
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
    }).listen(this.port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Ends every connection, and refuses new ones. */
  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }
}
