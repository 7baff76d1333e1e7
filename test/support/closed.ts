import type { Socket } from 'node:net';

/** Resolves when a connection is closed, whether in order or with an error: a server that ends one may reset it. */
export function closed(socket: Socket): Promise<void> {
  if (socket.closed) return Promise.resolve();
  return new Promise((resolve) => {
    socket.on('error', () => socket.destroy());
    socket.once('close', () => resolve());
  });
}
