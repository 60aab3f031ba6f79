import { AtelierError } from '../../base/errors.ts';
import { lireReperes } from './copie.ts';
import { Formes, type Instruction } from './formes.ts';
import { FormeRefusee } from './jetons.ts';

/** Part of a dump. The rows of a COPY must be read before the next part is asked for. */
export type PartieDeBase =
  | { readonly genre: 'instructions'; readonly instructions: readonly Instruction[] }
  | {
      readonly genre: 'copie';
      readonly table: string;
      /** `COPY … FROM stdin`, without its semicolon */
      readonly ordre: string;
      readonly lignes: AsyncGenerator<Buffer>;
    };

/** Bytes of statements between two marks, and of a line outside of a COPY block: a bomb must not fill the memory. */
const INSTRUCTIONS_MAX = 16 * 1024 * 1024;
const LIGNE_MAX = 16 * 1024 * 1024;

/** Takes the text of a database apart at its marks, and admits nothing that this program does not write itself. */
export class LecteurDeBase {
  readonly #formes: Formes;

  constructor(schema: string) {
    this.#formes = new Formes(schema);
  }

  /** @throws AtelierError ATL_B902 (not a dump, cut), ATL_B910 (a statement that atelier does not write) */
  async *lire(dump: AsyncIterable<Buffer>): AsyncGenerator<PartieDeBase> {
    const lines = new Lignes(dump);
    const reperes = lireReperes((await lines.next())?.toString() ?? '');
    if (!reperes)
      throw new AtelierError('ATL_B902', 'La base de la sauvegarde n’est pas un texte d’atelier.');
    let statements = '';
    for (let line = await lines.next(); line !== undefined; line = await lines.next()) {
      const text = line.toString();
      const copie = text.startsWith(reperes.copie);
      if (!copie && text !== reperes.suite && text !== reperes.fin) {
        statements += `${text}\n`;
        if (statements.length > INSTRUCTIONS_MAX)
          throw new AtelierError('ATL_B902', 'La base de la sauvegarde : trop d’instructions à la fois.');
        continue;
      }
      const instructions = this.#admettre(() => this.#formes.lire(statements));
      statements = '';
      if (instructions.length > 0) yield { genre: 'instructions', instructions };
      if (text === reperes.fin) {
        if ((await lines.next()) !== undefined)
          throw new AtelierError('ATL_B902', 'La base de la sauvegarde a une suite après sa fin.');
        return;
      }
      if (!copie) continue;
      const ordre = (await lines.next())?.toString() ?? '';
      const table = this.#admettre(() => this.#formes.copie(ordre));
      yield { genre: 'copie', table, ordre: ordre.slice(0, -1), lignes: lines.jusquaFin() };
    }
    throw new AtelierError('ATL_B902', 'La base de la sauvegarde est coupée avant la fin.');
  }

  /** Reads a dump to its end, and plays nothing. @throws as {@link lire} */
  async parcourir(dump: AsyncIterable<Buffer>): Promise<void> {
    for await (const partie of this.lire(dump)) {
      if (partie.genre === 'copie') for await (const _ of partie.lignes);
    }
  }

  /** The same as text for psql: of functions and triggers the program's own. @throws as {@link lire} */
  async *texte(dump: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const partie of this.lire(dump)) {
      if (partie.genre === 'instructions') {
        for (const { sql, psql } of partie.instructions) yield Buffer.from(`${psql ?? sql};\n`);
      } else {
        yield Buffer.from(`${partie.ordre};\n`);
        yield* partie.lignes;
        yield Buffer.from('\\.\n');
      }
    }
  }

  #admettre<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      if (!(cause instanceof FormeRefusee)) throw cause;
      throw new AtelierError('ATL_B910', `Base de la sauvegarde, ${cause.message}.`, { cause });
    }
  }
}

/** Lines of a dump; those of a COPY block come in the pieces in which they were read. */
class Lignes {
  readonly #pieces: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(dump: AsyncIterable<Buffer>) {
    this.#pieces = dump[Symbol.asyncIterator]();
  }

  async next(): Promise<Buffer | undefined> {
    let from = 0;
    for (;;) {
      const end = this.#rest.indexOf(10, from);
      if (end >= 0) {
        const line = this.#rest.subarray(0, end);
        this.#rest = this.#rest.subarray(end + 1);
        return line;
      }
      from = this.#rest.length;
      if (from > LIGNE_MAX)
        throw new AtelierError('ATL_B902', 'La base de la sauvegarde : une ligne sans fin.');
      if (!(await this.#more())) {
        if (this.#rest.length > 0) throw new AtelierError('ATL_B902', 'La base de la sauvegarde est coupée.');
        return undefined;
      }
    }
  }

  /** The data of a COPY block, up to its `\.`, which is taken too. */
  async *jusquaFin(): AsyncGenerator<Buffer> {
    // The end mark is a line of its own: look for it at the start and after line feeds.
    let atStart = true;
    for (;;) {
      const head = this.#rest.subarray(0, END.length);
      if (atStart && head.equals(END)) {
        this.#rest = this.#rest.subarray(END.length);
        return;
      }
      const end = this.#rest.indexOf(END_AFTER_LINE);
      if (end >= 0) {
        yield this.#rest.subarray(0, end + 1);
        this.#rest = this.#rest.subarray(end + 1 + END.length);
        return;
      }
      // What may be the beginning of the mark waits for the next piece.
      const keep =
        atStart && this.#rest.length < END.length
          ? this.#rest.length
          : Math.min(this.#rest.length, END.length);
      const ready = this.#rest.subarray(0, this.#rest.length - keep);
      if (ready.length > 0) {
        yield ready;
        atStart = false;
        this.#rest = this.#rest.subarray(ready.length);
      }
      if (!(await this.#more())) throw new AtelierError('ATL_B902', 'La base de la sauvegarde est coupée.');
    }
  }

  async #more(): Promise<boolean> {
    const { value, done } = await this.#pieces.next();
    if (done) return false;
    this.#rest = this.#rest.length === 0 ? Buffer.from(value) : Buffer.concat([this.#rest, value]);
    return true;
  }
}

const END = Buffer.from('\\.\n');
const END_AFTER_LINE = Buffer.from('\n\\.\n');
