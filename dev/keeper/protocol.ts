import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder } from '../folders.ts';

/** How broker and registry run on this machine. */
export type BrokerKind = 'docker' | 'embedded';

/** Where a running broker and registry are reached. */
export interface BrokerAddresses {
  readonly brokers: string;
  readonly registryUrl: string;
}

/** What the keeper tells those who hold a lease, a JSON line each. */
export type KeeperMessage =
  | { readonly type: 'progress'; readonly text: string }
  | ({ readonly type: 'ready'; readonly kind: BrokerKind } & BrokerAddresses)
  | { readonly type: 'failed'; readonly message: string };

/** What a client says first, before the token: that it holds a lease from now on, or only wants to know how things are. */
export type KeeperWish = 'lease' | 'look';

const messageTypes: readonly unknown[] = ['progress', 'ready', 'failed'] satisfies KeeperMessage['type'][];

/** The message in a line, `undefined` when no keeper says such a thing. */
export function messageIn(line: string): KeeperMessage | undefined {
  try {
    const value = JSON.parse(line) as KeeperMessage | null;
    return messageTypes.includes(value?.type) ? (value ?? undefined) : undefined;
  } catch {
    return undefined;
  }
}

/** The file by which others find the keeper of a home. */
export interface KeeperFile {
  readonly pid: number;
  readonly kind: BrokerKind;
  /** Port on 127.0.0.1 on which leases are given. */
  readonly port: number;
  /** What a client says with its wish, so that only the owner of the home gets a lease. */
  readonly token: string;
  /** Processes of the embedded broker and registry. */
  readonly children: readonly number[];
}

export function brokerFolder(home: string): string {
  return join(home, 'broker');
}

export function keeperLockPath(home: string): string {
  return join(brokerFolder(home), 'keeper.lock');
}

export function keeperLogPath(home: string): string {
  return join(brokerFolder(home), 'keeper.log');
}

function keeperFilePath(home: string): string {
  return join(brokerFolder(home), 'keeper.json');
}

export function newToken(): string {
  return randomBytes(24).toString('base64url');
}

export function readKeeperFile(home: string): KeeperFile | undefined {
  return readJson<KeeperFile>(keeperFilePath(home));
}

export function writeKeeperFile(home: string, file: KeeperFile): void {
  writeJson(keeperFilePath(home), file);
}

export function removeKeeperFile(home: string): void {
  rmSync(keeperFilePath(home), { force: true });
}

const noSuchFile: readonly unknown[] = ['ENOENT', 'ENOTDIR'];

/** The JSON value in a file, `undefined` when there is no such file. */
export function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch (error) {
    if (error instanceof Error && 'code' in error && noSuchFile.includes(error.code)) return undefined;
    throw error;
  }
}

/** Replaces a file in one step, readable by its owner alone. */
export function writeJson(path: string, value: unknown): void {
  makeFolder(dirname(path));
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, path);
}
