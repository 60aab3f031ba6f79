/** What a rule asks, which numbers of the tests show it, and how it stands. */
export interface Exigence {
  /** as its authors number it */
  readonly id: string;
  /** what it asks, in our words */
  readonly demande: string;
  /** numbers in the titles of tests (`S4`, `R15`…), each of which must be in at least one */
  readonly reperes: readonly string[];
  /** what is not as asked, and why; absent: held as far as the tests go */
  readonly ecart?: string;
  /** true: not held at all; `ecart` says why */
  readonly absente?: true;
}

/** A source of requirements. */
export interface Referentiel {
  readonly nom: string;
  readonly note: string;
  readonly exigences: readonly Exigence[];
}

const e = (id: string, demande: string, reperes: string, ecart?: string, absente?: true): Exigence => ({
  ...{ id, demande, reperes: reperes.split(' ').filter((repere) => repere !== '') },
  ...(ecart === undefined ? {} : { ecart }),
  ...(absente ? { absente } : {}),
});

export const REFERENTIELS: readonly Referentiel[] = [
  {
    nom: 'OWASP API Security Top 10 (2023)',
    note: 'Les dix risques des API.',
    exigences: [
      e(
        'API1',
        'un objet n’est rendu qu’à qui y a droit ; inconnu et interdit se répondent pareil',
        'S12 S13',
      ),
      e('API2', 'connexion, jetons et mots de passe solides', 'S1 S2 S3 S4 S6 S7 S9 S10'),
      e('API3', 'ni champ en trop à l’entrée, ni champ caché à la sortie', 'S14 S15'),
      e('API4', 'tailles, durées et nombres ont une limite', 'S16 S17'),
      e(
        'API5',
        'chaque route dit qui peut l’appeler, et une route nouvelle sans ligne fait échouer les essais',
        'S12',
      ),
      e('API6', 'les gestes qui comptent ne se répètent pas sans fin', 'S25'),
      e(
        'API7',
        'le serveur ne va pas chercher une adresse qu’un client choisit',
        'S12',
        'aucune route ne prend d’adresse ; les webhooks viennent des réglages',
      ),
      e('API8', 'en-têtes, CORS, méthodes et erreurs sûrs', 'S18 S19 S20 S21 S22'),
      e('API9', 'la description liste exactement les routes qui répondent', 'S30'),
      e('API10', 'journaux et ERP sont tenus pour hostiles', 'S16 S26 S27'),
    ],
  },
  {
    nom: 'OWASP ASVS 5.0.0, niveau 2',
    note: 'Les exigences des chapitres qui concernent une API et un service de fichiers. Une exigence absente d’ici n’a pas été examinée.',
    exigences: [
      e('v5.0.0-1.2.4', 'requêtes SQL toujours paramétrées', 'S16'),
      e('v5.0.0-1.2.10', 'une cellule de CSV ne devient pas une formule', 'S23'),
      e('v5.0.0-1.3.12', 'une expression régulière ne coûte pas plus que son texte', 'S24'),
      e('v5.0.0-2.2.1', 'chaque entrée est vérifiée contre ce qui est attendu', 'S14 S16'),
      e('v5.0.0-2.3.3', 'un geste est fait en entier ou pas du tout', 'S25 R7'),
      e('v5.0.0-2.4.1', 'les essais répétés sont ralentis', 'S8'),
      e('v5.0.0-4.1.1', 'chaque réponse dit son type et son jeu de caractères', 'S20 S21'),
      e('v5.0.0-4.1.4', 'seules les méthodes prévues répondent', 'S18'),
      e('v5.0.0-4.2.1', 'les bornes d’une requête HTTP ne se lisent que d’une façon', 'S19'),
      e('v5.0.0-5.2.1', 'la taille de ce qui est reçu est bornée', 'S17 S27'),
      e('v5.0.0-5.3.2', 'un nom de fichier reçu n’est jamais un chemin', 'S27'),
      e('v5.0.0-6.2.1', 'des mots de passe assez forts, sans règle de composition', 'S9'),
      e(
        'v5.0.0-6.2.10',
        'pas de changement périodique imposé',
        'S9',
        'la CNIL le demande pour les comptes privilégiés ; atelier ne l’impose à personne',
      ),
      e('v5.0.0-6.3.1', 'les essais de mots de passe sont freinés sans verrou définitif', 'S8'),
      e('v5.0.0-6.3.2', 'aucun compte par défaut', 'S11'),
      e(
        'v5.0.0-6.3.3',
        'un second facteur',
        '',
        'pas de second facteur : l’atelier est derrière le réseau de l’usine ; un relais qui l’exige peut être mis devant',
        true,
      ),
      e('v5.0.0-6.3.8', 'rien ne dit si un compte existe', 'S6 S7'),
      e('v5.0.0-7.4.1', 'une session révoquée ne sert plus', 'S4'),
      e('v5.0.0-7.4.2', 'désactiver ou effacer un compte ferme ses sessions', 'S4 R15'),
      e('v5.0.0-8.2.1', 'les droits sont écrits et vérifiés par le serveur', 'S12'),
      e('v5.0.0-8.2.2', 'un objet d’autrui ne se lit pas par son numéro', 'S13'),
      e('v5.0.0-8.3.2', 'un droit retiré l’est à la requête suivante', 'S4'),
      e('v5.0.0-9.1.1', 'un jeton vaut par sa signature', 'S2'),
      e('v5.0.0-9.1.2', 'seuls les algorithmes choisis sont acceptés', 'S2'),
      e('v5.0.0-9.2.1', 'un jeton n’est valable que dans son temps', 'S3'),
      e(
        'v5.0.0-10.4.4',
        'pas d’octroi par mot de passe (OAuth password grant)',
        'S1',
        'demandé par le cahier des charges, pour ses propres clients seulement ; compensé par S1 à S14, jetons courts et révocables',
      ),
      e('v5.0.0-11.3.2', 'chiffrement authentifié, modes et longueurs d’aujourd’hui', 'R3 R6'),
      e('v5.0.0-11.4.2', 'mots de passe gardés par argon2id', 'S10'),
      e(
        'v5.0.0-12.2.1',
        'TLS vers les clients',
        'S21',
        'par un relais TLS devant atelier (docs/installation.fr.md) ; HSTS derrière lui',
      ),
      e('v5.0.0-13.2.2', 'chaque programme a le moins de droits possible', 'S29'),
      e('v5.0.0-13.3.1', 'les secrets ne sont ni dans le code ni dans les images', 'S28'),
      e('v5.0.0-13.4.5', 'documentation et métriques ne sont pas publiques', 'S30'),
      e('v5.0.0-14.2.1', 'rien de sensible dans une adresse', 'S5'),
      e('v5.0.0-14.2.7', 'une durée de conservation, et l’effacement à son terme', 'R9 R10'),
      e('v5.0.0-15.2.1', 'les dépendances sont connues, figées et vérifiées', 'S31'),
      e('v5.0.0-16.2.5', 'ni secret ni donnée personnelle dans les journaux', 'R22 S26'),
      e('v5.0.0-16.3.1', 'connexions, refus et changements de droits sont notés', 'S32'),
      e('v5.0.0-16.4.1', 'un journal ne se falsifie pas par ce qu’on y écrit', 'S26'),
      e('v5.0.0-16.5.1', 'une erreur ne dit rien de l’intérieur', 'S20'),
    ],
  },
  {
    nom: 'RGPD et recommandations de la CNIL',
    note: 'Les articles du règlement, la recommandation de 2022 sur les mots de passe et celle de 2021 sur la journalisation.',
    exigences: [
      e(
        'art. 5.1.c',
        'seulement ce qui est nécessaire : un nom et une adresse par compte, aucun d’un opérateur',
        'R1 R2',
      ),
      e('art. 5.1.e', 'des durées de conservation, et la preuve de l’effacement', 'R9 R10 R11'),
      e('art. 15', 'accès : tout ce qui concerne un compte, en une commande', 'R12'),
      e('art. 16', 'rectification', 'R14'),
      e('art. 17', 'effacement, qui survit à la restauration d’une sauvegarde', 'R15 R16'),
      e('art. 20', 'portabilité : un format ouvert', 'R13'),
      e('art. 25', 'protection dès la conception : identifiants chiffrés, index aveugles', 'R3 R4 R5'),
      e('art. 30', 'registre des traitements', 'R20'),
      e('art. 32', 'clés hors de la base, rotation, liens chiffrés', 'R6 R7 R24'),
      e('art. 32, sauvegardes', 'sauvegardes chiffrées et bornées dans le temps', 'R25'),
      e('CNIL, mots de passe', '80 bits d’entropie, jamais en clair', 'S9 S10 R8'),
      e('CNIL, journalisation', 'six à douze mois, peu de données, pas d’autre usage', 'R9 R21 R22'),
      e('CNIL, SAN-2024-021', 'la performance des machines, pas la surveillance des personnes', 'R19'),
      e('CNIL, anonymisation', 'ce qui n’est que pseudonymisé ou agrégé est appelé ainsi', 'R18'),
      e(
        'crypto-effacement',
        'une clé par compte, détruite avec lui : les sauvegardes d’avant l’oublient',
        'R17',
      ),
      e('données d’essai', 'rien de personnes réelles', 'R23'),
    ],
  },
];
