// S24: no regular expression lets somebody who chooses the text choose how long it takes.
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { expressionsOf } from '../harness/expressions.ts';

// Pure JavaScript: the same verdicts everywhere, whatever this machine has.
process.env['RECHECK_BACKEND'] = 'pure';
const { checkSync } = await import('recheck');

/** Milliseconds for a verdict; none of those that are given takes a tenth of it. */
const PATIENCE = 120_000;

/** Expressions whose time grows faster than the text, or that nobody can judge, and why that does no harm. */
const PESEES: Readonly<Record<string, string>> = {
  'api/client-errors.ts \\r?\\norigin:[ \\t]*([^\\s]+)[ \\t]*\\r?\\n': 'at most the 16 KiB of a request head',
  'api/corps.ts ;\\s*charset\\s*=\\s*("[^"]*"|\'[^\']*\'|[^;]*)': 'one header, of at most 16 KiB',
  'api/explication.ts \\.?0+$': 'a number that we wrote ourselves',
  'base/log-redaction.ts \\b(Bearer|Basic)(\\s|%20|\\+)[\\w.~+/=%-]+': 'no two ways to read a character',
  'base/log-redaction.ts [\\w.+-]{1,64}(?:@|%40)(?:[\\w-]{1,63}\\.){1,8}(?!log\\b)[a-z]{2,24}\\b':
    'every repetition has a bound, so that a character is looked at a bounded number of times',
  'base/log-redaction.ts :\\/\\/[^\\s/:@"]{0,256}:[^\\s/@"]{0,256}@': 'every repetition has a bound',
  'cli/db-psql.ts ^\\s*\\\\(dt?)(?:\\s+(\\S.*?))?\\s*;?\\s*$': 'a line typed at the keyboard',
  "cli/usage.ts '(.+?)'(?:\\.| argument| does not|$)": 'a message of Node about our own command line',
  'postgres/audit.ts %.*$': 'an address of a socket',
  'postgres/audit.ts \\d+$': 'an address of a socket',
  'api/auth/mot-de-passe.ts =+$': 'base64 that we wrote ourselves',
  'api/auth/mot-de-passe.ts ^\\$argon2id\\$v=19\\$m=(\\d{1,8}),t=(\\d{1,3}),p=(\\d{1,2})(?:,keyid=([0-9a-f]{16}))?\\$([A-Za-z0-9+/]{11,86})\\$([A-Za-z0-9+/]{16,86})$':
    'every repetition has a bound',
  'api/openapi/exemples.ts \\(([^)]*)\\)': 'a pattern of our own schema',
  'base/config/alertes.ts ^(?:(.+?)\\s*:\\s*)?([^:]*)$': 'a setting of the installation',
  "base/config/observation.ts ^\\s*([!#$%&'*+.^_`|~0-9a-z-]+)=(.*?)\\s*$": 'a setting of the installation',
  'base/config/observation.ts \\/+$': 'a setting of the installation',
  'base/config/sftp.ts \\/+$': 'a setting of the installation',
  'domain/commandes/commande.ts ^([+-]?)0*(\\d+?)(?:\\.0*)?$':
    'the number of an order: an integer, or a short text',
  'domain/journal/details.ts 0+$': 'decimals of a line of at most 64 KiB, and of them one number',
  'embedded/simulator/centres.ts ^([^()/\\\\.][^()/\\\\]*?)(?:\\s*\\(([^()]*)\\))?$':
    'an option of `atelier simulate`',
  'embedded/simulator/line-template.ts \\{([^}]*)\\}': 'a template in the program',
  'postgres/sauvegarde/connues.ts ^CREATE (?:OR REPLACE )?((?:FUNCTION|PROCEDURE)\\s+(\\w+)\\s*\\([^)]*\\)[^;]*?\\bAS\\s+(\\$\\w*\\$)([\\s\\S]*?)\\3[^;]*);':
    'our own migrations',
  "postgres/sauvegarde/connues.ts \\bCREATE ((?:CONSTRAINT )?TRIGGER (\\w+)\\s+[^;]*?\\sON\\s+(\"?[\\w%]+\"?)[^;]*?EXECUTE FUNCTION (\\w+)\\((?:[^)']|'[^']*')*\\))":
    'our own migrations',
  'sources/erp/droits.ts ^GRANT (.+) ON (?:TABLE |FUNCTION |PROCEDURE )?(\\S+) TO ': 'a line of SHOW GRANTS',
  'sources/erp/droits.ts \\([^)]*\\)': 'a line of SHOW GRANTS',
  'sources/sftp/hotes-connus.ts =+$': 'base64 that we wrote ourselves',
};

/** Files that make an expression at run time; its parts are constants of the program, never what somebody sends. */
const COMPOSEES = [
  'api/openapi/exemples.ts',
  'api/routes-connues.ts',
  'api/schemas/commun.ts',
  'api/schemas/saisie.ts',
  'api/xlsx/xml.ts',
  'base/homographes.ts',
  'base/horaires.ts',
  'domain/commandes/texte.ts',
  'domain/journal/details.ts',
  'postgres/sauvegarde/filtre.ts',
  'postgres/sauvegarde/formes.ts',
  'sources/sftp/hotes-connus.ts',
];

const { written, made } = expressionsOf(fileURLToPath(new URL('../../src', import.meta.url)));

test('S24: each expression takes a time that grows with the text, or says why that does no harm', () => {
  const judged = new Set<string>();
  const bad: string[] = [];
  const needed = new Set<string>();
  for (const { file, source, flags } of written) {
    const name = `${file} ${source}`;
    if (judged.has(name)) continue;
    judged.add(name);
    // What was weighed is not judged again: a verdict that is hard to give takes long.
    if (name in PESEES) {
      needed.add(name);
      continue;
    }
    const { status } = checkSync(source, flags, { timeout: PATIENCE });
    if (status !== 'safe') bad.push(`${name} : ${status}`);
  }
  expect(written.length).toBeGreaterThan(200);
  expect(bad).toEqual([]);
  expect(Object.keys(PESEES).filter((name) => !needed.has(name))).toEqual([]);
}, 900_000);

test('S24: the judge knows a bad expression', () => {
  expect(checkSync('^(a+)+$', '', { timeout: PATIENCE }).status).toBe('vulnerable');
});

test('S24: expressions are made at run time in few places', () => {
  expect(made.toSorted()).toEqual(COMPOSEES);
});
