import { connues } from './connues.ts';
import { decouper, type Enonce, FormeRefusee, type Jeton } from './jetons.ts';
import { motAdmis } from './mots.ts';

/** A statement of a backup that may be played. */
export interface Instruction {
  /** what to send: of functions and triggers the program's own text */
  readonly sql: string;
  /** role that it gives a right to; nothing to send where that role is not */
  readonly role?: string;
  /** how psql is told the same, when that differs */
  readonly psql?: string;
}

/** First statements of each dump, word for word. */
export const ENTETE = [
  'SET statement_timeout = 0',
  "SET client_encoding = 'UTF8'",
  'SET standard_conforming_strings = on',
  'SET check_function_bodies = false',
  'SET client_min_messages = warning',
  'SET row_security = off',
  "SELECT pg_catalog.set_config('search_path', '', false)",
];

const IDENT = '(?:[a-z_\\u0080-\\uffff][\\w\\u0080-\\uffff$]*|"(?:[^"]|"")+")';
const TEXT = "(?:[eE]'[^'\\\\]*(?:(?:''|\\\\[\\s\\S])[^'\\\\]*)*'|'[^']*(?:''[^']*)*')";
const SETVAL = new RegExp(`^SELECT pg_catalog\\.setval\\(${TEXT}, -?\\d+, (?:true|false)\\)$`);
const SIGNATURE = '\\((?:[\\w\\u0080-\\uffff", .[\\]])*\\)';
const PRIVILEGE = '(?:SELECT|INSERT|UPDATE|DELETE|TRUNCATE|REFERENCES|TRIGGER|USAGE|MAINTAIN|EXECUTE)';
const DROIT = new RegExp(
  `^DO \\$droits\\$ BEGIN IF EXISTS \\(SELECT FROM pg_catalog\\.pg_roles WHERE rolname = (${TEXT})\\) THEN\\n` +
    ` {2}(GRANT ${PRIVILEGE}(?: \\(${IDENT}\\))? ON (?:(?:FUNCTION|PROCEDURE) )?(${IDENT})\\.${IDENT}(?:${SIGNATURE})? TO (${IDENT})(?: WITH GRANT OPTION)?);\\nEND IF; END \\$droits\\$$`,
);
const RETRAIT = new RegExp(
  `^REVOKE ALL ON (?:FUNCTION|PROCEDURE) ${IDENT}\\.${IDENT}${SIGNATURE} FROM PUBLIC$`,
);
const COPIE =
  /^COPY ("(?:[^"\n]|"")+")\.("(?:[^"\n]|"")+") \("(?:[^"\n]|"")+"(?:, "(?:[^"\n]|"")+")*\) FROM stdin;$/;

/**
 * What a backup may do to a database: the forms that this program writes itself, on objects of one schema, with
 * expressions that only compute. Programs, files, other servers, blocks of code, functions and triggers that are not the
 * program's own are refused: whoever wrote the backup must not be obeyed, only believed about rows.
 */
export class Formes {
  readonly #schema: string;

  constructor(schema: string) {
    this.#schema = schema;
  }

  /** The statements of a part of a dump. @throws FormeRefusee */
  lire(sql: string): Instruction[] {
    return decouper(sql).map((enonce) => this.admettre(enonce));
  }

  /** @throws FormeRefusee when the statement is none that this program writes */
  admettre(enonce: Enonce): Instruction {
    try {
      return this.#admettre(enonce);
    } catch (error) {
      if (!(error instanceof FormeRefusee)) throw error;
      const debut = enonce.texte.replaceAll(/\s+/g, ' ').slice(0, 90);
      throw new FormeRefusee(`« ${debut} » : ${error.message}`);
    }
  }

