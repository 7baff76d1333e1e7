import { statfsSync } from 'node:fs';
import type { Admin } from 'kafkajs';
import { dockerTrouble, missingImages } from '../dev/docker/engine.ts';
import { haveJars } from '../dev/embedded/jars.ts';
import { findJava, findMaven } from '../dev/embedded/java.ts';
import { prepareHome } from '../dev/folders.ts';
import { readIngestConfig } from '../ingest/config.ts';
import { readSettings, type Sources, textOf } from '../lib/config/read.ts';
import { AppError, ConfigError, messageOf } from '../lib/errors.ts';
import { withAdmin } from '../lib/kafka/admin.ts';
import { createKafka } from '../lib/kafka/client.ts';
import { kafkaSettings } from '../lib/kafka/settings.ts';
import { differences, readTopics } from '../lib/kafka/topic-admin.ts';
import { silentLogger } from '../lib/logger.ts';
import { managementSettings } from '../lib/management-server.ts';
import { registeredSchemas, topicPlans } from '../schemas/provisioning.ts';
import { createSchemaRegistry } from '../schemas/registry.ts';
import { clusterSettings } from '../schemas/settings.ts';
import { withDefaultApp } from './default-app.ts';
import { checkProcesses } from './ingest-checks.ts';
import { placeholderAddresses } from './local/cluster.ts';
import { readReadiness } from './management-client.ts';
import { managementPorts, serviceNames, serviceProblems } from './services.ts';
import { homeOf, settingsCatalogue, withBroker } from './settings.ts';

/** What a check found: `warning` for what works but may surprise, `failure` for what will not work. */
export interface Finding {
  readonly check: string;
  readonly status: 'ok' | 'warning' | 'failure';
  readonly detail: string;
  /** A line to copy into settings. */
  readonly line?: string;
}

export type Check = (sources: Sources) => Promise<readonly Finding[]>;

/** Everything that `imwatch doctor` looks at, in order. */
export const checks: readonly Check[] = [
  checkNode,
  checkSettings,
  checkNames,
  checkHome,
  checkIngestProcesses,
  checkBrokerTools,
  checkCluster,
  checkServices,
];

const minNodeMajor = 26;

function finding(check: string, status: Finding['status'], detail: string): readonly Finding[] {
  return [{ check, status, detail }];
}

async function checkNode(): Promise<readonly Finding[]> {
  const major = Number(process.versions.node.split('.')[0]);
  const status = major >= minNodeMajor ? 'ok' : 'failure';
  return finding('Node', status, `${process.versions.node}, ${minNodeMajor} or newer is needed`);
}

async function checkSettings(sources: Sources): Promise<readonly Finding[]> {
  // Whether a cluster is known is another check's business.
  const problems = serviceProblems(withBroker(withDefaultApp(sources), placeholderAddresses));
  if (problems.length === 0) return finding('settings', 'ok', 'every value can be used');
  return problems.map((detail) => ({ check: 'settings', status: 'failure', detail }));
}

/** Names that look like ours and are none: typing errors that would otherwise go unnoticed. */
async function checkNames(sources: Sources): Promise<readonly Finding[]> {
  const known = new Set(settingsCatalogue.flatMap((group) => Object.values(group.settings).map(({ name }) => name)));
  const given = [...Object.keys(sources.env), ...Object.keys(sources.file)];
  const unknown = given.filter((name) => /^(IMWATCH|INGEST)_/.test(name) && !known.has(name));
  return unknown.map((name) => ({ check: 'settings', status: 'warning', detail: `${name} is no setting of imwatch` }));
}

const lowDiskBytes = 2 * 1024 ** 3;

async function checkHome(sources: Sources): Promise<readonly Finding[]> {
  const home = homeOf(sources);
  try {
    prepareHome(home);
    const { bavail, bsize } = statfsSync(home);
    const freeGib = ((bavail * bsize) / 1024 ** 3).toFixed(1);
    return finding('home', bavail * bsize < lowDiskBytes ? 'warning' : 'ok', `${home}, ${freeGib} GiB free`);
  } catch (error) {
    return finding('home', 'failure', messageOf(error));
  }
}

async function checkIngestProcesses(sources: Sources): Promise<readonly Finding[]> {
  try {
    const { status, detail } = checkProcesses(
      readIngestConfig(withBroker(withDefaultApp(sources), placeholderAddresses)),
    );
    return finding('ingest processes', status, detail);
  } catch (error) {
    // Wrong settings are another check's business.
    if (error instanceof ConfigError) return [];
    throw error;
  }
}

