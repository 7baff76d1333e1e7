import { mkdirSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { readIngestConfig } from '../ingest/config.ts';
import { inspectSpool, type SpoolView } from '../ingest/spool/inspect.ts';
import { probeFolder } from '../ingest/spool/probe.ts';
import { systemClock } from '../lib/clock.ts';
import type { Sources } from '../lib/config/read.ts';
import { ConfigError, messageOf } from '../lib/errors.ts';
import type { Finding } from './checks.ts';
import { withDefaultApp } from './default-app.ts';
import { placeholderAddresses } from './local/cluster.ts';
import { withBroker } from './settings.ts';

/** What is known of a spool and its disk. */
export interface SpoolState extends SpoolView {
  readonly folder: string;
  /** INGEST_SPOOL_BYTES. */
  readonly maxBytes: number;
  /** How long it took to write something and have it on the disk. */
  readonly probeMs: number;
  /** Space of the disk that is not used. */
  readonly freeBytes: number;
  readonly nowMs: number;
}

/** The spool that ingest would use with these settings, whether or not one runs. */
export async function checkSpool(sources: Sources): Promise<readonly Finding[]> {
  const config = configOf(sources);
  if (config === undefined) return [];
  const { spoolFolder: folder, spoolBytes: maxBytes } = config;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const probeMs = await probeFolder(folder);
    const { bavail, bsize } = await statfs(folder);
    const nowMs = systemClock.nowMs();
    return spoolFindings({
      ...(await inspectSpool(folder)),
      folder,
      maxBytes,
      probeMs,
      freeBytes: bavail * bsize,
      nowMs,
    });
  } catch (error) {
    const detail = `${folder} cannot be written, so nothing is kept while Kafka is away: ${messageOf(error)}`;
    return [{ check: 'spool', status: 'failure', detail }];
  }
}

/** A disk on which a write takes longer than this leaves an answer little time. */
const slowDiskMs = 200;

export function spoolFindings(state: SpoolState): readonly Finding[] {
  const { folder, maxBytes, probeMs, freeBytes, folders, quarantined, nowMs } = state;
  const waiting = folders.reduce((sum, { bytes }) => sum + bytes, 0);
  const isSlow = probeMs > slowDiskMs;
  const findings: Finding[] = [
    {
      check: 'spool',
      status: isSlow ? 'warning' : 'ok',
      detail: `${folder}, a write is on the disk after ${Math.round(probeMs)} ms${isSlow ? ', which is slow' : ''}, ${mebibytes(freeBytes)} free`,
    },
  ];
  const warn = (detail: string): void => {
    findings.push({ check: 'spool', status: 'warning', detail });
  };
  if (freeBytes + waiting < maxBytes) {
    warn(
      `INGEST_SPOOL_BYTES is ${mebibytes(maxBytes)}, but its disk has room for ${mebibytes(freeBytes + waiting)}: it is full before the spool is`,
    );
  }
  if (waiting > 0) {
    const oldestMs = Math.min(...folders.map((each) => each.oldestMs ?? nowMs));
    const ageSec = Math.max(0, Math.round((nowMs - oldestMs) / 1000));
    warn(`${waiting} bytes wait for Kafka, the oldest for ${ageSec} s`);
  }
  const left = folders.filter(({ isHeld }) => !isHeld);
  if (left.length > 0) {
    const bytes = left.reduce((sum, each) => sum + each.bytes, 0);
    warn(
      `${bytes} bytes of them in ${left.length} folder(s) of processes that have ended; the next ingest takes them over`,
    );
  }
  if (quarantined > 0) {
    warn(`${quarantined} file(s) in ${folder}/quarantine, which Kafka will never get: somebody has to look`);
  }
  return findings;
}

/** Settings of ingest; `undefined` when they are wrong, which is another check's business. */
function configOf(sources: Sources) {
  try {
    return readIngestConfig(withBroker(withDefaultApp(sources), placeholderAddresses));
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / 1024 ** 2)} MiB`;
}
