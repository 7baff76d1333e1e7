import { Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../../lib/clock.ts';
import { UserError } from '../../lib/errors.ts';
import { type FilterOptions, filterOf, isEmpty } from '../dead-letters/filter.ts';
import { type ListOptions, list } from '../dead-letters/list.ts';
import { type RedriveOptions, redrive } from '../dead-letters/run-redrive.ts';
import { show } from '../dead-letters/show.ts';
import { withTools } from '../dead-letters/tools.ts';

export function deadLettersCommand(): Command {
  const command = new Command('dead-letters').description('look at what could not become an event, and try it again');
  withFilters(command.command('list'))
    .description('list dead letters, the latest last')
    .option('--limit <count>', 'the latest so many', positive, 50)
    .option('--summary', 'count them by service, reason and command')
    .option('--json', 'one a line as JSON, without bodies')
    .action((options: FilterOptions & ListOptions) =>
      withTools((tools) => list(tools, filterOf(options, systemClock.nowMs()), options)),
    );
  command
    .command('show')
    .description('show all of a dead letter, and what today makes of it')
    .argument('<id>', 'event id, or partition:offset')
    .option('--json', 'as JSON, with the body as base64')
    .option('--body', 'write the bytes of its body to standard output')
    .action((id: string, options: { json?: boolean; body?: boolean }) =>
      withTools((tools) => show(tools, id, options)),
    );
  withFilters(command.command('redrive'))
    .description('try dead letters again with the code of today, and write what they have become')
    .option('--all', 'all of them, when no filter is given')
    .option('--limit <count>', 'the latest so many', positive)
    .option('--dry-run', 'say what would happen, and write nothing')
    .option('--rate <count>', 'write at most so many records a second', rate, 50)
    .option('--yes', 'do not ask')
    .option('--json', 'what was done as JSON')
    .addHelpText('after', redriveHelp)
    .action((options: FilterOptions & RedriveOptions & { readonly all?: boolean }) => {
      const filter = filterOf(options, systemClock.nowMs());
      if (isEmpty(filter) && options.all !== true) {
        throw new UserError('Which dead letters? Give a filter (see --help), or --all');
      }
      return withTools((tools) => redrive(tools, filter, options));
    });
  return command;
}

const redriveHelp = `
A callback is translated again. When it has become an event, that is written to its topic with the eventId of the dead
letter and the time at which it was received. A record that a consumer could not read is written to its topic again, byte
by byte, once it can be read; every consumer of the topic sees it again and de-duplicates by eventId.

The dead letter itself stays on its topic until that forgets it, so a redrive may be repeated: the same eventId says that
it is the same event. What was not kept (IMWATCH_TEXT=none or hmac) cannot be redriven.

Exit codes: 0 all redriven or nothing to do, 1 something stays, 2 wrong use.`;

function withFilters(command: Command): Command {
  return command
    .option('--reason <codes>', 'of these reasons, for example FIELD_INVALID,BODY_NOT_JSON')
    .option('--command <names>', 'of these commands')
    .option('--app <ids>', 'of these apps')
    .option('--service <names>', 'written by these services, for example ingest or penalties')
    .option('--field <prefix>', 'whose field path begins like this, for example /ContactItem')
    .option('--since <time>', 'that failed since: an ISO time, or how long ago, like 30m, 2h, 7d')
    .option('--until <time>', 'that failed before: the same')
    .option('--id <eventIds>', 'with these event ids');
}

function positive(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new InvalidArgumentError('expected a whole number above 0');
  return Number(text);
}

function rate(text: string): number {
  const value = Number(text);
  if (!(value >= 1 && value <= 100_000)) throw new InvalidArgumentError('expected a number from 1 to 100000');
  return value;
}
