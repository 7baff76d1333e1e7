// Runs `imwatch demo` and draws what it prints as docs/demo.svg.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { processEnvironment } from '../lib/config/sources.ts';
import { terminalPicture } from './terminal-picture.ts';

const root = join(import.meta.dirname, '..');
/** Decisions that are drawn, of which a run has more. */
const drawnDecisions = 6;

const demo = spawn(process.execPath, [join(root, 'cli/start.js'), 'demo'], {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: { ...processEnvironment(), FORCE_COLOR: '1', NO_COLOR: undefined },
});
const lines: string[] = [];
let decisions = 0;
for await (const line of createInterface({ input: demo.stdout })) {
  process.stdout.write(`${line}\n`);
  const isDecision = line.includes('decision') && line.includes('Mute until');
  if (isDecision) decisions += 1;
  if (!isDecision || decisions <= drawnDecisions) lines.push(line.replace(`${root}/`, ''));
  if (isDecision && decisions === drawnDecisions) lines.push('   …');
}
const begin = lines.findIndex((line) => line.includes('imwatch demo'));
writeFileSync(
  join(root, 'docs/demo.svg'),
  terminalPicture('What npm run demo prints', ['$ npm run demo', ...lines.slice(begin)]),
);
