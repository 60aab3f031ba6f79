/** Sources that are judged together, and the tests that have to notice; quick ones first. */
export interface Groupe {
  readonly sources: readonly string[];
  readonly tests: readonly string[];
}

const api = (...names: string[]): string[] => names.map((name) => `src/api/${name}.ts`);
const comptes = (...names: string[]): string[] => names.map((name) => `src/postgres/comptes/${name}.ts`);
const purge = (...names: string[]): string[] => names.map((name) => `src/jobs/purge/${name}.ts`);
const unit = (...names: string[]): string[] => names.map((name) => `test/unit/${name}.test.ts`);
const integration = (...names: string[]): string[] => names.map((name) => `test/integration/${name}.test.ts`);

/** At least so many of a hundred mutants must be noticed, in every area. */
export const SEUIL = 85;

/** Areas in which a change that no test notices does harm to persons. */
export const DOMAINES: Readonly<Record<string, readonly Groupe[]>> = {
  jetons: [
    { sources: api('auth/jetons', 'auth/cle'), tests: unit('jetons') },
    { sources: api('auth/etats'), tests: unit('etats') },
    { sources: api('auth/authentifier'), tests: integration('api-jwt', 'api-cles') },
    { sources: comptes('rafraichissements'), tests: integration('api-rafraichissement') },
    { sources: comptes('cles'), tests: integration('api-cles') },
  ],
  portees: [{ sources: api('acces', 'inclusions'), tests: unit('portees') }],
  conservation: [
    {
      sources: [
        'src/domain/conservation/coupure.ts',
        'src/domain/conservation/duree.ts',
        'src/base/config/conservation.ts',
      ],
      tests: unit('conservation'),
    },
    {
      sources: [...purge('contexte', 'jours', 'mises-de-cote'), 'src/postgres/conservation/jours-geles.ts'],
      tests: integration('purge', 'purge-retours', 'purge-lecture'),
    },
    { sources: purge('garde', 'depot'), tests: integration('purge-horloge', 'purge') },
    {
      sources: ['src/jobs/purge.ts', ...purge('comptes'), 'src/postgres/conservation/tables.ts'],
      tests: integration('oubli', 'purge', 'purge-horloge'),
    },
    {
      sources: ['src/postgres/conservation/jours.ts', 'src/postgres/conservation/rejets.ts'],
      tests: integration('purge', 'purge-retours'),
    },
  ],
  effacement: [
    { sources: comptes('oubli'), tests: integration('oubli') },
    { sources: ['src/archives/effacements.ts', 'src/archives/ajout.ts'], tests: unit('effacements') },
    { sources: ['src/jobs/rejeu-effacements.ts'], tests: integration('rejeu-effacements') },
  ],
  connexion: [
    { sources: comptes('tentatives'), tests: integration('api-freinage') },
    {
      sources: [...api('auth/freinage', 'auth/adresse'), ...comptes('reseaux-connus')],
      tests: integration('api-freinage'),
    },
    { sources: api('auth/mot-de-passe', 'auth/politique'), tests: unit('mot-de-passe') },
    {
      sources: [...api('auth/connexion', 'auth/verification', 'auth/refus', 'auth/cookie')],
      tests: integration('api-token', 'api-rafraichissement'),
    },
    { sources: api('auth/premier-compte'), tests: integration('api-premier-compte') },
    { sources: comptes('users-gardes'), tests: integration('api-users') },
  ],
};
