const headEnd = Buffer.from('\r\n\r\n');

/** Reads the answers that come over one connection, one at a time: no pipelining, a `Content-Length` in each. */
export class AnswerReader {
  #received: Buffer | undefined;

  /**
   * The status of the answer that `chunk` completes; `undefined` while it is not whole.
   *
   * @throws {Error} for an answer without `Content-Length`.
   */
  take(chunk: Buffer): number | undefined {
    const bytes = this.#received === undefined ? chunk : Buffer.concat([this.#received, chunk]);
    this.#received = bytes;
    const end = bytes.indexOf(headEnd);
    if (end < 0) return undefined;
    const head = bytes.toString('latin1', 0, end);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined) throw new Error(`An answer without Content-Length: ${head}`);
    if (bytes.length < end + headEnd.length + Number(length)) return undefined;
    this.#received = undefined;
    return Number(head.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length));
  }
}
