import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { processEnvironment } from '../../lib/config/sources.ts';
import type { Sent } from './judge.ts';

/** What the sender is told. */
export type SenderOrder =
  | {
      readonly type: 'run';
      readonly urls: readonly string[];
      readonly perSecond: number;
      /** Where it writes down every event that it has sent. */
      readonly file: string;
    }
  | { readonly type: 'aim'; readonly urls: readonly string[] }
  | { readonly type: 'burst'; readonly count: number }
  | { readonly type: 'enough' };

/** Requests so far. */
export interface SenderCounts {
  readonly sent: number;
  readonly acknowledged: number;
  readonly refused: number;
  readonly unanswered: number;
  /** From sending to the answer, for whatever was answered. */
  readonly longestMs: number;
  /** How far the sender itself was behind its rate at worst. */
  readonly lagMs: number;
}

export type SenderMessage = SenderCounts & { readonly type: 'warm' | 'progress' | 'end' };

/** An event in the sender's file: key, sequence, status (0: no answer), time to the answer, time of sending. */
export type SentLine = readonly [key: string, sequence: number, status: number, tookMs: number, sentAtMs: number];

/** The sender, a process of its own. */
export class Sending {
  readonly #child: ChildProcess;
  readonly #file: string;
  readonly #ended: Promise<unknown>;
  readonly #warm = Promise.withResolvers<void>();
  #counts: SenderCounts = { sent: 0, acknowledged: 0, refused: 0, unanswered: 0, longestMs: 0, lagMs: 0 };

  constructor(folder: string) {
    this.#file = join(folder, 'sent.jsonl');
    this.#child = fork(join(import.meta.dirname, 'sender.ts'), {
      env: { ...processEnvironment(), NODE_ENV: '' },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (message) => {
      const { type, ...counts } = message as SenderMessage;
      this.#counts = counts;
      if (type === 'warm') this.#warm.resolve();
    });
    this.#ended = once(this.#child, 'exit');
  }

  get counts(): SenderCounts {
    return this.#counts;
  }

  /** Begins to send, every key to one of `urls`; resolves when a slow beginning is over and it sends at the rate. */
  begin(urls: readonly string[], perSecond: number): Promise<void> {
    this.#tell({ type: 'run', urls, perSecond, file: this.#file });
    return this.#warm.promise;
  }

  /** Sends to these addresses from now on. */
  aim(urls: readonly string[]): void {
    this.#tell({ type: 'aim', urls });
  }

  /** Sends `count` bodies of 1 MiB and as many batches of 1,000 items at once. */
  burst(count: number): void {
    this.#tell({ type: 'burst', count });
  }

  /** Sends no more. */
  enough(): void {
    this.#tell({ type: 'enough' });
  }

  /** Every event that was sent, once it sends no more and all have been answered, or have failed. */
  async all(): Promise<readonly Sent[]> {
    await this.#ended;
    return readFileSync(this.#file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [key, sequence, status, tookMs, sentAtMs] = JSON.parse(line) as SentLine;
        return { key, sequence, status, tookMs, sentAtMs };
      });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #tell(order: SenderOrder): void {
    this.#child.send(order);
  }
}
