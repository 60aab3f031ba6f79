-- Accounts, the only personal data of the system, and what signing in needs.

CREATE TABLE cle_chiffrement (
  id            text PRIMARY KEY,
  temoin        bytea NOT NULL,
  date_creation timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE cle_chiffrement IS 'Clés de chiffrement connues de cette base, sans les clés : un témoin chiffré dit à chaque démarrage si la clé est la bonne';
COMMENT ON COLUMN cle_chiffrement.id IS 'Identifiant de la clé : le début d’une empreinte dérivée d’elle';
COMMENT ON COLUMN cle_chiffrement.temoin IS 'Texte connu, chiffré avec cette clé';
COMMENT ON COLUMN cle_chiffrement.date_creation IS 'Instant de création de la ligne';

CREATE TABLE "user" (
  id                 uuid PRIMARY KEY,
  username_chiffre   bytea NOT NULL,
  username_index     bytea NOT NULL UNIQUE CHECK (octet_length(username_index) = 32),
  email_chiffre      bytea NOT NULL,
  email_index        bytea NOT NULL UNIQUE CHECK (octet_length(email_index) = 32),
  cle_id             text NOT NULL REFERENCES cle_chiffrement (id),
  mot_de_passe       text NOT NULL,
  role               text NOT NULL CHECK (role IN ('lecteur', 'gestionnaire', 'admin')),
  actif              boolean NOT NULL DEFAULT true,
  version_jetons     integer NOT NULL DEFAULT 1,
  version            integer NOT NULL DEFAULT 1,
  derniere_connexion timestamptz,
  date_creation      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX user_cle_id_idx ON "user" (cle_id);
COMMENT ON TABLE "user" IS 'Comptes : nom et adresse chiffrés (AES-256-GCM lié à la ligne), retrouvés par une empreinte HMAC';
COMMENT ON COLUMN "user".id IS 'Identifiant (UUID : on ne le devine pas)';
COMMENT ON COLUMN "user".username_chiffre IS 'Nom, chiffré';
COMMENT ON COLUMN "user".username_index IS 'HMAC-SHA-256 du nom normalisé : égalité seulement';
COMMENT ON COLUMN "user".email_chiffre IS 'Adresse, chiffrée';
COMMENT ON COLUMN "user".email_index IS 'HMAC-SHA-256 de l’adresse normalisée';
COMMENT ON COLUMN "user".cle_id IS 'Clé avec laquelle la ligne est chiffrée';
COMMENT ON COLUMN "user".mot_de_passe IS 'Empreinte argon2id (format PHC), sans retour possible';
COMMENT ON COLUMN "user".role IS 'lecteur, gestionnaire ou admin';
COMMENT ON COLUMN "user".actif IS 'Faux : ne peut plus se connecter, ses jetons et clés ne valent plus rien';
COMMENT ON COLUMN "user".version_jetons IS 'Avance à chaque changement de mot de passe, de rôle ou d’état : les jetons d’avant ne valent plus rien';
COMMENT ON COLUMN "user".version IS 'Avance à chaque modification (If-Match)';
COMMENT ON COLUMN "user".derniere_connexion IS 'Dernière connexion réussie (comptes inactifs)';
COMMENT ON COLUMN "user".date_creation IS 'Instant de création de la ligne';

CREATE TABLE jeton_rafraichissement (
  id            uuid PRIMARY KEY,
  user_id       uuid NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
  famille       uuid NOT NULL,
  empreinte     bytea NOT NULL UNIQUE,
  version_jetons integer NOT NULL,
  expire        timestamptz NOT NULL,
  utilise       timestamptz,
  date_creation timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX jeton_rafraichissement_user_id_idx ON jeton_rafraichissement (user_id);
CREATE INDEX jeton_rafraichissement_famille_idx ON jeton_rafraichissement (famille);
CREATE INDEX jeton_rafraichissement_expire_idx ON jeton_rafraichissement (expire);
COMMENT ON TABLE jeton_rafraichissement IS 'Jetons de rafraîchissement du tableau de bord : chacun sert une fois ; un jeton qui revient éteint sa famille';
COMMENT ON COLUMN jeton_rafraichissement.id IS 'Identifiant';
COMMENT ON COLUMN jeton_rafraichissement.user_id IS 'Compte';
COMMENT ON COLUMN jeton_rafraichissement.famille IS 'Suite de jetons née d’une même connexion';
COMMENT ON COLUMN jeton_rafraichissement.empreinte IS 'SHA-256 du jeton';
COMMENT ON COLUMN jeton_rafraichissement.version_jetons IS 'Version du compte à la connexion';
COMMENT ON COLUMN jeton_rafraichissement.expire IS 'Fin de validité';
COMMENT ON COLUMN jeton_rafraichissement.utilise IS 'Instant où il a servi, NULL s’il peut encore servir';
COMMENT ON COLUMN jeton_rafraichissement.date_creation IS 'Instant de création de la ligne';

CREATE TABLE cle_api (
  id                   uuid PRIMARY KEY,
  user_id              uuid NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
  nom                  text NOT NULL CHECK (nom <> ''),
  empreinte            bytea NOT NULL CHECK (octet_length(empreinte) = 32),
  portees              text[] NOT NULL,
  date_fin             timestamptz NOT NULL,
  revoquee             timestamptz,
  derniere_utilisation timestamptz,
  date_creation        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX cle_api_user_id_idx ON cle_api (user_id);
COMMENT ON TABLE cle_api IS 'Clés d’API des programmes : montrées une fois, gardées en empreinte, limitées en portée et en durée';
COMMENT ON COLUMN cle_api.id IS 'Identifiant ; il est dans la clé, en clair';
COMMENT ON COLUMN cle_api.user_id IS 'Compte au nom duquel la clé agit ; ses droits ne dépassent jamais les siens';
COMMENT ON COLUMN cle_api.nom IS 'À quoi elle sert';
COMMENT ON COLUMN cle_api.empreinte IS 'SHA-256 du secret (256 bits tirés au hasard)';
COMMENT ON COLUMN cle_api.portees IS 'ressource:lire ou ressource:ecrire ; *:lire pour tout lire';
COMMENT ON COLUMN cle_api.date_fin IS 'Fin de validité';
COMMENT ON COLUMN cle_api.revoquee IS 'Instant de révocation, NULL tant qu’elle vaut';
COMMENT ON COLUMN cle_api.derniere_utilisation IS 'Dernière utilisation, à la minute près';
COMMENT ON COLUMN cle_api.date_creation IS 'Instant de création de la ligne';

CREATE TABLE tentative_connexion (
  cle           bytea PRIMARY KEY,
  genre         text NOT NULL CHECK (genre IN ('compte', 'adresse')),
  echecs        integer NOT NULL,
  refus         integer NOT NULL DEFAULT 0,
  dernier_echec timestamptz NOT NULL,
  bloquee_jusqua timestamptz NOT NULL
);
CREATE INDEX tentative_connexion_dernier_echec_idx ON tentative_connexion (dernier_echec);
COMMENT ON TABLE tentative_connexion IS 'Échecs de connexion par compte et par adresse, pour ralentir qui devine';
COMMENT ON COLUMN tentative_connexion.cle IS 'HMAC-SHA-256 du nom essayé (qu’il existe ou non) ou de l’adresse réseau';
COMMENT ON COLUMN tentative_connexion.genre IS 'compte ou adresse';
COMMENT ON COLUMN tentative_connexion.echecs IS 'Échecs depuis la dernière réussite ou le dernier oubli, essais pendant un délai compris';
COMMENT ON COLUMN tentative_connexion.refus IS 'Essais refusés sans être vérifiés pendant le délai en cours, 0 : le dernier essai a été vérifié';
COMMENT ON COLUMN tentative_connexion.dernier_echec IS 'Instant du dernier échec';
COMMENT ON COLUMN tentative_connexion.bloquee_jusqua IS 'Rien n’est essayé avant cet instant';

CREATE TABLE journal_audit (
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  instant   timestamptz NOT NULL DEFAULT now(),
  evenement text NOT NULL,
  user_id   uuid,
  cle_id    uuid,
  cible     text,
  adresse   text,
  requete   text,
  details   jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX journal_audit_instant_idx ON journal_audit (instant);
CREATE INDEX journal_audit_user_id_idx ON journal_audit (user_id, id);
-- What was done to an account: for the export of all that is kept on a person.
CREATE INDEX journal_audit_cible_idx ON journal_audit (cible, id) WHERE cible LIKE 'users/%';
COMMENT ON TABLE journal_audit IS 'Qui a fait quoi : connexions, refus, comptes, clés, exports. Ni nom, ni adresse électronique, ni secret';
COMMENT ON COLUMN journal_audit.id IS 'Identifiant';
COMMENT ON COLUMN journal_audit.instant IS 'Quand';
COMMENT ON COLUMN journal_audit.evenement IS 'connexion_reussie, connexion_refusee, role_change, export…';
COMMENT ON COLUMN journal_audit.user_id IS 'Compte qui a agi, NULL si inconnu (il peut avoir été supprimé depuis)';
COMMENT ON COLUMN journal_audit.cle_id IS 'Clé d’API dont il s’est servi';
COMMENT ON COLUMN journal_audit.cible IS 'Sur quoi : ressource et identifiant';
COMMENT ON COLUMN journal_audit.adresse IS 'Adresse réseau, tronquée (/24, /48)';
COMMENT ON COLUMN journal_audit.requete IS 'Numéro de la requête, le même que dans les journaux';
COMMENT ON COLUMN journal_audit.details IS 'Suite : rôles avant et après, nombre de lignes…';

-- Append-only: lines go by retention alone, which names itself (SET LOCAL atelier.purge = 'oui').
CREATE FUNCTION proteger_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('atelier.purge', true) = 'oui' THEN
    RETURN NULL;
  END IF;
  RAISE insufficient_privilege USING MESSAGE = format('journal_audit : %s refusé, on ne fait qu’y ajouter', TG_OP);
END $$;
CREATE TRIGGER audit_protege BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_audit
  FOR EACH STATEMENT EXECUTE FUNCTION proteger_audit();
