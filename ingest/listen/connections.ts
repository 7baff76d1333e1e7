import type { Server, Socket } from 'node:net';
import type { EdgeMetrics } from '../edge-metrics.ts';

/** The open TCP connections of one or more servers, whatever has come over them: also those that are still shaking hands. */
export class Connections {
  readonly #metrics: EdgeMetrics;
  readonly #open = new Set<Socket>();
  readonly #onEmpty: (() => void)[] = [];

  constructor(metrics: EdgeMetrics) {
    this.#metrics = metrics;
  }

  get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  /** Resolves as soon as none is open. */
  empty(): Promise<void> {
    if (this.isEmpty) return Promise.resolve();
    return new Promise((resolve) => this.#onEmpty.push(resolve));
  }

  watch(server: Server): void {
    server.on('connection', (socket: Socket) => {
      this.#open.add(socket);
      this.#metrics.openConnections(this.#open.size);
      socket.once('close', () => {
        this.#open.delete(socket);
        this.#metrics.openConnections(this.#open.size);
        if (this.isEmpty) for (const resolve of this.#onEmpty.splice(0)) resolve();
      });
    });
    server.on('drop', () => this.#metrics.connectionDropped());
  }

  destroyAll(): void {
    for (const socket of this.#open) socket.destroy();
  }
}
