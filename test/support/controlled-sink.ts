import type { OutgoingRecord, RecordSink } from '../../lib/kafka/ports.ts';

interface Sent {
  readonly records: readonly OutgoingRecord[];
  readonly succeed: () => void;
  readonly fail: (error: Error) => void;
}

/** A sink whose every `send` waits until the test decides how it ends. */
export class ControlledSink implements RecordSink {
  readonly sent: Sent[] = [];
  #arrival = Promise.withResolvers<void>();

  send(records: readonly OutgoingRecord[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.sent.push({ records, succeed: resolve, fail: reject });
    this.#arrival.resolve();
    this.#arrival = Promise.withResolvers();
    return promise;
  }

  /** The batch with this index, waiting for it if need be. */
  async batch(index: number): Promise<Sent> {
    while (this.sent.length <= index) await this.#arrival.promise;
    return this.sent[index] as Sent;
  }

  /** Keys of the records of each batch so far. */
  get keys(): readonly (readonly string[])[] {
    return this.sent.map(({ records }) => records.map(({ key }) => key.toString()));
  }
}
