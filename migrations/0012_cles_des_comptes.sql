-- A key for each account, so that erasing it erases the person from older backups too: they never hold these rows.

CREATE TABLE compte_cle (
  user_id       uuid PRIMARY KEY REFERENCES "user" (id) ON DELETE CASCADE,
  cle           text NOT NULL CHECK (octet_length(cle) = 16),
  enveloppe     bytea NOT NULL,
  date_creation timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE compte_cle IS 'Une clé par compte, chiffrée avec la clé de chiffrement : ce que le compte a de personnel ne se lit qu’avec elle. Jamais dans une sauvegarde, effacée avec le compte';
COMMENT ON COLUMN compte_cle.user_id IS 'Compte';
COMMENT ON COLUMN compte_cle.cle IS 'Identifiant de la clé du compte : le début d’une empreinte dérivée d’elle';
COMMENT ON COLUMN compte_cle.enveloppe IS 'Clé du compte (32 octets), chiffrée (AES-256-GCM lié au compte)';
COMMENT ON COLUMN compte_cle.date_creation IS 'Instant de création de la ligne';
