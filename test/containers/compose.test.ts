import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DockerComposeEnvironment, type StartedDockerComposeEnvironment, Wait } from 'testcontainers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registryUrl } from '../../dev/registry-address.ts';
import { vector, verdictCommand } from '../support/callbacks.ts';
import { containersOf, engineAnswers, engineNote } from '../support/engine.ts';
import { startTestIngest, unusedPort } from '../support/pipeline.ts';

const project = `imwatch-test-${randomBytes(4).toString('hex')}`;
const root = join(import.meta.dirname, '../..');

let environment: StartedDockerComposeEnvironment | undefined;
let cluster: Record<string, string>;

/** The compose file of the repository, on ports and under a name of its own. */
async function composeUp(): Promise<void> {
  // Testcontainers' own cleaner is a container too, whose image is not needed: these tests take down what they start.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  const [kafkaPort, registryPort] = [await unusedPort(), await unusedPort()];
  environment = await new DockerComposeEnvironment(root, 'docker-compose.yml')
    .withProjectName(project)
    .withEnvironment({ IMWATCH_KAFKA_PORT: String(kafkaPort), IMWATCH_REGISTRY_PORT: String(registryPort) })
    .withWaitStrategy('kafka-1', Wait.forHealthCheck())
    .withWaitStrategy('registry-1', Wait.forHealthCheck())
    .up(['kafka', 'registry']);
  cluster = { KAFKA_BROKERS: `127.0.0.1:${kafkaPort}`, SCHEMA_REGISTRY_URL: registryUrl(registryPort) };
}

async function sendOne(ingest: Awaited<ReturnType<typeof startTestIngest>>) {
  expect((await ingest.post(vector(verdictCommand))).status).toBe(200);
  const [event] = await ingest.read('verdict', 1);
  return event;
}

describe.skipIf(!engineAnswers)(`Kafka and registry of docker-compose.yml${engineNote}`, () => {
  beforeAll(composeUp);
  afterAll(async () => {
    // When the start failed, testcontainers has taken down what there was.
    await environment?.down({ removeVolumes: true });
    expect(containersOf(project)).toEqual([]);
  });

  it('take an event and give it back', async () => {
    const ingest = await startTestIngest(cluster);
    await ingest.ready();
    expect((await sendOne(ingest))?.value).toMatchObject({ fromAccount: 'jared', result: 'BLOCKED' });
    await ingest.stop();
  });

  it('keep schema ids over a restart of the registry, so that events written before still decode', async () => {
    const ingest = await startTestIngest(cluster);
    await ingest.ready();
    const before = await sendOne(ingest);
    await environment?.getContainer('registry-1').restart({ timeout: 30_000 });
    const other = await startTestIngest(cluster);
    await other.ready();
    const after = await sendOne(other);
    const [again] = await ingest.read('verdict', 1);
    expect(again?.value).toEqual(before?.value);
    expect(again?.raw.value?.subarray(0, 5)).toEqual(before?.raw.value?.subarray(0, 5));
    expect(after?.value).toMatchObject({ fromAccount: 'jared' });
    await Promise.all([ingest.stop(), other.stop()]);
  });
});
