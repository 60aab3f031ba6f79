import type { Coffre } from '../../base/chiffrement.ts';
import type { ColonneChiffree } from '../../base/cle-de-compte.ts';
import { AtelierError } from '../../base/errors.ts';
import type { Role } from '../../base/roles.ts';
import type { Client } from '../pool.ts';

/*
 * What the table of accounts refuses beyond its constraints. True when acted on only under `verrouillerComptes`.
 */

/** ATL_A502 with the field that was refused, for whoever answers with a pointer to it. */
export class CompteRefuse extends AtelierError {
  readonly champ: 'username' | 'email' | 'role' | 'actif' | undefined;
  /** `doublon`: another account has this value; `dernier_admin`: nobody would be left to manage accounts; `abime`: the row is damaged */
  readonly raison: 'doublon' | 'dernier_admin' | 'abime';

  constructor(raison: CompteRefuse['raison'], champ: CompteRefuse['champ'], message: string) {
    super('ATL_A502', message);
    this.name = 'CompteRefuse';
    this.raison = raison;
    this.champ = champ;
  }
}

const TAKEN = {
  username: 'Ce nom est déjà celui d’un compte.',
  email: 'Cette adresse est déjà celle d’un compte.',
} as const;

/** The unique constraint sees one key only; while keys change, a name may be there under the other. */
export async function refuserDoublon(
  client: Client,
  coffre: Coffre,
  champ: ColonneChiffree,
  value: string,
  saufId?: string,
): Promise<void> {
  const { rowCount } = await client.query(
    `SELECT FROM "user" WHERE ${champ}_index = ANY ($1::bytea[]) AND id IS DISTINCT FROM $2::uuid`,
    [coffre.index(champ, value), saufId ?? null],
  );
  if (rowCount !== 0) throw new CompteRefuse('doublon', champ, TAKEN[champ]);
}

/** Refuses when nobody else would be left to manage accounts. */
export async function garderUnAdmin(
  client: Client,
  compte: { id: string; role: Role; actif: boolean },
  champ: 'role' | 'actif' | undefined,
): Promise<void> {
  if (compte.role !== 'admin' || !compte.actif) return;
  const { rowCount } = await client.query(
    `SELECT FROM "user" WHERE role = 'admin' AND actif AND id <> $1 LIMIT 1`,
    [compte.id],
  );
  if (rowCount === 0)
    throw new CompteRefuse(
      'dernier_admin',
      champ,
      'C’est le dernier compte admin actif : donnez d’abord ce rôle à un autre compte.',
    );
}
