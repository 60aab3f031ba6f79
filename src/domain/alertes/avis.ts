/** What is said of an alert to whoever receives its notices. */
import { definitionDe, type Gravite, type Regle } from './regles.ts';
import { enPhrase } from './textes.ts';

export const GENRES_AVIS = ['ouverture', 'rappel', 'retablissement'] as const;
export type GenreAvis = (typeof GENRES_AVIS)[number];

/** A notice as it is sent; what it says does not change between two attempts. Instants are ISO 8601 with offset. */
export interface Avis {
  readonly genre: GenreAvis;
  readonly alerte: {
    readonly id: number;
    readonly regle: string;
    readonly titre: string;
    readonly objet: string;
    readonly gravite: Gravite;
    readonly etat: 'ouverte' | 'resolue';
    readonly message: string;
    readonly details: Readonly<Record<string, unknown>>;
    readonly debut: string;
    readonly fin: string | null;
    readonly conseil: string;
  };
}

/** Fills in what the rule says of itself. */
export function avisDe(
  genre: GenreAvis,
  alerte: Omit<Avis['alerte'], 'titre' | 'conseil' | 'regle'> & { readonly regle: Regle },
): Avis {
  const { titre, conseil } = definitionDe(alerte.regle);
  return { genre, alerte: { ...alerte, titre, conseil } };
}

/** The line that a mail is found by. */
export function objetDe({ genre, alerte }: Avis): string {
  const mot = genre === 'retablissement' ? 'Résolu' : genre === 'rappel' ? 'Rappel' : MOTS[alerte.gravite];
  // Folders may be called anything, also what would begin another header.
  return enPhrase(`[atelier] ${mot} : ${alerte.titre} (${alerte.objet})`, 200);
}

const MOTS = { attention: 'Attention', critique: 'Critique' } as const satisfies Record<Gravite, string>;
