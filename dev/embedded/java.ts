import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The oldest Java that the embedded broker and registry run on. */
export const minJavaVersion = 17;

export type Tool = { readonly path: string } | { readonly missing: string };

/** A Java that is new enough: that of JAVA_HOME, else the first on the PATH; or why there is none. */
export async function findJava(env: Readonly<Record<string, string | undefined>>): Promise<Tool> {
  const path = findProgram('java', env, env['JAVA_HOME']);
  if (path === undefined) return { missing: `Java ${minJavaVersion} or newer is not installed` };
  try {
    // java prints its version on standard error.
    const { stderr, stdout } = await run(path, ['-version'], { timeout: 20_000 });
    const version = majorVersion(stderr + stdout);
    if (version === undefined || version < minJavaVersion) {
      return { missing: `${path} is Java ${version ?? 'of an unknown version'}, expected ${minJavaVersion} or newer` };
    }
    return { path };
  } catch {
    return { missing: `${path} does not run` };
  }
}

/** Maven, which fetches the jars; or that there is none. */
export function findMaven(env: Readonly<Record<string, string | undefined>>): Tool {
  const path = findProgram('mvn', env, env['MAVEN_HOME']);
  return path === undefined ? { missing: 'Maven (mvn) is not installed' } : { path };
}

/** 17 for `openjdk version "17.0.15"`, 8 for `java version "1.8.0_402"`. */
export function majorVersion(versionText: string): number | undefined {
  const found = /version "(?:1\.)?(\d+)/.exec(versionText);
  return found === null ? undefined : Number(found[1]);
}

function findProgram(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
  home: string | undefined,
): string | undefined {
  const folders = [...(home ? [join(home, 'bin')] : []), ...(env['PATH'] ?? '').split(delimiter)];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
