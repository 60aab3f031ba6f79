// The log as a person reads it on a terminal.

import { expect, it } from 'vitest';
import { proseLine } from '../../src/base/log-prose.ts';

const LINE = { level: 'warn', time: '2025-05-28T04:10:00.000Z', pid: 7, msg: 'mis de côté' };

it('shows hour, mark, message and details of a line', () => {
  const line = JSON.stringify({ ...LINE, fichier: 'DEM12/a.LOG', lignes: 3, absent: null });
  expect(proseLine(line, 'Europe/Paris')).toBe('06:10:00  ⚠ mis de côté : DEM12/a.LOG · lignes 3');
});

it('S26: a name that would turn the line round, or the terminal, is shown without what does', () => {
  const hostile = 'GOL.\u202e0140520.LOG\u001b[2J\u2066x\u2028y\u009bz';
  const shown = proseLine(JSON.stringify({ ...LINE, fichier: hostile, 'cle\u202e': hostile }));
  expect(shown).not.toMatch(/[\p{Cc}\u2028\u2029\p{Bidi_Control}]/u);
  expect(shown).toContain('GOL. 0140520.LOG [2J x y z');
});