  /** Table of a COPY line. @throws FormeRefusee */
  copie(line: string): string {
    const match = COPIE.exec(line);
    const [schema, table] = [match?.[1], match?.[2]].map((name) => name?.slice(1, -1).replaceAll('""', '"'));
    if (table === undefined || schema !== this.#schema)
      throw new FormeRefusee(`« ${line.slice(0, 90)} » : ce n’est pas une copie de lignes`);
    return table;
  }

  #admettre({ texte, jetons }: Enonce): Instruction {
    if (ENTETE.includes(texte) || SETVAL.test(texte) || RETRAIT.test(texte)) return { sql: texte };
    const droit = DROIT.exec(texte);
    if (droit) return this.#droit(droit);
    const words = new Mots(jetons);
    if (words.prend('comment', 'on')) return this.#commentaire(texte, jetons);
    if (words.prend('alter', 'sequence')) {
      this.#objet(words);
      if (!words.prend('owned', 'by')) throw new FormeRefusee('forme inconnue');
      this.#objet(words);
      words.exiger('.');
      words.nom();
      words.fin();
      return { sql: texte };
    }
    if (words.prend('alter', 'table')) return this.#alterTable(texte, words);
    if (!words.prend('create')) throw new FormeRefusee('forme inconnue');
    if (words.prend('or', 'replace')) return this.#fonction(words);
    if (words.prend('trigger') || words.prend('constraint', 'trigger'))
      return this.#declencheur(jetons, words);
    if (words.prend('type')) {
      this.#objet(words);
      if (!words.prend('as', 'enum')) throw new FormeRefusee('forme inconnue');
    } else if (words.prend('sequence') || words.prend('statistics') || words.prend('view')) {
      this.#objet(words);
    } else if (words.prend('unlogged', 'table') || words.prend('table')) {
      this.#objet(words);
      words.groupe();
      if (words.prend('with')) words.groupe();
      words.fin();
    } else if (words.prend('unique', 'index') || words.prend('index')) {
      words.nom();
      words.exiger('on');
      words.prend('only');
      this.#objet(words);
    } else {
      throw new FormeRefusee('forme inconnue');
    }
    this.#expressions(jetons);
    return { sql: texte };
  }

  /** A right: the block that psql needs is not played, only what is in it. */
  #droit([texte = '', literal = '', sql = '', schema = '', grantee = '']: RegExpExecArray): Instruction {
    const role = unquote(grantee);
    if (unquote(schema) !== this.#schema) throw new FormeRefusee(`pas dans le schéma ${this.#schema}`);
    if (literal.slice(1, -1).replaceAll("''", "'") !== role) throw new FormeRefusee('droit d’un autre rôle');
    return { sql, role, psql: texte };
  }

