// A connection that is lost in the very moment it is handed out: the one who wanted it learns of it, nobody else.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { createPool, createWorkerPool, withClient } from '../../src/postgres/pool.ts';
import { creerFile } from '../../src/postgres/taches/file-taches.ts';

/** A message of PostgreSQL's protocol. */
function message(type: string, body: string | Buffer): Buffer {
  const bytes = Buffer.from(body);
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(bytes.length + 4, 1);
  return Buffer.concat([head, bytes]);
}

/** Says « come in » and « go away » in one breath, as a server that ends sessions may. */
const WELCOME_AND_OUT = Buffer.concat([
  message('R', Buffer.from([0, 0, 0, 0])),
  message('Z', 'I'),
  message('E', 'SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0'),
]);

let server: Server;
let url: string;
beforeEach(async () => {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(WELCOME_AND_OUT));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `postgresql://x:y@127.0.0.1:${(server.address() as AddressInfo).port}/z`;
});
afterEach(() => new Promise<void>((done) => server.close(() => done())));

describe('O10, O6: a session that is ended as it begins', () => {
  it.each([
    ['the pool of commands', createPool],
    ['the pool of workers', createWorkerPool],
  ])('%s: the query fails, the process lives', async (_name, make) => {
    const pool = make(url, { logger: silentLogger(), max: 1 });
    for (let i = 0; i < 3; i++) {
      await expect(withClient(pool, (client) => client.query('SELECT 1'))).rejects.toThrow();
    }
    await pool.end();
  });

  it('the queue of tasks', async () => {
    const boss = creerFile({ url, logger: silentLogger() });
    await expect(boss.start()).rejects.toThrow();
    await boss.stop({ graceful: false }).catch(() => undefined);
  });
});
