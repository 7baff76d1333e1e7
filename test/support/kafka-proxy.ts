import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** What happens to a request on its way: `cut` ends the connection before the broker has it, `mute` when the broker answers it. */
export type Fate = 'pass' | 'cut' | 'mute';

/** A way to a broker that sees the requests of Kafka's protocol, and ends connections at those that the test chooses. */
export class KafkaProxy {
  readonly #port: number;
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  #fateOf: (apiKey: number) => Fate = () => 'pass';

  /** @param target port of the broker on this machine, which tells its clients `port` as its own. */
  constructor(port: number, target: number) {
    this.#port = port;
    this.#target = target;
  }

  /** Asked for each request from now on, with the number of its API. */
  choose(fateOf: (apiKey: number) => Fate): void {
    this.#fateOf = fateOf;
  }

  async open(): Promise<() => Promise<void>> {
    const server = createServer((client) => this.#serve(client)).listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    return async () => {
      for (const socket of this.#sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    };
  }

  #serve(client: Socket): void {
    const broker = connect(this.#target, '127.0.0.1');
    const end = (): void => {
      client.destroy();
      broker.destroy();
    };
    for (const socket of [client, broker]) {
      this.#sockets.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    let isMuted = false;
    broker.on('data', (bytes) => {
      if (isMuted) end();
      else client.write(bytes);
    });
    let waiting: Buffer = Buffer.alloc(0);
    client.on('data', (bytes) => {
      waiting = Buffer.concat([waiting, Buffer.from(bytes)]);
      for (let length = lengthOf(waiting); length <= waiting.length; length = lengthOf(waiting)) {
        const request = waiting.subarray(0, length);
        waiting = waiting.subarray(length);
        const fate = this.#fateOf(request.readInt16BE(4));
        if (fate === 'cut') {
          end();
          return;
        }
        isMuted ||= fate === 'mute';
        broker.write(request);
      }
    });
  }
}

/** Bytes of the request that begins here, its length included; infinite while that is not known. */
function lengthOf(bytes: Buffer): number {
  return bytes.length < 6 ? Number.POSITIVE_INFINITY : 4 + bytes.readInt32BE(0);
}
