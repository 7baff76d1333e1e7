import { Command } from 'commander';
import { checks, type Finding } from '../checks.ts';
import { exitCodes } from '../exit-codes.ts';
import { green, print, printJson, red, yellow } from '../output.ts';
import { commandSources } from '../settings.ts';
import { checkSpool } from '../spool-check.ts';
import { checkTencentSources } from '../tencent-sources.ts';

const marks: Record<Finding['status'], string> = {
  ok: green('ok     '),
  warning: yellow('warning'),
  failure: red('failure'),
};

export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'check settings, tools, broker, registry, topics, ingest and its spool; exit code 1 when something will not work',
    )
    .option(
      '--fetch-ips',
      'also ask Tencent for the addresses that callbacks come from, and print INGEST_ALLOWED_SOURCES',
    )
    .option('--json', 'as JSON')
    .action(async ({ json, fetchIps }: { json?: boolean; fetchIps?: boolean }) => {
      const sources = await commandSources();
      const findings: Finding[] = [];
      const wanted = [...checks, checkSpool, ...(fetchIps === true ? [checkTencentSources] : [])];
      for (const check of wanted) {
        for (const finding of await check(sources)) {
          findings.push(finding);
          if (json === true) continue;
          print(`${marks[finding.status]}  ${finding.check}: ${finding.detail}`);
          if (finding.line !== undefined) print(finding.line);
        }
      }
      if (json === true) printJson(findings);
      if (findings.some(({ status }) => status === 'failure')) process.exitCode = exitCodes.problem;
    });
}
