import { join } from 'node:path';
import { choice } from '../lib/config/setting.ts';
import { UserError } from '../lib/errors.ts';
import { dockerTrouble, imagesTrouble } from './docker/engine.ts';
import { haveJars } from './embedded/jars.ts';
import { findJava, findMaven, minJavaVersion } from './embedded/java.ts';
import { prepareHome } from './folders.ts';
import { type Lease, runningKind, takeLease } from './keeper/lease.ts';
import { type BrokerKind, brokerFolder, readJson, writeJson } from './keeper/protocol.ts';
import type { Environment } from './run-program.ts';

export const brokerSettings = {
  broker: choice('IMWATCH_BROKER', ['docker', 'embedded'], {
    help: 'How `imwatch up` runs Kafka and the registry when KAFKA_BROKERS is not set: in containers, or as Java processes.',
    defaultText: 'as this home did before; at first docker when an engine answers, else embedded',
  }),
};

export interface BrokerRequest {
  /** Absolute path of IMWATCH_HOME. */
  readonly home: string;
  /** Forces one way. */
  readonly kind: BrokerKind | undefined;
  readonly env: Environment;
  readonly onProgress: (text: string) => void;
  /** Gives the attempt up. */
  readonly signal: AbortSignal;
}

/**
 * A Kafka broker and a schema registry on this machine: the ones that run for this home already, or started now. The way is
 * chosen at the first start and kept, because each way has data of its own.
 *
 * @throws {UserError} when the home cannot be used, when what runs for it runs in another way than the one forced, or when
 * there is no way, naming what to install.
 */
export async function acquireBroker(request: BrokerRequest): Promise<Lease> {
  const { home, env, onProgress, signal } = request;
  prepareHome(home);
  const running = await runningKind(home);
  if (running !== undefined) refuseOther(request, running);
  const kind = running ?? (await chooseKind(request));
  const lease = await takeLease({ home, kind, env, onProgress, signal });
  try {
    // Another process may have been faster, with another choice.
    refuseOther(request, lease.kind);
    writeJson(chosenKindPath(home), { kind: lease.kind });
  } catch (error) {
    await lease.release();
    throw error;
  }
  return lease;
}

const wayNames = { docker: 'in containers', embedded: 'as Java processes' } as const;

function refuseOther({ home, kind }: BrokerRequest, running: BrokerKind): void {
  if (kind === undefined || kind === running) return;
  throw new UserError(
    [
      `IMWATCH_BROKER is ${kind}, but the broker of ${home} runs ${wayNames[running]} already (${running}). Do one of these:`,
      '  - stop every command that uses it, and start again',
      `  - leave IMWATCH_BROKER empty, or set it to ${running}, to use what runs`,
      '  - set IMWATCH_HOME to another folder',
    ].join('\n'),
  );
}

function chosenKindPath(home: string): string {
  return join(brokerFolder(home), 'chosen.json');
}

async function chooseKind({ home, kind, env, onProgress, signal }: BrokerRequest): Promise<BrokerKind> {
  const earlier = readJson<{ kind: BrokerKind }>(chosenKindPath(home))?.kind;
  const wanted = kind ?? earlier;
  const docker =
    wanted === 'embedded'
      ? `not asked: ${whyNot(kind, earlier)}`
      : ((await dockerTrouble(env)) ?? (await imagesTrouble(env, onProgress, signal)));
  if (docker === undefined) return 'docker';
  const embedded = wanted === 'docker' ? `not asked: ${whyNot(kind, earlier)}` : await embeddedTrouble(home, env);
  if (embedded === undefined) return 'embedded';
  throw new UserError(
    [
      'There is no way to run Kafka here:',
      `  - in containers: ${docker}`,
      `  - as Java processes: ${embedded}`,
      'Do one of these:',
      `  - install Java ${minJavaVersion} or newer and Maven`,
      '  - install and start Docker',
      '  - set KAFKA_BROKERS and SCHEMA_REGISTRY_URL to a Kafka and a registry that run already',
    ].join('\n'),
  );
}

function whyNot(forced: BrokerKind | undefined, earlier: BrokerKind | undefined): string {
  return forced === undefined
    ? `the events of this home are in ${earlier === 'docker' ? 'containers' : 'the embedded broker'}; IMWATCH_BROKER chooses another way`
    : `IMWATCH_BROKER=${forced}`;
}

/** Why broker and registry cannot run as Java processes; `undefined` when they can. Maven is needed for the jars only. */
export async function embeddedTrouble(home: string, env: Environment): Promise<string | undefined> {
  const java = await findJava(env);
  const maven = haveJars(home) ? undefined : findMaven(env);
  const missing = [java, maven].flatMap((tool) => (tool !== undefined && 'missing' in tool ? [tool.missing] : []));
  return missing.length === 0 ? undefined : missing.join(' and ');
}
