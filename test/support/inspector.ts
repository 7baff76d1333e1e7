/** Asks a process that was started with `--inspect=…` about itself, through V8's own debugger protocol. */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, (result: unknown) => void>();
  #count = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const { id, result } = JSON.parse(String(data)) as { id: number; result: unknown };
      this.#answers.get(id)?.(result);
      this.#answers.delete(id);
    });
  }

  /** @param url what the process prints as "Debugger listening on". */
  static async connect(url: string): Promise<Inspector> {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', () => reject(new Error(`No debugger at ${url}`)));
    });
    return new Inspector(socket);
  }

  /** Bytes of the heap that are in use once everything unused has been collected. */
  async heapUsedBytes(): Promise<number> {
    // What finalizers hold goes with the next collection.
    for (let count = 0; count < 3; count += 1) await this.#ask('HeapProfiler.collectGarbage');
    const { result } = (await this.#ask('Runtime.evaluate', { expression: 'process.memoryUsage().heapUsed' })) as {
      result: { value: number };
    };
    return result.value;
  }

  close(): void {
    this.#socket.close();
  }

  #ask(method: string, params: object = {}): Promise<unknown> {
    this.#count += 1;
    const id = this.#count;
    const answer = new Promise<unknown>((resolve) => this.#answers.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params }));
    return answer;
  }
}
