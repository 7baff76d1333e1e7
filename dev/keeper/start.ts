import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../lib/errors.ts';
import { makeFolder } from '../folders.ts';
import type { Environment } from '../run-program.ts';
import { type BrokerKind, brokerFolder, keeperLogPath } from './protocol.ts';

const logEndLines = 10;

/** Starts keepers of a home, one at a time. */
export class KeeperStarter {
  readonly #home: string;
  readonly #kind: BrokerKind;
  readonly #env: Environment;
  #child: ChildProcess | undefined;

  constructor(home: string, kind: BrokerKind, env: Environment) {
    this.#home = home;
    this.#kind = kind;
    this.#env = env;
  }

  /** Whether one that was started here runs. */
  get isOnItsWay(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }

  /**
   * Starts one, unless the last that was started here still runs.
   *
   * @throws {UserError} when that one failed, with the end of its log.
   */
  ensureStarted(): void {
    if (this.isOnItsWay) return;
    if (this.#child?.exitCode) throw new UserError(`The keeper of ${this.#home} does not start. ${logEnd(this.#home)}`);
    this.#child = this.#spawn();
  }

  /** In a session of its own, so that a Ctrl-C in our terminal does not reach it. */
  #spawn(): ChildProcess {
    makeFolder(brokerFolder(this.#home));
    const log = openSync(keeperLogPath(this.#home), 'a', 0o600);
    const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), this.#home, this.#kind], {
      detached: true,
      stdio: ['ignore', log, log],
      env: this.#env,
    });
    closeSync(log);
    child.unref();
    return child;
  }
}

/** A sentence with the end of the log of a home's keeper. */
export function logEnd(home: string): string {
  const path = keeperLogPath(home);
  const end = readFileSync(path, 'utf8').trimEnd().split('\n').slice(-logEndLines).join('\n');
  return `The end of ${path}:\n${end}`;
}
