import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** Which top-level folders the files of a folder may import; ARCHITECTURE.md draws the same. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  schemas: ['lib'],
  ingest: ['schemas', 'lib'],
  consumers: ['schemas', 'lib'],
  dev: ['lib'],
  cli: ['dev', 'ingest', 'consumers', 'schemas', 'lib'],
  tools: ['cli', 'ingest', 'schemas', 'lib'],
  bench: ['dev', 'ingest', 'schemas', 'lib', 'consumers'],
};

/** Pure parts: what they compute depends on their arguments alone. */
const pureFolders = [
  'ingest/tencent',
  'consumers/analytics/windows.ts',
  'consumers/penalties/policy.ts',
  'consumers/penalties/standing.ts',
  'consumers/alerting/detector.ts',
  'consumers/alerting/explain.ts',
  'consumers/alerting/series.ts',
  'cli/dead-letters/body-view.ts',
  'cli/dead-letters/filter.ts',
  'cli/dead-letters/pace.ts',
  'cli/dead-letters/plan.ts',
  'cli/dead-letters/redrive.ts',
  'cli/dead-letters/retranslate.ts',
  'cli/near-names.ts',
  'cli/send/outgoing.ts',
  'cli/send/text-lines.ts',
  'dev/traffic',
];

const sources = globSync(`{${Object.keys(mayImport).join(',')}}/**/*.ts`, { cwd: root }).toSorted();

function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

/** Files of the project that `file` imports, types included. */
function importsOf(file: string): readonly string[] {
  const specifiers = textOf(file).matchAll(
    /^(?:import|export)\b[^'"]*?from '(\.[^']+)'|^import '(\.[^']+)'|\bimport\('(\.[^']+)'\)/gms,
  );
  return Array.from(specifiers, ([, from, bare, dynamic]) =>
    relative(root, join(root, dirname(file), from ?? bare ?? dynamic ?? '')),
  );
}

function topFolder(file: string): string {
  return file.split(sep)[0] ?? '';
}

describe('the structure', () => {
  it('has one place in the tests that sends signals by number, where a process that was not found is refused', () => {
    const tests = globSync('test/**/*.ts', { cwd: root });
    const sending = tests.filter((file) =>
      /\bprocess\.kill\((?!process\.pid)|import \{.*\bkill\b.*from 'node:process'/.test(textOf(file)),
    );
    expect(sending).toEqual(['test/support/processes.ts']);
  });

  it('is seen: there are files, and they import each other', () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(sources.flatMap(importsOf).length).toBeGreaterThan(100);
  });

  it('has imports in one direction only', () => {
    const wrong = sources.flatMap((file) =>
      importsOf(file)
        .filter((imported) => {
          const folder = topFolder(imported);
          return folder !== topFolder(file) && mayImport[topFolder(file)]?.includes(folder) !== true;
        })
        .map((imported) => `${file} imports ${imported}`),
    );
    expect(wrong).toEqual([]);
  });

  it('has consumers that know the runtime, and not each other', () => {
    const room = (file: string): string => file.split(sep)[1] ?? '';
    const wrong = sources
      .filter((file) => topFolder(file) === 'consumers')
      .flatMap((file) =>
        importsOf(file)
          .filter(
            (imported) => topFolder(imported) === 'consumers' && ![room(file), 'runtime'].includes(room(imported)),
          )
          .map((imported) => `${file} imports ${imported}`),
      );
    expect(wrong).toEqual([]);
  });

  it('has no cycles, types included', () => {
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
      if (done.has(file) || path.includes(file)) return;
      for (const imported of importsOf(file)) visit(imported, [...path, file]);
      done.add(file);
    };
    for (const file of sources) visit(file, []);
    expect(cycles).toEqual([]);
  });

  it('has pure parts that know no clock, chance, process, file or network', () => {
    const impure =
      /Date\.now|new Date\(\)|Math\.random|\bprocess\.|from 'node:(?!buffer|crypto)|\bfetch\(|randomUUID|logger/;
    const wrong = sources.filter(
      (file) => pureFolders.some((folder) => file.startsWith(folder)) && impure.test(textOf(file)),
    );
    expect(wrong).toEqual([]);
  });

  it('has error codes that stand once in the code and are explained in ARCHITECTURE.md', () => {
    const codes = sources.flatMap((file) =>
      Array.from(textOf(file).matchAll(/readonly code = '(\w+)'/g), ([, code]) => code ?? ''),
    );
    expect(codes.length).toBeGreaterThan(5);
    expect(new Set(codes).size).toBe(codes.length);
    const documented = textOf('ARCHITECTURE.md');
    expect(codes.filter((code) => !documented.includes(`\`${code}\``))).toEqual([]);
  });

  it('reads the environment in one file', () => {
    expect(sources.filter((file) => /process\.env\b/.test(textOf(file)))).toEqual(['lib/config/sources.ts']);
  });
});
