import { Command, InvalidArgumentError } from 'commander';
import type { Candidate } from './candidate.ts';
import { roster } from './roster.ts';

export interface BenchOptions {
  readonly candidates: readonly Candidate[];
  readonly rounds: number;
  readonly seconds: number;
  readonly profile: boolean;
  readonly top: boolean;
  readonly json: boolean;
  /** Puts the result into docs/. */
  readonly write: boolean;
  /** File with the JSON of an earlier run, to be shown in place of a new one. */
  readonly report: string | undefined;
}

/** A signed request is taken for 60 s, and each loop signs once. */
const mostSeconds = 50;

const namesHelp = roster.map(({ name, title }) => `  ${name.padEnd(14)}${title}`).join('\n');

/** What the command line asks for; ends the process when it is wrong. */
export function readOptions(argv: readonly string[]): BenchOptions {
  const {
    only,
    with: more,
    profile = false,
    top = false,
    json = false,
    write = false,
    report,
    rounds,
    seconds,
  } = new Command('bench:ingest')
    .description('Ingest against bare Fastify (the limit), the afternoon version and its peers, in alternating rounds')
    .option('--rounds <count>', 'how often each is measured', count(1, 1_000), 5)
    .option('--seconds <count>', 'how long each time', count(1, mostSeconds), 8)
    .option('--only <names>', 'these alone, separated by commas', names)
    .option('--with <names>', 'these beside the usual ones', names)
    .option('--profile', 'where the processor time of ingest goes, or of those named by --only')
    .option('--top', 'with --profile: the functions that take most of it')
    .option('--json', 'as JSON')
    .option('--write', 'put table and picture into docs/')
    .option('--report <file>', 'show the JSON of an earlier run, measure nothing')
    .addHelpText('after', `\nNames:\n${namesHelp}`)
    .showHelpAfterError('(add --help for what is possible)')
    .parse(argv)
    .opts<{
      only?: readonly string[];
      with?: readonly string[];
      profile?: boolean;
      top?: boolean;
      json?: boolean;
      write?: boolean;
      report?: string;
      rounds: number;
      seconds: number;
    }>();
  const wanted = only ?? (profile ? ['imwatch'] : usual);
  const candidates = roster.filter(({ name }) => wanted.includes(name) || more?.includes(name));
  return { candidates, rounds, seconds, profile, top, json, write, report };
}

const usual = roster.filter(({ onRequest }) => onRequest !== true).map(({ name }) => name);

function names(text: string): readonly string[] {
  const given = text.split(',');
  const known = roster.map(({ name }) => name);
  const unknown = given.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new InvalidArgumentError(`"${unknown.join(', ')}" is none of ${known.join(', ')}.`);
  return given;
}

function count(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}
