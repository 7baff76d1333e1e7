import { resolve } from 'node:path';
import { text } from './setting.ts';

export const homeSettings = {
  home: text('IMWATCH_HOME', {
    help: 'Folder for what imwatch keeps on this machine: embedded broker and registry, their jars and logs.',
    default: '.imwatch',
  }),
};

/** `home` as an absolute path, as it stands when the process starts. */
export function homeFolder(values: { readonly home: string }): string {
  return resolve(values.home);
}