/** How Kafka could run on this machine; of interest only while none is given. */
async function checkBrokerTools(sources: Sources): Promise<readonly Finding[]> {
  if (textOf(sources, kafkaSettings.brokers.name) !== undefined) return [];
  const docker = await dockerTrouble(sources.env);
  const tools = [await findJava(sources.env), haveJars(homeOf(sources)) ? undefined : findMaven(sources.env)];
  const missing = tools.flatMap((tool) => (tool !== undefined && 'missing' in tool ? [tool.missing] : []));
  const status = docker === undefined || missing.length === 0 ? 'ok' : 'failure';
  return [
    {
      check: 'Docker',
      status: docker === undefined ? 'ok' : 'warning',
      detail: docker ?? (await imagesDetail(sources.env)),
    },
    {
      check: 'Java',
      status: missing.length === 0 ? 'ok' : 'warning',
      detail: missing.join(' and ') || 'can run the embedded broker',
    },
    {
      check: 'Kafka',
      status: status === 'ok' ? 'warning' : status,
      detail: 'KAFKA_BROKERS is not set and none runs here; `imwatch up` starts one',
    },
  ];
}

async function imagesDetail(env: Sources['env']): Promise<string> {
  try {
    const missing = await missingImages(env);
    return missing.length === 0
      ? 'answers, with the images'
      : `answers; the first start pulls ${missing.join(' and ')}`;
  } catch (error) {
    return `answers, but does not tell its images: ${messageOf(error)}`;
  }
}

async function checkCluster(sources: Sources): Promise<readonly Finding[]> {
  if (textOf(sources, kafkaSettings.brokers.name) === undefined) return [];
  const values = readSettings(clusterSettings, sources);
  const kafka = createKafka(values, 'imwatch-doctor', silentLogger);
  const address = values.brokers?.join(',');
  const ask = async (admin: Admin): Promise<readonly Finding[]> => {
    const { brokers } = await admin.describeCluster();
    const plans = await topicPlans(admin, values);
    const states = await readTopics(admin, plans);
    const topics = plans.map((plan): Finding => {
      const state = states.get(plan.topic);
      if (state === undefined)
        return { check: plan.topic, status: 'warning', detail: 'is missing; `imwatch topics create`' };
      const found = differences(plan, state);
      return {
        check: plan.topic,
        status: found.length === 0 ? 'ok' : 'warning',
        detail: found.join('; ') || 'as it should be',
      };
    });
    return [...finding('Kafka', 'ok', `${brokers.length} broker(s) at ${address}`), ...topics];
  };
  try {
    const found = await withAdmin(kafka, ask, { retry: { retries: 1 } });
    return [...found, ...(await checkRegistry(values))];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return finding('Kafka', 'failure', `${address}: ${messageOf(error)}`);
  }
}

async function checkRegistry(
  values: Parameters<typeof createSchemaRegistry>[0] & { readonly topicPrefix: string },
): Promise<readonly Finding[]> {
  if (values.registryUrl === undefined) return finding('registry', 'failure', 'SCHEMA_REGISTRY_URL is not set');
  try {
    const ids = await registeredSchemas(createSchemaRegistry(values), values.topicPrefix);
    const missing = [...ids].filter(([, id]) => id === undefined).map(([topic]) => topic);
    if (missing.length === 0) return finding('registry', 'ok', `${values.registryUrl}, all schemas are registered`);
    return finding('registry', 'warning', `no schema yet for ${missing.join(', ')}; \`imwatch topics create\``);
  } catch (error) {
    return finding('registry', 'failure', `${values.registryUrl}: ${messageOf(error)}`);
  }
}

const readinessStatus = { ready: 'ok', degraded: 'warning', unavailable: 'failure' } as const;

/** What the services of this machine say of themselves. */
async function checkServices(sources: Sources): Promise<readonly Finding[]> {
  // Wrong settings are another check's business, and nothing is known then of where to ask.
  if (serviceProblems(withBroker(withDefaultApp(sources), placeholderAddresses)).length > 0) return [];
  const { managementHost } = readSettings(managementSettings, sources);
  const ports = readSettings(managementPorts, sources);
  return Promise.all(serviceNames.map((name) => checkService(name, `http://${managementHost}:${ports[name]}`)));
}

async function checkService(check: string, url: string): Promise<Finding> {
  const readiness = await readReadiness(url);
  if (readiness === undefined) {
    return { check, status: 'warning', detail: `does not run here (${url} does not answer)` };
  }
  const { status, reasons } = readiness;
  return { check, status: readinessStatus[status], detail: [`${status}, as ${url} says`, ...reasons].join('; ') };
}
