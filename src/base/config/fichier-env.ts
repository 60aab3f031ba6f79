/**
 * Reads a `.env` file, or says by name and line what it cannot say without doubt.
 *
 * The same file is read by us, by docker compose (`env_file`, and 1.29's python-dotenv), by start.sh, and may be given
 * to systemd (`EnvironmentFile`). They agree on a plain `NAME=value`; where they do not (a `#` after a blank, `$`, `\`,
 * CRLF, a name given twice …) a password would be cut or changed in one of them, silently. Such a line is refused.
 */

/** What a file says, and what is wrong with it: one line each, French, never a value. */
export interface FichierEnv {
  readonly valeurs: Readonly<Record<string, string>>;
  readonly problemes: readonly string[];
}

const NOM = /^[A-Za-z_][A-Za-z0-9_]*$/;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

const AILLEURS = 'donnez-le par l’environnement du processus, ou changez la valeur';
/** An address has its own way to write any character. */
const DANS_ADRESSE = 'dans une adresse (MYSQL_URL, DATABASE_URL) écrivez-le en % suivi de deux chiffres';

/**
 * @param bytes the file as it is; a byte order mark at its head is passed over
 */
export function lireFichierEnv(bytes: Buffer): FichierEnv {
  const valeurs: Record<string, string> = {};
  const problemes: string[] = [];
  const vus = new Map<string, number>();
  const body = bytes.subarray(0, 3).equals(BOM) ? bytes.subarray(3) : bytes;
  let crlf: number | undefined;
  for (const [index, raw] of lignes(body).entries()) {
    const at = index + 1;
    if (raw.at(-1) === 0x0d) crlf ??= at;
    const text = enTexte(raw.at(-1) === 0x0d ? raw.subarray(0, -1) : raw);
    if (text === undefined) {
      // The name, if there is one, is in ASCII.
      const name = /^[A-Za-z_]\w*(?==)/.exec(raw.toString('latin1'))?.[0];
      const comment = raw.toString('latin1').trimStart().startsWith('#');
      if (!comment)
        problemes.push(
          `ligne ${at}${name ? `, ${name}` : ''} : pas de l’UTF-8 (enregistrez le fichier en UTF-8)`,
        );
      continue;
    }
    if (/^\s*(#|$)/.test(text)) continue;
    const line = ligne(text);
    if (typeof line === 'string') {
      problemes.push(`ligne ${at}${line}`);
      continue;
    }
    const first = vus.get(line.nom);
    if (first !== undefined) {
      problemes.push(`ligne ${at}, ${line.nom} : déjà donné à la ligne ${first} ; gardez-en une`);
      continue;
    }
    vus.set(line.nom, at);
    const { valeur, probleme } = lireValeur(line.reste);
    if (probleme) problemes.push(`ligne ${at}, ${line.nom} : ${probleme}`);
    else valeurs[line.nom] = valeur;
  }
  if (crlf !== undefined) {
    problemes.push(
      `ligne ${crlf} : fin de ligne de Windows (CR LF), que start.sh lirait comme une valeur ; sed -i 's/\\r$//' la retire`,
    );
  }
  return { valeurs, problemes };
}

function lignes(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, from)) {
    parts.push(bytes.subarray(from, at));
    from = at + 1;
  }
  return [...parts, bytes.subarray(from)];
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function enTexte(bytes: Buffer): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The name and what follows `=`, or what is wrong, as the message goes on after the line's number. */
function ligne(text: string): { nom: string; reste: string } | string {
  const equals = text.indexOf('=');
  if (equals < 0) return ' : attendu NOM=valeur (une valeur sur plusieurs lignes n’est pas lue)';
  const nom = text.slice(0, equals);
  if (/^\s*export\s/.test(nom)) {
    return `, ${nom.trim().slice(7).trim()} : sans « export » (systemd ne le lit pas)`;
  }
  if (nom !== nom.trim()) return `, ${nom.trim()} : pas de blanc avant le nom, ni avant « = »`;
  if (!NOM.test(nom)) return ' : attendu NOM=valeur (lettres sans accent, chiffres et _)';
  return { nom, reste: text.slice(equals + 1) };
}

function lireValeur(reste: string): { valeur: string; probleme?: string } {
  const refus = (probleme: string): { valeur: string; probleme: string } => ({ valeur: '', probleme });
  const text = reste.trim();
  if (/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff]/.test(text))
    return refus('caractère de contrôle dans la valeur');
  if (text.includes('$')) {
    return refus(`« $ » y est remplacé par docker compose ; ${DANS_ADRESSE}, sinon ${AILLEURS}`);
  }
  if (text.includes('\\')) {
    return refus(`« \\ » n’est pas lu de même partout ; ${DANS_ADRESSE}, sinon ${AILLEURS}`);
  }
  const quote = text[0];
  if (quote === '"' || quote === "'" || quote === '`') {
    const inner = text.slice(1, -1);
    if (quote === '`') return refus('pas d’accent grave au début : mettez la valeur entre guillemets "…"');
    if (text.length < 2 || text.at(-1) !== quote || /["'`]/.test(inner)) {
      return refus('guillemets : un au début, le même à la fin de la ligne, aucun autre entre les deux');
    }
    if (inner !== inner.trim())
      return refus('un blanc au bord de la valeur serait perdu ; changez la valeur');
    return { valeur: inner };
  }
  if (/^#|\s#/.test(text)) {
    return refus(
      'un « # » au début ou après un blanc coupe la valeur pour les uns et pas pour les autres ; mettez la valeur entre guillemets "…", et un commentaire sur sa propre ligne',
    );
  }
  return { valeur: text };
}
