import { dim, red, yellow } from '../output.ts';

/** What a service logs, as far as the demo shows it. */
interface LogLine {
  readonly level?: string;
  readonly service?: string;
  readonly msg?: string;
  readonly time?: string;
  readonly reason?: string;
  readonly account?: string;
  readonly status?: string;
  readonly summary?: string;
}

/** Shows those log lines of the services that tell the story: decisions, alerts and errors. */
export function showServiceLine(text: string, say: (line: string) => void): void {
  const line = parse(text);
  if (line === undefined) {
    say(text);
    return;
  }
  const { level, service = '', msg, account, reason, status, summary, time } = line;
  const head = dim(`${time?.slice(11, 19) ?? ''} ${service.padEnd(9)}`);
  if (msg === 'decision') say(`${head} ${yellow('decision')} ${account}: ${reason}`);
  else if (msg === 'alert') say(`${head} ${red(`alert ${status}`)} ${summary}`);
  else if (level === 'error' || level === 'fatal') say(`${head} ${red(level)} ${msg}`);
}

function parse(text: string): LogLine | undefined {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return undefined;
  }
}
