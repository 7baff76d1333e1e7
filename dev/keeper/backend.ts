import type { Environment } from '../run-program.ts';
import type { BrokerAddresses } from './protocol.ts';

/** A broker and a registry that a keeper runs. */
export interface Backend {
  readonly addresses: BrokerAddresses;
  /** Calls `listener` when a part of it ended by itself. */
  onUnexpectedEnd(listener: (what: string) => void): void;
  stop(): Promise<void>;
}

/** What a keeper gives a backend that starts. */
export interface BackendContext {
  readonly home: string;
  /** Variables for the processes that are started. */
  readonly env: Environment;
  readonly onProgress: (text: string) => void;
  /** Told the id of each process that has to be ended when the keeper itself was killed. */
  readonly onChild: (pid: number) => void;
  /** Gives the start up: ends downloads, processes and containers; the start rejects when they have ended. */
  readonly signal: AbortSignal;
}
