import { type Coffre, normaliser } from '../../base/chiffrement.ts';
import type { Queryable } from '../pool.ts';

/** Networks that are remembered of an account, the latest: home, the workshop, a phone, and a few more. */
const PAR_COMPTE = 10;

/**
 * Whether the account of a name, if there is one, has signed in from a network before. The same work whether there is
 * such an account or not.
 *
 * @param reseau keyed hash of the network
 */
export async function estReseauConnu(
  db: Queryable,
  coffre: Coffre,
  username: string,
  reseau: Buffer,
): Promise<boolean> {
  const { rows } = await db.query<{ connu: boolean }>({
    name: 'reseau-connu',
    text: `SELECT EXISTS (SELECT FROM reseau_connu r JOIN "user" u ON u.id = r.user_id
                           WHERE u.username_index = ANY ($1::bytea[]) AND r.reseau = $2) AS connu`,
    values: [coffre.index('username', username), reseau],
  });
  return rows[0]!.connu;
}

/** Remembers that an account signed in from a network; of many, the ones that were seen last stay. @param maintenant ms */
export async function retenirReseau(
  db: Queryable,
  userId: string,
  reseau: Buffer,
  maintenant: number,
): Promise<void> {
  await db.query(
    `INSERT INTO reseau_connu (user_id, reseau, vu_le) VALUES ($1, $2, $3)
     ON CONFLICT (user_id, reseau) DO UPDATE SET vu_le = greatest(reseau_connu.vu_le, excluded.vu_le)`,
    [userId, reseau, new Date(maintenant)],
  );
  await db.query(
    `DELETE FROM reseau_connu WHERE user_id = $1 AND reseau NOT IN
       (SELECT reseau FROM reseau_connu WHERE user_id = $1 ORDER BY vu_le DESC, reseau LIMIT ${PAR_COMPTE})`,
    [userId],
  );
}

/** Under what failures of a name are counted, wherever they come from but for the networks that are known. */
export function cleDeNom(coffre: Coffre, username: string): Buffer {
  return coffre.empreinte('compte', username);
}

/** Under what failures of a name from a known network are counted: apart from all others. */
export function cleDeNomConnu(coffre: Coffre, username: string, reseau: Buffer): Buffer {
  return coffre.empreinte('compte et réseau', `${normaliser(username)}|${reseau.toString('hex')}`);
}

/** Everything under which failures of an account may be counted: elsewhere first, then each known network. */
export async function clesDuCompte(
  db: Queryable,
  coffre: Coffre,
  compte: { readonly id: string; readonly username: string },
): Promise<Buffer[]> {
  const { rows } = await db.query<{ reseau: Buffer }>(
    'SELECT reseau FROM reseau_connu WHERE user_id = $1 ORDER BY reseau',
    [compte.id],
  );
  return [
    cleDeNom(coffre, compte.username),
    ...rows.map(({ reseau }) => cleDeNomConnu(coffre, compte.username, reseau)),
  ];
}
