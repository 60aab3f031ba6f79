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
      tests: integration('purge-limites', 'purge', 'purge-retours'),
    },
    { sources: purge('garde', 'depot'), tests: integration('purge-limites', 'purge-horloge', 'purge') },
    {
      sources: ['src/jobs/purge.ts', 'src/postgres/conservation/tables.ts'],
      tests: integration('purge-limites', 'purge', 'purge-horloge'),
    },
    { sources: purge('comptes'), tests: integration('oubli') },
    {
      sources: ['src/postgres/conservation/jours.ts', 'src/postgres/conservation/rejets.ts'],
      tests: integration('purge-limites', 'purge', 'purge-retours'),
    },
  ],
  effacement: [
    { sources: comptes('oubli'), tests: integration('oubli-comptes') },
    { sources: ['src/archives/effacements.ts', 'src/archives/ajout.ts'], tests: unit('effacements') },
    {
      sources: ['src/jobs/rejeu-effacements.ts'],
      tests: integration('rejeu-effacements', 'oubli', 'reconstruction-purge'),
    },
  ],
  connexion: [
    {
      sources: [...comptes('tentatives', 'reseaux-connus'), ...api('auth/freinage', 'auth/adresse')],
      tests: integration('api-freinage'),
    },
    { sources: api('auth/mot-de-passe', 'auth/politique'), tests: unit('mot-de-passe') },
    { sources: api('auth/devinable'), tests: unit('devinable', 'mot-de-passe') },
    {
      sources: [...api('auth/connexion', 'auth/verification', 'auth/refus', 'auth/cookie')],
      tests: integration('api-token', 'api-rafraichissement'),
    },
    { sources: api('auth/premier-compte'), tests: integration('api-premier-compte') },
    { sources: comptes('users-gardes'), tests: integration('api-users') },
    { sources: api('auth/mot-de-passe-actuel'), tests: integration('api-mot-de-passe-actuel') },
    { sources: comptes('coffre'), tests: integration('users-cles', 'users-rotation', 'users-chiffrement') },
    { sources: comptes('cles-emballees'), tests: integration('sauvegarde-cles') },
  ],
};
