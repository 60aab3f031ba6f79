/*
 * Names that look like others (Unicode, UTS 39). What cannot be told apart must not be two accounts: whoever reads a list
 * of them, or the audit log, goes by what he sees.
 */

/** Scripts in daily use (UAX 31, table 5). The others have letters that look like these, and nobody here is called so. */
const ECRITURES: readonly (readonly string[])[] = [
  ...['Latn', 'Grek', 'Cyrl', 'Armn', 'Geor', 'Hebr', 'Arab', 'Thaa', 'Ethi'].map((name) => [name]),
  ...['Deva', 'Beng', 'Guru', 'Gujr', 'Orya', 'Taml', 'Telu', 'Knda', 'Mlym', 'Sinh'].map((name) => [name]),
  ...['Thai', 'Laoo', 'Tibt', 'Mymr', 'Khmr'].map((name) => [name]),
  // What is written together: none of these looks like another (« highly restrictive »).
  ['Latn', 'Hani', 'Hira', 'Kana'],
  ['Latn', 'Hani', 'Bopo'],
  ['Latn', 'Hani', 'Hang'],
];

/** One for each: letters of it, and what belongs to all scripts (figures, blanks, signs, accents). */
const SEULES = ECRITURES.map(
  (names) => new RegExp(`^[${['Zyyy', 'Zinh', ...names].map((n) => `\\p{scx=${n}}`).join('')}]*$`, 'u'),
);

/** What nobody sees: fillers, joiners, variation selectors, the empty Braille cell, what is no character (yet). */
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cn}\u2800]/u;

/** Signs that are neither letter, figure nor punctuation, but for those that names have: some look like letters (`℮`, `⍺`, `∣`). */
const SIGNE = /\p{S}/u;
const SIGNE_PERMIS = /[\p{ASCII}\p{Extended_Pictographic}°€£]/u;

/** Why a name could be taken for another, by its letters alone; in French, or undefined. */
export function refusEcriture(nom: string): string | undefined {
  const text = nom.normalize('NFKC');
  if (INVISIBLE.test(nom) || INVISIBLE.test(text)) return 'Le nom contient un caractère invisible.';
  if ([...text].some((c) => SIGNE.test(c) && !SIGNE_PERMIS.test(c)))
    return 'Le nom contient un signe qui pourrait passer pour une lettre : écrivez-le en lettres, chiffres et ponctuation courante.';
  if (SEULES.some((one) => one.test(text))) return undefined;
  return 'Le nom mêle des écritures dont des lettres se ressemblent, ou en prend une qui n’est pas d’usage courant : écrivez-le dans une seule (latin, grec, cyrillique, arabe…).';
}

/**
 * What looks like what: on the left how it is written, on the right single characters that look the same. From Unicode’s
 * confusables.txt (17.0), as far as letters and figures of the scripts above look like Latin ones or ASCII figures, and
 * the marks between the parts of a name like each other; `vv` is ours.
 */
