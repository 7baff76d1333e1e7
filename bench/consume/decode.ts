// Verdicts decoded in a second by one core, from memory.
import { EventDecoder } from '../../consumers/runtime/decoder.ts';
import { RecordEncoder } from '../../schemas/codec.ts';
import { avroType, recordSchemas } from '../../schemas/records.ts';
import type { SchemaRegistry } from '../../schemas/registry.ts';
import { aVerdict, tell } from './place.ts';

const registry = { writerType: async () => avroType(recordSchemas.ContentVerdict) } as unknown as SchemaRegistry;
const decoder = new EventDecoder('ContentVerdict', registry);
const encoder = new RecordEncoder('ContentVerdict', 1);
const records = Array.from({ length: 10_000 }, (_, number) => encoder.encode(aVerdict(number, 1_000)));
for (const record of records) await decoder.decode(record);
const before = process.cpuUsage();
const rounds = 50;
for (let round = 0; round < rounds; round += 1) {
  for (const record of records) if (decoder.decodeKnown(record) === undefined) throw new Error('not decoded');
}
const { user, system } = process.cpuUsage(before);
tell({ decodedPerCpuSecond: (rounds * records.length) / ((user + system) / 1e6) });
