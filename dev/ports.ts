import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that systems take for outgoing connections, so that none of those gets one before its server listens. */
const lowestPort = 20_000;
const highestPort = 32_000;
const attempts = 200;

/** Ports that this process has tried; servers of those that it chose may not listen yet. */
const chosen = new Set<number>();

/** `preferred` when it is free on 127.0.0.1, else a port from 20000 to 32000 that is. */
export async function freePort(preferred: number | undefined): Promise<number> {
  if (preferred !== undefined && (await canListen(preferred))) return preferred;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const port = randomInt(lowestPort, highestPort + 1);
    if (chosen.has(port)) continue;
    chosen.add(port);
    if (await canListen(port)) return port;
  }
  throw new Error(`No port is free on 127.0.0.1: tried ${attempts} from ${lowestPort} to ${highestPort}`);
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
