import { parseArgs } from 'node:util';
import { type Cli, UsageError } from './cli.ts';
import { ACTIONS, type Demande } from './user-actions.ts';

export const summary = 'les comptes de l’API : add, list, disable, enable, role, password, forget, rotation';
export const usage = `Usage : npx atelier user add NOM --email ADRESSE [--role ROLE] [--mot-de-passe-stdin]
       npx atelier user list [--json | --csv]
       npx atelier user disable NOM
       npx atelier user enable NOM
       npx atelier user role NOM ROLE
       npx atelier user password NOM [--mot-de-passe-stdin]
       npx atelier user forget NOM|ID [--oui]
       npx atelier user rotation

Les comptes de l’API et du tableau de bord. Il faut SECRET_KEY et CLE_CHIFFREMENT (voir .env_exemple).
ROLE : lecteur, gestionnaire ou admin. Le premier compte est admin, les suivants lecteur, sauf --role.

Le mot de passe est demandé deux fois, sans s’afficher ; --mot-de-passe-stdin le lit sur la première ligne de
l’entrée standard. Il n’est jamais un argument : les autres utilisateurs de la machine les voient.

disable, role et password coupent aussitôt les sessions ouvertes du compte ; password lève aussi le délai que des
échecs de connexion lui ont valu. Le dernier admin actif ne peut être
ni désactivé, ni changé de rôle.

forget : oublie une personne (RGPD, article 17). Son compte, ses clés et ses connexions sont supprimés aussitôt ; dans le
journal d’audit un identifiant tiré au hasard prend sa place. C’est sans retour, aussi après la restauration d’une
sauvegarde plus ancienne (ARCHIVES_DIR/effacements.jsonl). ID sert pour un compte déjà supprimé. --oui ne demande rien.

La clé du compte est effacée avec lui, aussi à côté des sauvegardes : celles d’avant ne le donnent plus à lire.

rotation : pour changer de clé de chiffrement, mettez la nouvelle dans CLE_CHIFFREMENT et l’ancienne dans
CLE_CHIFFREMENT_PRECEDENTE, relancez les serveurs, puis \`rotation\` rechiffre les clés de tous les comptes sans rien arrêter
(interrompue, elle reprend où elle en était ; un compte abîmé est nommé, les autres passent). Ensuite seulement, retirez
CLE_CHIFFREMENT_PRECEDENTE ; gardez l’ancienne clé tant qu’il existe des sauvegardes d’avant que les comptes n’aient chacun la leur.

Codes de sortie : 0 fait, 1 échec, 2 mauvais usage.`;

/** Arguments that each action takes, and whether it makes a password. */
const SHAPES: Readonly<Record<keyof typeof ACTIONS, { args: readonly string[]; password?: true }>> = {
  add: { args: ['NOM'], password: true },
  list: { args: [] },
  disable: { args: ['NOM'] },
  enable: { args: ['NOM'] },
  role: { args: ['NOM', 'ROLE'] },
  password: { args: ['NOM'], password: true },
  forget: { args: ['NOM'] },
  rotation: { args: [] },
};

export async function run(args: string[], cli: Cli): Promise<number> {
  const { action, demande } = read(args);
  return await ACTIONS[action](cli, demande);
}

/** What is typed in the wrong place may be a password: messages never repeat an argument, but for the action. */
function read(args: string[]): { action: keyof typeof ACTIONS; demande: Demande } {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      email: { type: 'string' },
      role: { type: 'string' },
      'mot-de-passe-stdin': { type: 'boolean' },
      oui: { type: 'boolean' },
      json: { type: 'boolean' },
      csv: { type: 'boolean' },
    },
  });
  const [action, ...rest] = positionals;
  if (action === undefined)
    throw new UsageError(`il manque l’action, l’une de ${Object.keys(ACTIONS).join(', ')}`);
  if (!isAction(action)) {
    throw new UsageError(
      `action inconnue « ${action} », attendu l’une de ${Object.keys(ACTIONS).join(', ')}`,
    );
  }
  const shape = SHAPES[action];
  const missing = shape.args[rest.length];
  if (missing !== undefined) throw new UsageError(`${action} : il manque ${missing}`);
  if (rest.length > shape.args.length) {
    throw new UsageError(
      shape.password
        ? `${action} : un argument de trop ; le mot de passe n’est jamais un argument`
        : `${action} : un argument de trop`,
    );
  }
  const { email, role, json, csv } = values;
  const misplaced = [
    action !== 'add' && email !== undefined && '--email',
    action !== 'add' && role !== undefined && '--role',
    !shape.password && values['mot-de-passe-stdin'] && '--mot-de-passe-stdin',
    action !== 'forget' && values.oui && '--oui',
    action !== 'list' && json && '--json',
    action !== 'list' && csv && '--csv',
  ].find((name) => typeof name === 'string');
  if (misplaced) throw new UsageError(`${action} : ${misplaced} n’y a pas de sens`);
  const [nom = '', argument = ''] = rest;
  const stdin = values['mot-de-passe-stdin'] ?? false;
  return {
    action,
    demande: { nom, role: role ?? (argument || undefined), email, stdin, json, csv, oui: values.oui },
  };
}

function isAction(name: string): name is keyof typeof ACTIONS {
  return Object.hasOwn(ACTIONS, name);
}
