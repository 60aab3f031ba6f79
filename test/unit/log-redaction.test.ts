// The net under the logs (M9): secrets go, what helps stays, long lines cost no more than their length.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { erreurPourJournal, messageSansValeurs, sansSecrets } from '../../src/base/log-redaction.ts';

const KEY = `atl_${'0123456789abcdef'.repeat(2)}_${'s'.repeat(43)}`;

test.each([
  [`clé ${KEY} refusée`, 'clé atl_… refusée'],
  [KEY.slice(0, 30), 'atl_…'],
  ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln', 'eyJ…'],
  ['eyJhbGciOi', 'eyJ…'],
  ['Authorization: Bearer abc.def', 'Authorization: Bearer …'],
  ['postgres://atelier:secret@base.example:5432/atelier', 'postgres://…@base.example:5432/atelier'],
  ['550 <camille@plage.example> inconnue', '550 <…@…> inconnue'],
  ['camille%40plage.example', '…@…'],
  ['DEM12/copie@vieux.LOG', 'DEM12/copie@vieux.LOG'],
  ['ATL_D301 : connexion à 127.0.0.1:5432/atelier', 'ATL_D301 : connexion à 127.0.0.1:5432/atelier'],
])('%s', (text, expected) => expect(sansSecrets(text)).toBe(expected));

test('a line of JSON stays one, whatever is in it', () => {
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.constantFrom(KEY, 'a@b.example', 'Bearer x', '://u:p@h'),
      (value, secret) => {
        const line = JSON.stringify({ msg: secret, value, [secret]: [secret] });
        const after = JSON.parse(sansSecrets(line));
        expect(JSON.stringify(after)).not.toContain(secret);
      },
    ),
  );
});

test('an error loses what hangs on it: values, bytes; it keeps what it is, its place and its cause', () => {
  const cause = Object.assign(new Error('invalid input syntax for type uuid: "Camille"'), {
    ...{ code: '22P02', severity: 'ERROR', detail: 'Key (email)=(x)', table: 'user', where: 'Camille' },
  });
  const error = Object.assign(new Error(`reçu ${KEY}`, { cause }), { rawPacket: Buffer.from('GET /') });
  const logged = JSON.stringify(erreurPourJournal(error));
  for (const text of ['Camille', KEY, 'rawPacket', 'Key (']) expect(logged).not.toContain(text);
  for (const text of ['22P02', '"table":"user"', 'log-redaction.test.ts', 'invalid input syntax'])
    expect(logged).toContain(text);
  expect(messageSansValeurs(cause)).toBe('invalid input syntax for type uuid: "…"');
});
