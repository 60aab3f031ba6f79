const LF = 0x0a;
const ECHAPPES: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** Rows of a COPY in PostgreSQL's text format: columns between tabs, lines between LF, `\N` for NULL. */
export class Lignes {
  #reste: Buffer | undefined;

  /** The rows that are complete with the next piece; rows may begin and end in any piece. */
  lire(piece: Buffer): (string | null)[][] {
    // Nothing but an end of line is an LF: those of texts are written `\n`.
    const fin = piece.lastIndexOf(LF);
    if (fin < 0) {
      this.#reste = this.#reste ? Buffer.concat([this.#reste, piece]) : piece;
      return [];
    }
    const entieres = piece.subarray(0, fin);
    const texte = (this.#reste ? Buffer.concat([this.#reste, entieres]) : entieres).toString('utf8');
    this.#reste = fin + 1 < piece.length ? piece.subarray(fin + 1) : undefined;
    return texte.split('\n').map((ligne) => ligne.split('\t').map(valeur));
  }
}

function valeur(texte: string): string | null {
  if (!texte.includes('\\')) return texte;
  if (texte === '\\N') return null;
  return texte.replaceAll(/\\(.)/gs, (_, c: string) => ECHAPPES[c] ?? c);
}
