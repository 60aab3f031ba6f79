import { readMigrations } from '../migrate.ts';

/** A function that a migration makes. */
interface Fonction {
  readonly nom: string;
  readonly corps: string;
  readonly sql: string;
}

/** A trigger that a migration makes; without a table when it makes it on several (`%I`). */
interface Declencheur {
  readonly nom: string;
  readonly table: string | undefined;
  readonly fonction: string;
  readonly sql: string;
}

/** What of this program runs inside the database: the text of it comes from the program, never from a backup. */
export interface Connues {
  readonly fonctions: readonly Fonction[];
  readonly declencheurs: readonly Declencheur[];
}

let known: Connues | undefined;

/** Functions and triggers of all migrations, the newest last. */
export function connues(): Connues {
  known ??= lireConnues(
    readMigrations()
      .map(({ sql }) => sql)
      .join('\n'),
  );
  return known;
}

/** Functions and triggers in the text of migrations. */
export function lireConnues(sql: string): Connues {
  const fonctions: Fonction[] = [];
  const declencheurs: Declencheur[] = [];
  const routine =
    /^CREATE (?:OR REPLACE )?((?:FUNCTION|PROCEDURE)\s+(\w+)\s*\([^)]*\)[^;]*?\bAS\s+(\$\w*\$)([\s\S]*?)\3[^;]*);/gm;
  for (const [, text = '', nom = '', , corps = ''] of sql.matchAll(routine))
    fonctions.push({ nom, corps, sql: `CREATE OR REPLACE ${text}` });
  const trigger =
    /\bCREATE ((?:CONSTRAINT )?TRIGGER (\w+)\s+[^;]*?\sON\s+("?[\w%]+"?)[^;]*?EXECUTE FUNCTION (\w+)\((?:[^)']|'[^']*')*\))/g;
  for (const [, text = '', nom = '', on = '', fonction = ''] of sql.matchAll(trigger)) {
    const table = on === '%I' ? undefined : on.replaceAll('"', '');
    declencheurs.push({ nom, table, fonction, sql: `CREATE ${text}` });
  }
  return { fonctions, declencheurs };
}
