import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DockerComposeEnvironment, type StartedDockerComposeEnvironment, Wait } from 'testcontainers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { registryUrl } from '../../dev/registry-address.ts';
import { sdkAppId } from '../support/callbacks.ts';
import { containersOf, engineAnswers, engineNote } from '../support/engine.ts';
import { postCallback, readDecoded, unusedPort } from '../support/pipeline.ts';

const project = `imwatch-test-${randomBytes(4).toString('hex')}`;
const root = join(import.meta.dirname, '../..');
const services = ['ingest', 'analytics', 'penalties', 'alerting'] as const;
const senders = 8;
const verdictsEach = 5;

let environment: StartedDockerComposeEnvironment | undefined;
let url = '';
let cluster: Record<string, string> = {};

/** All of the compose file, with the image built from the sources as they are. */
async function composeUp(): Promise<void> {
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  const [kafkaPort, registryPort, ingestPort] = [await unusedPort(), await unusedPort(), await unusedPort()];
  const compose = new DockerComposeEnvironment(root, 'docker-compose.yml')
    .withProjectName(project)
    .withBuild()
    .withEnvironment({
      IMWATCH_KAFKA_PORT: String(kafkaPort),
      IMWATCH_REGISTRY_PORT: String(registryPort),
      IMWATCH_INGEST_ADDRESS: `127.0.0.1:${ingestPort}`,
    });
  for (const service of services) compose.withWaitStrategy(`${service}-1`, Wait.forHealthCheck());
  environment = await compose.up();
  url = `http://127.0.0.1:${ingestPort}`;
  cluster = { KAFKA_BROKERS: `127.0.0.1:${kafkaPort}`, SCHEMA_REGISTRY_URL: registryUrl(registryPort) };
}

describe.skipIf(!engineAnswers)(`every service of docker-compose.yml${engineNote}`, () => {
  beforeAll(composeUp);
  afterAll(async () => {
    await environment?.down({ removeVolumes: true });
    expect(containersOf(project)).toEqual([]);
  });

  it('takes callbacks, and gives a decision, an alert and rollups', async () => {
    for (let number = 0; number < senders * verdictsEach; number += 1) {
      const body = {
        From_Account: `sender-${number % senders}`,
        Scene: 'Group',
        CtxcbResult: 1,
        CtxcbSuggestion: 'Block',
        CtxcbLabel: 'Ad',
        MsgID: String(number),
      };
      expect((await postCallback(url, JSON.stringify(body))).status).toBe(200);
    }

    const ledger = await readDecoded(cluster, 'penalty.ledger', senders * (verdictsEach + 1));
    const decisions = ledger.filter(({ value }) => value.kind === 'DECISION');
    expect(decisions.map(({ value }) => value.account).toSorted()).toEqual(
      Array.from({ length: senders }, (_, index) => `sender-${index}`),
    );
    expect(decisions[0]?.value).toMatchObject({ mode: 'SHADOW', action: 'MUTE', strikes: 3 });
    expect(decisions[0]?.value.eventIds).toHaveLength(3);

    const [alert] = await readDecoded(cluster, 'alert', 1);
    expect(alert?.value).toMatchObject({ status: 'FIRING', sdkAppId, labels: { label: 'Ad' } });
    expect(alert?.value.distinctSenders).toBeGreaterThanOrEqual(5);

    const [rollup] = await readDecoded(cluster, 'rollup', 1);
    expect(rollup?.value).toMatchObject({
      sdkAppId,
      label: 'Ad',
      scene: 'Group',
      suggestion: 'BLOCK',
      result: 'BLOCKED',
    });
  });

  it('runs as a user without rights, on a file system that it cannot write', async () => {
    const ingest = environment?.getContainer('ingest-1');
    expect((await ingest?.exec(['id', '-u']))?.output.trim()).not.toBe('0');
    expect((await ingest?.exec(['touch', '/app/x']))?.exitCode).not.toBe(0);
  });
});
