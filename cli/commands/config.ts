import { Command } from 'commander';
import { readSettings, type Sources, textOf } from '../../lib/config/read.ts';
import type { Setting } from '../../lib/config/setting.ts';
import { bold, dim, print, printJson, table } from '../output.ts';
import { commandSources, settingsCatalogue } from '../settings.ts';

const mask = '********';

export function configCommand(): Command {
  return new Command('config')
    .description('show every setting, its value and where that comes from')
    .option('--json', 'as JSON: {"NAME": {"value", "source"}}')
    .action(async ({ json }: { json?: boolean }) => {
      const sources = await commandSources();
      // Each setting is read by itself first, so that one message names every wrong value.
      readSettings(Object.fromEntries(settings().map((setting) => [setting.name, setting])), sources);
      if (json === true) {
        printJson(Object.fromEntries(settings().map((setting) => [setting.name, shownValue(setting, sources)])));
        return;
      }
      for (const group of settingsCatalogue) {
        print(bold(group.title));
        print(
          table(
            Object.values(group.settings).map((setting) => {
              const { value, source } = shownValue(setting, sources);
              const text = value === null ? '-' : String(value);
              return [`  ${setting.name}`, text, source, dim(setting.help)];
            }),
          ),
        );
        print();
      }
    });
}

function settings(): readonly Setting<unknown>[] {
  return settingsCatalogue.flatMap((group) => Object.values(group.settings));
}

/** A setting's value as scripts may use it: numbers and flags as such, lists as their text, secrets masked. */
function shownValue(setting: Setting<unknown>, sources: Sources): { value: unknown; source: string } {
  const found = textOf(sources, setting.name);
  if (found === undefined) return { value: setting.fallback ?? null, source: 'default' };
  if (setting.secret) return { value: mask, source: found.source };
  const value = setting.parse(found.text);
  return { value: typeof value === 'object' ? found.text : value, source: found.source };
}
