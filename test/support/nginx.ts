import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { sleep, systemClock } from '../../lib/clock.ts';
import { processEnvironment } from '../../lib/config/sources.ts';

const examples = join(import.meta.dirname, '../../deploy/nginx');

/** Who an nginx that root starts runs as: `nobody`, so that the examples are shown to need no rights. */
const nobody = 65_534;

/** Path of this machine's nginx; or why the tests that need one are skipped. */
export function findNginx(): { readonly path: string } | { readonly missing: string } {
  const folders = [...(processEnvironment()['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  const path = folders.map((folder) => join(folder, 'nginx')).find((candidate) => existsSync(candidate));
  return path === undefined ? { missing: 'nginx is not installed' } : { path };
}

export interface NginxSetup {
  readonly path: string;
  /** Folder for its configuration, logs and temporary files; certificates that it reads lie here too. */
  readonly folder: string;
  /** An example in deploy/nginx. */
  readonly example: string;
  /** What stands in the example, and what this test puts in its place: ports, addresses, paths. Each must occur. */
  readonly replace: Readonly<Record<string, string>>;
  /** Port of 127.0.0.1 that it listens on. */
  readonly port: number;
}

export interface RunningNginx {
  /** What stands in a log of this name in the folder. */
  log(name: string): string;
  stop(): Promise<void>;
}

/** Runs nginx with an example of deploy/nginx in its `http` block, until it takes connections. */
export async function startNginx(setup: NginxSetup): Promise<RunningNginx> {
  const { path, folder, example, replace, port } = setup;
  let text = readFileSync(join(examples, example), 'utf8');
  for (const [found, instead] of Object.entries(replace)) {
    if (!text.includes(found)) throw new Error(`deploy/nginx/${example} does not hold ${JSON.stringify(found)}`);
    text = text.replaceAll(found, instead);
  }
  writeFileSync(join(folder, example), text);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => {
    mkdirSync(join(folder, name), { recursive: true });
    return `${name}_temp_path ${join(folder, name)};`;
  });
  const main = join(folder, 'nginx.conf');
  writeFileSync(
    main,
    `daemon off;
worker_processes 1;
pid ${join(folder, 'nginx.pid')};
error_log ${join(folder, 'main.error.log')};
events {}
http {
${temporary.join('\n')}
access_log off;
include ${join(folder, example)};
}
`,
  );
  const asNobody = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  if ('uid' in asNobody) give(folder);
  const args = ['-p', folder, '-e', join(folder, 'start.error.log'), '-c', main];
  execFileSync(path, [...args, '-t', '-q'], asNobody);
  const nginx = spawn(path, args, { ...asNobody, stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  nginx.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  while (!(await takesConnections(port))) {
    if (nginx.exitCode !== null) throw new Error(`nginx ended with code ${nginx.exitCode}: ${errors}`);
    await sleep(systemClock, 20);
  }
  return {
    log: (name) => readFileSync(join(folder, name), 'utf8'),
    stop: () => stop(nginx),
  };
}

/** Gives a folder and all in it to nobody. */
function give(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of ['.', ...globSync('**/*', { cwd: folder })]) chownSync(join(folder, entry), nobody, nobody);
}

async function stop(nginx: ChildProcess): Promise<void> {
  if (nginx.exitCode !== null || nginx.signalCode !== null) return;
  nginx.kill('SIGTERM');
  await once(nginx, 'exit');
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
