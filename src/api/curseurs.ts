import type { Position } from '../postgres/lecture/curseur.ts';
import type { Tri } from '../postgres/lecture/table-lue.ts';
import { ordreComplet } from '../postgres/lecture/table-lue.ts';
import { Probleme } from './problemes.ts';

/** A cursor is the order it was made for and a position in it. It is no secret and grants nothing. */
export function ecrireCurseur(tri: readonly Tri[], position: Position): string {
  return Buffer.from(JSON.stringify([ordreTexte(tri), position])).toString('base64url');
}

/** @throws Probleme 422 when it is none of ours, or was made for another order */
export function lireCurseur(curseur: string, tri: readonly Tri[]): Position {
  const refuse = (detail: string): Probleme =>
    new Probleme(422, detail, { errors: [{ pointer: '/query/cursor', detail }] });
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(curseur, 'base64url').toString());
  } catch {
    throw refuse('Ce curseur n’est pas de ceux que l’API donne.');
  }
  if (!Array.isArray(content) || content.length !== 2 || !Array.isArray(content[1])) {
    throw refuse('Ce curseur n’est pas de ceux que l’API donne.');
  }
  const [ordre, position] = content as [unknown, unknown[]];
  if (ordre !== ordreTexte(tri))
    throw refuse('Ce curseur a été fait pour un autre tri ; gardez le même tri, ou repartez du début.');
  const valid = position.every(
    (value) => value === null || (typeof value === 'string' && !value.includes('\u0000')),
  );
  if (!valid || position.length !== ordreComplet(tri).length)
    throw refuse('Ce curseur n’est pas de ceux que l’API donne.');
  return position as Position;
}

function ordreTexte(tri: readonly Tri[]): string {
  return ordreComplet(tri)
    .map(({ colonne, sens }) => (sens === 'desc' ? `-${colonne}` : colonne))
    .join(',');
}