  #commentaire(texte: string, jetons: readonly Jeton[]): Instruction {
    const [is, what] = jetons.slice(-2);
    const said = what?.genre === 'texte' || what?.valeur === 'null';
    const on = jetons.slice(2, -2);
    const named = on.every(({ genre, valeur }) => /^(mot|nom)$/.test(genre) || /^[.,()[\]]$/.test(valeur));
    const kind = /^(table|view|sequence|index|column|function|procedure|trigger|constraint)$/;
    if (is?.valeur !== 'is' || !said || !named || !kind.test(on[0]?.valeur ?? ''))
      throw new FormeRefusee('forme inconnue');
    return { sql: texte };
  }

  #alterTable(texte: string, words: Mots): Instruction {
    words.prend('only');
    this.#objet(words);
    if (words.prend('enable', 'always', 'trigger') || words.prend('enable', 'replica', 'trigger')) {
      words.nom();
      words.fin();
      return { sql: texte };
    }
    if (!words.prend('add', 'constraint')) throw new FormeRefusee('forme inconnue');
    words.nom();
    if (!/^(primary|unique|foreign|exclude|check|not)$/.test(words.suivant()?.valeur ?? ''))
      throw new FormeRefusee('forme inconnue');
    this.#expressions(words.jetons);
    return { sql: texte };
  }

  /** A function is known by its name and its body; what is made is the program's own. */
  #fonction(words: Mots): Instruction {
    if (!words.prend('function') && !words.prend('procedure')) throw new FormeRefusee('forme inconnue');
    const nom = this.#objet(words);
    const bodies = words.jetons.filter(({ genre }) => genre === 'corps');
    const body =
      bodies.length === 1 ? bodies[0]!.valeur.replace(/^\$\w*\$([\s\S]*)\$\w*\$$/, '$1') : undefined;
    const known = connues().fonctions.findLast((one) => one.nom === nom && one.corps === body);
    if (!known) throw new FormeRefusee(`la fonction ${nom} n’est pas celle d’atelier`);
    return { sql: this.#dansSchema(known.sql) };
  }

  /** A trigger is known by its name, its table and its function; what is made is the program's own. */
  #declencheur(jetons: readonly Jeton[], words: Mots): Instruction {
    const nom = words.nom();
    const on = jetons.findIndex(({ genre, valeur }) => genre === 'mot' && valeur === 'on');
    const execute = jetons.findLastIndex(({ genre, valeur }) => genre === 'mot' && valeur === 'execute');
    const table = this.#objet(new Mots(jetons.slice(on + 1)));
    const fonction = this.#objet(new Mots(jetons.slice(execute + 2)));
    const known = connues().declencheurs.findLast(
      (one) => one.nom === nom && one.fonction === fonction && (one.table ?? table) === table,
    );
    if (!known) throw new FormeRefusee(`le déclencheur ${nom} n’est pas d’atelier`);
    return { sql: this.#dansSchema(known.sql.replace('%I', quote(table))) };
  }

  #dansSchema(sql: string): string {
    return `SET search_path = ${quote(this.#schema)}; ${sql}; SET search_path = ''`;
  }

  /** The name of an object, which must be of the schema. */
  #objet(words: Mots): string {
    const schema = words.nom();
    if (schema !== this.#schema || !words.prend('.'))
      throw new FormeRefusee(`pas dans le schéma ${this.#schema}`);
    return words.nom();
  }

  /** Nothing but computing: no function that is not known to do that, no table of the system. */
  #expressions(jetons: readonly Jeton[]): void {
    for (const [i, { genre, valeur }] of jetons.entries()) {
      if (genre === 'corps') throw new FormeRefusee('texte de programme');
      if (genre !== 'mot' && genre !== 'nom') continue;
      const qualified = jetons[i - 1]?.valeur === '.';
      const called = jetons[i + 1]?.valeur === '(';
      const schema = qualified ? jetons[i - 2]?.valeur : undefined;
      if (called && !this.#appelable(valeur, schema, jetons[i - (qualified ? 3 : 1)]?.valeur))
        throw new FormeRefusee(`la fonction ${valeur} n’y a pas sa place`);
      if (!called && /^(pg_(?!catalog$)|information_schema$|operator$)/.test(valeur))
        throw new FormeRefusee(`${valeur} n’y a pas sa place`);
    }
  }

  #appelable(nom: string, schema: string | undefined, before: string | undefined): boolean {
    if (schema === undefined || schema === 'pg_catalog') return motAdmis(nom);
    if (schema !== this.#schema) return false;
    return (
      /^(references|table|on|statistics)$/.test(before ?? '') ||
      connues().fonctions.some((one) => one.nom === nom)
    );
  }
}

/** Words of a statement, read from left to right. */
class Mots {
  readonly jetons: readonly Jeton[];
  #at = 0;

  constructor(jetons: readonly Jeton[]) {
    this.jetons = jetons;
  }

  suivant(): Jeton | undefined {
    return this.jetons[this.#at];
  }

  /** Takes words that come next, all of them or none. */
  prend(...words: string[]): boolean {
    const there = words.every((word, i) => {
      const jeton = this.jetons[this.#at + i];
      return jeton?.valeur === word && jeton.genre !== 'nom' && jeton.genre !== 'texte';
    });
    if (there) this.#at += words.length;
    return there;
  }

  exiger(word: string): void {
    if (!this.prend(word)) throw new FormeRefusee('forme inconnue');
  }

  nom(): string {
    const jeton = this.jetons[this.#at++];
    if (jeton?.genre !== 'mot' && jeton?.genre !== 'nom') throw new FormeRefusee('forme inconnue');
    return jeton.valeur;
  }

  /** Takes a pair of brackets and what is in it. */
  groupe(): void {
    this.exiger('(');
    for (let depth = 1; depth > 0; this.#at++) {
      const jeton = this.suivant();
      if (!jeton) throw new FormeRefusee('parenthèses');
      if (jeton.genre === 'signe') depth += jeton.valeur === '(' ? 1 : jeton.valeur === ')' ? -1 : 0;
    }
  }

  fin(): void {
    if (this.suivant()) throw new FormeRefusee('forme inconnue');
  }
}

function unquote(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
