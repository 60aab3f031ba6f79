import { refusEcriture } from '../../base/homographes.ts';
import { horsDesExemples, partDevinable } from './devinable.ts';

/** Characters (code points after {@link normaliserMotDePasse}) at least, and at most; nothing is ever cut off. */
const LONGUEUR_MIN = 12;
const LONGUEUR_MAX = 256;
/** Bits that length and kinds of characters must give together (CNIL, 2022). */
const BITS = 80;
/** Bits that must be left outside of what is easily guessed, when that is most of the password. */
const BITS_LEFT = 50;

/** Kinds of characters, and how many of each somebody who guesses would have to try. */
const CLASSES: readonly [RegExp, number][] = [
  [/[a-z]/, 26],
  [/[A-Z]/, 26],
  [/[0-9]/, 10],
  // Everything else is worth what the CNIL gives special characters: an é or an emoji among twelve letters adds no
  // more than an exclamation mark would.
  [/[^a-zA-Z0-9]/u, 37],
];

/** Whose password it is. */
export interface Titulaire {
  readonly username: string;
  readonly email: string;
}

/**
 * A password as it is judged and hashed: NFC (RFC 8265), so that é is the same from every keyboard. Not NFKC: it would
 * make ﬁ of fi and ² of 2, and so two passwords of one. Blanks and case count.
 */
export function normaliserMotDePasse(mdp: string): string {
  return mdp.normalize('NFC');
}

/**
 * Bits of a password by length and kinds of characters: L × log2(N), rounded. Never fewer when characters are added.
 */
export function bits(mdp: string): number {
  return Math.round(exactBits([...normaliserMotDePasse(mdp)].length, mdp));
}

function exactBits(length: number, kindsOf: string): number {
  const alphabet = CLASSES.reduce((sum, [kind, size]) => (kind.test(kindsOf) ? sum + size : sum), 0);
  return alphabet === 0 ? 0 : length * Math.log2(alphabet);
}

/**
 * Why a password is not good enough: French sentences, none when it is. Any characters will do, no kind is required;
 * long and unforeseeable is what counts. The password is in none of the sentences.
 */
export function refusMotDePasse(mdp: string, titulaire: Titulaire): string[] {
  const text = normaliserMotDePasse(mdp);
  const length = [...text].length;
  if (!text.isWellFormed() || /\p{Cc}/u.test(text)) {
    return ['Le mot de passe contient un caractère de contrôle ou incomplet, qu’aucun clavier ne redonne.'];
  }
  if (length > LONGUEUR_MAX) return [`Le mot de passe a plus de ${LONGUEUR_MAX} caractères.`];
  const unlisted = horsDesExemples(text);
  if (unlisted < length && exactBits(unlisted, text) < BITS_LEFT) {
    return [
      'Le mot de passe est celui qu’un exemple de la documentation montre à tous, ou presque : prenez plutôt quelques mots tirés au hasard.',
    ];
  }
  const reasons: string[] = [];
  if (length < LONGUEUR_MIN)
    reasons.push(`Le mot de passe a ${length} caractères, il en faut au moins ${LONGUEUR_MIN}.`);
  else if (bits(text) < BITS) {
    reasons.push(
      `Le mot de passe est trop facile à trouver par essais : allongez-le, ou mêlez minuscules, majuscules, chiffres et autres signes (17 minuscules suffisent, ou 14 lettres et chiffres, ou 12 signes de toutes sortes).`,
    );
  }
  const { couverts, libres } = partDevinable(text, titulaire);
  if (couverts * 2 > length && exactBits(libres, text) < BITS_LEFT) {
    reasons.push(
      'Le mot de passe est fait surtout de mots courants, de suites, de répétitions, ou du nom ou de l’adresse du compte : prenez plutôt quelques mots tirés au hasard.',
    );
  }
  return reasons;
}

/** Characters of a name at most. */
const LONGEST_NAME = 100;

/** Why a name cannot be an account's, in French, or undefined. */
export function refusNom(username: string): string | undefined {
  const name = username.normalize('NFC').trim();
  if (name === '') return 'Le nom est vide.';
  if ([...name].length > LONGEST_NAME) return `Le nom a plus de ${LONGEST_NAME} caractères.`;
  if (!name.isWellFormed() || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name))
    return 'Le nom contient un caractère de contrôle ou invisible.';
  return refusEcriture(name);
}

/** Why a text cannot be an account's e-mail address, in French, or undefined. Whether it exists is not asked. */
export function refusAdresse(email: string): string | undefined {
  const address = email.normalize('NFC').trim();
  if (
    address.length > 254 ||
    !/^[^\s@\p{Cc}\p{Cf}]{1,64}@[^\s@.\p{Cc}\p{Cf}]+(\.[^\s@.\p{Cc}\p{Cf}]+)*$/u.test(address)
  )
    return 'L’adresse électronique n’en est pas une (nom@domaine).';
  return undefined;
}
