import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { startKafka } from '../../../dev/embedded/kafka.ts';
import { startRegistry } from '../../../dev/embedded/registry.ts';
import { freePort } from '../../../dev/ports.ts';
import { UserError } from '../../../lib/errors.ts';
import { stillRunning } from '../../support/processes.ts';
import { stubProgram } from '../../support/stub-program.ts';
import { makeTestFolder } from '../../support/test-folder.ts';

let folder: string;
let children: number[];
beforeEach(() => {
  folder = makeTestFolder();
  children = [];
});

const hangs = 'exec sleep 600';

/** Options for a start with a "java" that is a shell script. */
async function optionsFor(script: string, more: { startTimeoutMs?: number; signal?: AbortSignal } = {}) {
  const java = stubProgram(folder, 'java', script);
  const onChild = (pid: number): void => {
    children.push(pid);
  };
  const [port, controllerPort] = [await freePort(undefined), await freePort(undefined)];
  return { java, jars: folder, folder: join(folder, 'data-and-log'), port, controllerPort, onChild, ...more };
}

describe('a Java program that does not start', () => {
  it('is ended after a time, and named with its log', async () => {
    const options = await optionsFor(hangs, { startTimeoutMs: 300 });
    await expect(startRegistry(options)).rejects.toThrow(
      new UserError(`Apicurio Registry did not answer within 0.3 s; its log is ${options.folder}/registry.log`),
    );
    await expect(startKafka(options)).rejects.toThrow(
      `Formatting the storage of Apache Kafka did not answer within 0.3 s; its log is ${options.folder}/kafka.log`,
    );
    expect(children).toHaveLength(2);
    expect(stillRunning(children)).toEqual([]);
  });

  it('is ended at once when it is given up', async () => {
    const giveUp = new AbortController();
    const started = startRegistry(await optionsFor(hangs, { signal: giveUp.signal }));
    started.catch(() => undefined);
    expect(stillRunning(children)).toEqual(children);
    giveUp.abort(new Error('Ctrl-C'));
    await expect(started).rejects.toThrow('Ctrl-C');
    expect(children).toHaveLength(1);
    expect(stillRunning(children)).toEqual([]);
  });

  it('is ended too when it was given up before', async () => {
    const options = await optionsFor(hangs, { signal: AbortSignal.abort(new Error('Ctrl-C')) });
    await expect(startKafka(options)).rejects.toThrow('Ctrl-C');
    expect(stillRunning(children)).toEqual([]);
  });

  it('that ends is quoted', async () => {
    const options = await optionsFor('echo no memory; exit 3');
    await expect(startRegistry(options)).rejects.toThrow(
      `Apicurio Registry ended at once. The end of its log (${options.folder}/registry.log):\nno memory`,
    );
    await expect.poll(() => readFileSync(join(options.folder, 'registry.log'), 'utf8')).toBe('no memory\n');
  });
});

describe('the database of the registry', () => {
  it('of a first start that was interrupted is made anew, any other is kept', async () => {
    const options = await optionsFor(`touch ${folder}/data-and-log/data.mv.db; exit 3`);
    const database = join(options.folder, 'data.mv.db');
    await expect(startRegistry(options)).rejects.toThrow('ended at once');
    expect(existsSync(database)).toBe(true);
    stubProgram(folder, 'java', `test -e ${database} && echo kept || echo new; exit 3`);
    await expect(startRegistry(options)).rejects.toThrow('new');

    const other = { ...options, folder: join(folder, 'other') };
    mkdirSync(other.folder);
    writeFileSync(join(other.folder, 'data.mv.db'), 'schemas');
    await expect(startRegistry(other)).rejects.toThrow('ended at once');
    expect(readFileSync(join(other.folder, 'data.mv.db'), 'utf8')).toBe('schemas');
  });
});
