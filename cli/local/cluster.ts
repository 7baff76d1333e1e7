import { acquireBroker, brokerSettings } from '../../dev/broker.ts';
import type { BrokerAddresses } from '../../dev/keeper/protocol.ts';
import { readSettings, type Sources, textOf } from '../../lib/config/read.ts';
import { kafkaSettings } from '../../lib/kafka/settings.ts';
import { schemaSettings } from '../../schemas/settings.ts';
import { homeOf } from '../settings.ts';
import type { Run } from '../until-stop.ts';

/** The Kafka and registry that services of this machine use. */
export interface LocalCluster {
  readonly addresses: BrokerAddresses;
  /** Where they run, in words. */
  readonly place: string;
}

/** Stands in for the addresses of a broker that does not run yet, to check the other settings. */
export const placeholderAddresses: BrokerAddresses = {
  brokers: '127.0.0.1:9092',
  registryUrl: 'http://127.0.0.1:8081',
};

/** The given Kafka and registry, or ones that run for as long as the run's resources do. */
export async function localCluster(
  sources: Sources,
  onProgress: (text: string) => void,
  { signal, resources, fail }: Run,
): Promise<LocalCluster> {
  const given = textOf(sources, kafkaSettings.brokers.name)?.text;
  if (given !== undefined) {
    const registryUrl = textOf(sources, schemaSettings.registryUrl.name)?.text ?? '';
    return { addresses: { brokers: given, registryUrl }, place: 'as KAFKA_BROKERS says' };
  }
  const home = homeOf(sources);
  const { broker: kind } = readSettings(brokerSettings, sources);
  const lease = await acquireBroker({ home, kind, env: sources.env, onProgress, signal });
  resources.defer(() => lease.release());
  lease.lost.catch(fail);
  const { brokers, registryUrl } = lease;
  const way = lease.kind === 'docker' ? 'in containers' : 'embedded';
  return { addresses: { brokers, registryUrl }, place: `${way}, home ${home}` };
}
