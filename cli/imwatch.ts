#!/usr/bin/env node
import { Command } from 'commander';
import { AppError, ConfigError, messageOf, UserError } from '../lib/errors.ts';
import { configCommand } from './commands/config.ts';
import { deadLettersCommand } from './commands/dead-letters.ts';
import { demoCommand } from './commands/demo.ts';
import { doctorCommand } from './commands/doctor.ts';
import { replayCommand } from './commands/replay.ts';
import { sendCommand } from './commands/send.ts';
import { serviceCommand } from './commands/service.ts';
import { simulateCommand } from './commands/simulate.ts';
import { tailCommand } from './commands/tail.ts';
import { topicsCommand } from './commands/topics.ts';
import { upCommand } from './commands/up.ts';
import { exitCodes } from './exit-codes.ts';
import { note } from './output.ts';
import { services } from './services.ts';

const program = new Command('imwatch')
  .description('Tencent Cloud IM callbacks as Avro events on Kafka')
  .showHelpAfterError('(add --help for what is possible)')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.wrongUse))
  .addHelpText('after', '\nExit codes: 0 fine, 1 something is not as it should be, 2 wrong use or settings.');

for (const command of [
  upCommand(),
  demoCommand(),
  ...services.map(serviceCommand),
  sendCommand(),
  simulateCommand(),
  tailCommand(),
  deadLettersCommand(),
  topicsCommand(),
  configCommand(),
  replayCommand(),
  doctorCommand(),
]) {
  program.addCommand(inheriting(command, program));
}

/** Commands that were made elsewhere end as the program does when they are used wrongly, those below them as well. */
function inheriting(command: Command, from: Command): Command {
  command.copyInheritedSettings(from);
  for (const below of command.commands) inheriting(below, command);
  return command;
}

// `imwatch config | head` closes the pipe when it has enough.
process.stdout.on('error', (error: Error & { code?: string }) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(exitCodes.ok);
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof AppError)) throw error;
  note(messageOf(error));
  process.exitCode =
    error instanceof ConfigError || error instanceof UserError ? exitCodes.wrongUse : exitCodes.problem;
}
