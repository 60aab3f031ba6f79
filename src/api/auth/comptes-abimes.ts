import type { Compte } from '../../postgres/comptes/users.ts';

/**
 * Says in the log that the row of an account is damaged, and what to do; nothing about any other. Whoever asked gets what
 * can be read of it.
 */
export function direAbime(
  log: { error(what: object, message: string): void },
  { id, abime }: Pick<Compte, 'id' | 'abime'>,
): void {
  if (!abime) return;
  log.error(
    { compte: id },
    'compte illisible : sa ligne est abîmée dans la base ; supprimez-le (DELETE /users/{id} ou `atelier user forget ID`), puis refaites-le',
  );
}
