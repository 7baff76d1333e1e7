// Writes a spool under a file size limit, which it then lifts; prints what it was told, and kills itself.
import { readdirSync, writeSync } from 'node:fs';
import { fingerprintBytes } from '../../ingest/spool/frame.ts';
import { Spool } from '../../ingest/spool/spool.ts';
import { sleep, systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import { liftFileSizeLimit } from './file-size-limit.ts';
import type { WrittenUntilFull } from './full-disk-writer.ts';

const [root = '', bodyBytes = ''] = process.argv.slice(2);
const limits = { maxBytes: 1e7, maxAgeMs: 1e9, segmentBytes: 1e6, waitingBytes: 1e7 };
const spool = await Spool.open(root, limits, systemClock, silentLogger);

let written = 0;
/** The key of a record that was acknowledged; `undefined` when it was refused. */
async function append(): Promise<string | undefined> {
  written += 1;
  const key = `record-${written}`;
  const record = {
    topic: 'verdict',
    fingerprint: Buffer.alloc(fingerprintBytes, 7),
    key: Buffer.from(key),
    body: Buffer.alloc(Number(bodyBytes), key),
    timestampMs: 1_700_000_000_000,
    headers: {},
  };
  return spool.append([record]).then(
    () => key,
    () => undefined,
  );
}

const acknowledgedBefore: string[] = [];
for (;;) {
  const key = await append();
  if (key === undefined) break;
  acknowledgedBefore.push(key);
}
const refusal = spool.refusal ?? null;
const segmentsWhileFull = readdirSync(root, { recursive: true }).filter((name) => String(name).endsWith('.seg')).length;
liftFileSizeLimit(process.pid);
while (spool.refusal !== undefined) await sleep(systemClock, 50);
const acknowledgedAfter = [await append(), await append(), await append()].filter((key) => key !== undefined);
const refusalAtEnd = spool.refusal ?? null;
const said: WrittenUntilFull = { acknowledgedBefore, acknowledgedAfter, refusal, segmentsWhileFull, refusalAtEnd };
writeSync(1, JSON.stringify(said));
process.kill(process.pid, 'SIGKILL');
