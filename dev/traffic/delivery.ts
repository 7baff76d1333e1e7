/** One delivery of a callback: when, counted from the begin, for which app, and its body. */
export interface Delivery {
  readonly atMs: number;
  readonly sdkAppId: number;
  readonly command: string;
  readonly body: string;
  /** Parameters of the query beside app, command and signature. */
  readonly query?: Readonly<Record<string, string>>;
  /** True when the same body was delivered before, as Tencent does after a time-out. */
  readonly isRedelivery: boolean;
}
