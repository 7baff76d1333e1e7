/** A callback as it came, to be relayed. */
export interface Relayed {
  readonly command: string | null;
  /** The part of the URL behind the question mark, `Sign` and `RequestTime` included: the backend may check them itself. */
  readonly queryString: string;
  readonly body: Buffer;
  readonly remoteAddress: string;
  readonly traceparent: string | undefined;
  /** Monotonic milliseconds when its headers were complete. */
  readonly startedMs: number;
}
