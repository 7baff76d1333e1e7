import { connect, type Socket } from 'node:net';
import { AnswerReader } from './answer-reader.ts';

/** A kept-alive connection with one request at a time. */
export class Connection {
  readonly #socket: Socket;
  readonly #answers = new AnswerReader();
  #onAnswer: ((status: number | undefined) => void) | undefined;
  isOpen = true;

  constructor(port: number, host: string) {
    this.#socket = connect(port, host);
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk: Buffer) => {
      const status = this.#answers.take(chunk);
      if (status !== undefined) this.#settle(status);
    });
    // `close` follows.
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      this.isOpen = false;
      this.#settle(undefined);
    });
  }

  /** Sends a request; `onAnswer` gets the status of its answer, `undefined` when the connection ends without one. */
  send(request: Buffer, onAnswer: (status: number | undefined) => void): void {
    this.#onAnswer = onAnswer;
    this.#socket.write(request);
  }

  close(): void {
    this.#socket.destroy();
  }

  #settle(status: number | undefined): void {
    const onAnswer = this.#onAnswer;
    this.#onAnswer = undefined;
    onAnswer?.(status);
  }
}
