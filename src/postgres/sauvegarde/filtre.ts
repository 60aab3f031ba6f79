import { Formes } from './formes.ts';
import { decouper, FormeRefusee } from './jetons.ts';

const NAME = '(?:[a-z_\\u0080-\\uffff][\\w\\u0080-\\uffff$]*|"(?:[^"]|"")+")';
const OBJECT = new RegExp(`${NAME}\\.${NAME}`);
const SEQUENCES = new RegExp(`SEQUENCE NAME (${NAME}\\.${NAME})`, 'g');

/**
 * Keeps out of a backup what a restoration would refuse: functions and triggers that others made, expressions that reach
 * beyond the rows, and whatever hangs on them. Each is named, so that nobody thinks that it was saved.
 */
export class Filtre {
  readonly #formes: Formes;
  readonly #absents = new Set<string>();
  /** what was left out, and why, in French */
  readonly ecartees: string[] = [];

  constructor(schema: string) {
    this.#formes = new Formes(schema);
  }

  /** The statements that a restoration will play, in their order. */
  garder(statements: readonly string[]): string[] {
    return statements.filter((statement) => this.#admis(statement));
  }

  /** Whether an object (`schema.name` as PostgreSQL writes it) was left out. */
  absent(objet: string): boolean {
    return this.#absents.has(objet);
  }

  #admis(statement: string): boolean {
    const missing = [...this.#absents].find((name) => mentions(statement, name));
    if (missing !== undefined) {
      this.#ecarter(statement, `tient à ${missing}`);
      return false;
    }
    try {
      for (const enonce of decouper(statement)) this.#formes.admettre(enonce);
      return true;
    } catch (error) {
      if (!(error instanceof FormeRefusee)) throw error;
      this.#ecarter(statement, error.message.split('» : ').at(-1)!);
      return false;
    }
  }

  #ecarter(statement: string, why: string): void {
    const what = statement.replaceAll(/\s+/g, ' ').slice(0, 90);
    this.ecartees.push(`${what} (${why})`);
    // A trigger hangs on a table, and takes nothing else along; neither does a constraint or an index.
    if (!/^CREATE (OR REPLACE (FUNCTION|PROCEDURE)|(UNLOGGED )?TABLE|VIEW|TYPE|SEQUENCE) /.test(statement))
      return;
    const [name] = OBJECT.exec(statement) ?? [];
    if (name !== undefined) this.#absents.add(name);
    for (const [, sequence = ''] of statement.matchAll(SEQUENCES)) this.#absents.add(sequence);
  }
}

function mentions(statement: string, name: string): boolean {
  for (let at = statement.indexOf(name); at >= 0; at = statement.indexOf(name, at + 1))
    if (!/[\w$"\u0080-\uffff]/.test(statement[at + name.length] ?? '')) return true;
  return false;
}
