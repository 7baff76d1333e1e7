import { execFileSync } from 'node:child_process';

/** Whether a Docker engine answers. When one does, no container test is skipped. */
export const engineAnswers: boolean = canRun(['version', '--format', '{{.Server.Version}}']);

export const engineNote: string = engineAnswers ? '' : ' (skipped: no Docker engine answers)';

/** Ids of the containers of a compose project, running or not. */
export function containersOf(project: string): readonly string[] {
  const output = execFileSync('docker', ['ps', '-aq', '--filter', `label=com.docker.compose.project=${project}`], {
    encoding: 'utf8',
  });
  return output.split('\n').filter((line) => line !== '');
}

function canRun(args: readonly string[]): boolean {
  try {
    execFileSync('docker', args, { stdio: 'ignore', timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}
