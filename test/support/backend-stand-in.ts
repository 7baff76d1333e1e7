import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Taken {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Answers a request that has arrived whole. */
export type Behaviour = (response: ServerResponse, taken: Taken) => void;

/** Answers with this status and text. */
export function answering(status: number, text: string): Behaviour {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(text);
  };
}

export const allowing = answering(200, '{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}');

/** Never answers. */
export const hanging: Behaviour = () => undefined;

/** A stand-in for the backend that an app has behind imwatch: a real HTTP server that remembers what it is sent. */
export class BackendStandIn {
  readonly taken: Taken[] = [];
  behaviour: Behaviour;
  readonly #server;
  #waiting: (() => void)[] = [];

  private constructor(behaviour: Behaviour) {
    this.behaviour = behaviour;
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const taken = { url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) };
        this.taken.push(taken);
        this.behaviour(response, taken);
        for (const resolve of this.#waiting.splice(0)) resolve();
      });
    });
  }

  static async start(behaviour: Behaviour = allowing): Promise<BackendStandIn> {
    const backend = new BackendStandIn(behaviour);
    await new Promise<void>((resolve) => backend.#server.listen(0, '127.0.0.1', resolve));
    return backend;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/im/callback`;
  }

  /** Resolves when this many requests have arrived whole. */
  async requests(count: number): Promise<readonly Taken[]> {
    while (this.taken.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.taken;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