const SOSIES: readonly (readonly [string, string])[] = [
  ...([
    ['-', '‐‒–—―⁃֊ーㅡ一'],
    ["'", '’‘‛ʼʻʽʹʾʿˈˊˋ′‵`׳Ꞌꞌ'],
    ["''", '"“”‟ʺ״'],
    ['·', '•‧・ꞏ'],
    [':', 'ː։׃꞉'],
    [',', '‚'],
    ['!', 'ǃ'],
  ] as const),
  ...([
    ['2', 'ꝚƧꙄ'],
    ['3', 'ꞫȜƷꝪЗӠ'],
    ['5', 'Ƽ'],
    ['6', 'б'],
    ['8', 'ȣȢ'],
    ['9', 'Ꝯ'],
  ] as const),
  ...([
    ['A', 'ΑА'],
    ['AA', 'Ꜳ'],
    ['AE', 'ÆӔ'],
    ['AO', 'Ꜵ'],
    ['AU', 'Ꜷ'],
    ['AV', 'ꜸꜺ'],
    ['AY', 'Ꜽ'],
  ] as const),
  ...([
    ['B', 'ꞴΒВ'],
    ['C', 'С'],
    ['E', 'ΕЕ'],
    ['F', 'ꞘϜ'],
    ['G', 'Ԍ'],
    ['H', 'ΗН'],
    ['J', 'ꞲͿЈ'],
  ] as const),
  ...([
    ['K', 'ΚК'],
    ['M', 'ΜϺМ'],
    ['N', 'Ν'],
    ['O', '0ΟОՕ'],
    ['OE', 'Œ'],
    ['OO', 'ꝎꚘ'],
    ['P', 'ΡР'],
  ] as const),
  ...([
    ['R', 'Ʀ'],
    ['S', 'ЅՏ'],
    ['T', 'ΤТ'],
    ['T3', 'Ꜩ'],
    ['U', 'Ս'],
    ['V', 'Ѵ'],
    ['W', 'Ԝ'],
    ['X', 'ꞳΧХ'],
  ] as const),
  ...([
    ['Y', 'ΥУҮ'],
    ['Z', 'Ζ'],
    ['a', 'ɑαа'],
    ['aa', 'ꜳ'],
    ['ae', 'æӕ'],
    ['ao', 'ꜵ'],
    ['au', 'ꜷ'],
  ] as const),
  ...([
    ['av', 'ꜹꜻ'],
    ['ay', 'ꜽ'],
    ['b', 'ƄЬ'],
    ['bl', 'Ы'],
    ['c', 'ᴄс'],
    ['d', 'ԁ'],
    ['dz', 'ʣ'],
  ] as const),
  ...([
    ['e', 'ꬲеҽ'],
    ['f', 'ꬵꞙẝք'],
    ['g', 'ɡᶃƍց'],
    ['h', 'һհ'],
    ['i', 'ıɪɩιіꙇӏ'],
    ['j', 'ϳј'],
  ] as const),
  ...([
    ['l', '1|IƖǀΙІӀ'],
    ['lO', 'Ю'],
    ['ll', 'ǁ'],
    ['ls', 'ʪ'],
    ['lz', 'ʫ'],
    ['n', 'ոռ'],
  ] as const),
  ...([
    ['o', 'ᴏᴑꬽοσоօ'],
    ['oe', 'œ'],
    ['oo', 'ꝏꚙ'],
    ['p', 'ρр'],
    ['q', 'ԛգզ'],
    ['r', 'ꭇꭈᴦг'],
  ] as const),
  ...([
    ['rn', 'm'],
    ['s', 'ꜱƽѕ'],
    ['tf', 'ꝷ'],
    ['ts', 'ʦ'],
    ['u', 'ꞟᴜꭎꭒʋυս'],
    ['ue', 'ᵫ'],
    ['uo', 'ꭣ'],
  ] as const),
  ...([
    ['v', 'ᴠνѵ'],
    ['vv', 'wɯᴡѡԝա'],
    ['x', 'х'],
    ['y', 'ɣᶌʏỿꭚγуү'],
    ['z', 'ᴢ'],
  ] as const),
];
const ASPECT = new Map(SOSIES.flatMap(([shown, same]) => [...same].map((c) => [c, shown] as const)));

/**
 * What is left of a name when everything that looks the same is the same, as it is written and in small letters: who signs
 * in may write it either way. Two accounts of whose names one is the same cannot be told apart. Not to be shown, nor kept.
 */
export function squelettes(nom: string): readonly string[] {
  return [...new Set([squelette(nom), squelette(nom.toLowerCase())])];
}

function squelette(nom: string): string {
  return (
    [...nom.normalize('NFKC').trim().normalize('NFD')]
      .map((c) => ASPECT.get(c) ?? c)
      .join('')
      .toLowerCase()
      // An i has its dot already; browsers show several blanks as one, and an acute accent of its own as an apostrophe.
      .replaceAll('i\u0307', 'i')
      .replace(/ [\u0300\u0301]/g, "'")
      .replace(/\s+/g, ' ')
  );
}
