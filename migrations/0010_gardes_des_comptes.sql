-- What guards the door of accounts beyond the accounts themselves.

-- One row: whether this installation has ever had an account. It stays when accounts go.
CREATE TABLE installation (
  id         smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  graine     bytea NOT NULL CHECK (octet_length(graine) = 16),
  amorcee_le timestamptz
);
COMMENT ON TABLE installation IS 'Une ligne : cette installation a-t-elle déjà eu un compte ? Elle reste quand les comptes s’en vont';
COMMENT ON COLUMN installation.id IS 'Toujours 1';
COMMENT ON COLUMN installation.graine IS 'Tirée au hasard : avec SECRET_KEY, donne le code à usage unique du premier compte';
COMMENT ON COLUMN installation.amorcee_le IS 'Quand le premier compte a été créé, ou une base restaurée ou reconstruite ici ; NULL : jamais';
INSERT INTO installation (graine, amorcee_le)
SELECT decode(replace(gen_random_uuid()::text, '-', ''), 'hex'),
       CASE WHEN EXISTS (SELECT FROM "user") THEN now() END;

-- Failures that come from elsewhere do not keep a person out of the network that she signs in from.
CREATE TABLE reseau_connu (
  user_id uuid NOT NULL REFERENCES "user" (id) ON DELETE CASCADE,
  reseau  bytea NOT NULL CHECK (octet_length(reseau) = 32),
  vu_le   timestamptz NOT NULL,
  PRIMARY KEY (user_id, reseau)
);
COMMENT ON TABLE reseau_connu IS 'Réseaux (/24, /48) d’où un compte s’est connecté, les plus récents : les échecs venus d’ailleurs n’y ferment pas la porte';
COMMENT ON COLUMN reseau_connu.user_id IS 'Compte';
COMMENT ON COLUMN reseau_connu.reseau IS 'HMAC-SHA-256 du réseau';
COMMENT ON COLUMN reseau_connu.vu_le IS 'Dernière connexion réussie de là';

-- Attempts that were refused without being looked at count, but do not make the next delay longer.
ALTER TABLE tentative_connexion ADD COLUMN refus_total integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN tentative_connexion.refus_total IS 'Parmi les échecs, essais refusés sans être vérifiés : ils n’allongent aucun délai';
