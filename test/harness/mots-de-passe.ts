/** Passwords of accounts in tests and benches: good enough for the policy, and no example of the documents. */

/** The same for all accounts that nobody asked another of. */
export const MOT_DE_PASSE = 'Tilleul-grelot-ardoise-4182';

/** As good, and nobody's until a test gives it. */
export const OTHER_PASSWORD = 'Fusain-braque-mousse-9317';
