import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { composeProject } from '../../../dev/docker/backend.ts';
import { majorVersion } from '../../../dev/embedded/java.ts';
import { freePort } from '../../../dev/ports.ts';

describe('majorVersion', () => {
  it.each([
    ['openjdk version "17.0.15" 2025-04-15', 17],
    ['openjdk version "21" 2023-09-19', 21],
    ['java version "1.8.0_402"', 8],
    ['no Java here', undefined],
  ])('of %s is %s', (text, expected) => {
    expect(majorVersion(text)).toBe(expected);
  });
});

describe('freePort', () => {
  it('is the preferred one while that is free, else another', async () => {
    const first = await freePort(undefined);
    expect(await freePort(first)).toBe(first);
    const server = createServer().listen(first, '127.0.0.1');
    await once(server, 'listening');
    expect(await freePort(first)).not.toBe(first);
    server.close();
  });

  it('is below the ports of outgoing connections, and no two are the same', async () => {
    const ports = await Promise.all(Array.from({ length: 50 }, () => freePort(undefined)));
    expect(new Set(ports).size).toBe(50);
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(20_000);
    expect(Math.max(...ports)).toBeLessThanOrEqual(32_000);
  });
});

describe('composeProject', () => {
  it('is the same for a home and different for another', () => {
    expect(composeProject('/a')).toMatch(/^imwatch-[0-9a-f]{8}$/);
    expect(composeProject('/a')).toBe(composeProject('/a'));
    expect(composeProject('/b')).not.toBe(composeProject('/a'));
  });
});
