import type { SpooledRecord } from '../../ingest/spool/frame.ts';
import { SpoolError } from '../../ingest/spool/spool.ts';

/** A spool in memory whose writes end when the test says so, for tests of what is in front of it. */
export class MemorySpool {
  readonly records: SpooledRecord[] = [];
  readonly appended: (readonly SpooledRecord[])[] = [];
  isFailing = false;
  /** Whether its disk has stopped to answer. */
  isStuck = false;

  get isEmpty(): boolean {
    return this.records.length === 0;
  }

  append(records: readonly SpooledRecord[]): Promise<void> {
    if (this.isFailing) return Promise.reject(new SpoolError('The spool cannot be written: ENOSPC'));
    if (this.isStuck) return new Promise(() => undefined);
    this.records.push(...records);
    this.appended.push(records);
    return Promise.resolve();
  }

  /** Keys of what it holds, in order. */
  get keys(): readonly string[] {
    return this.records.map(({ key }) => key.toString());
  }
}
