-- Alerts: what is wrong now, what was, and what was sent about it.

CREATE TABLE alerte (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  regle         text NOT NULL CHECK (regle <> ''),
  objet         text NOT NULL,
  gravite       text NOT NULL CHECK (gravite IN ('attention', 'critique')),
  etat          text NOT NULL DEFAULT 'ouverte' CHECK (etat IN ('ouverte', 'resolue')),
  message       text NOT NULL,
  details       jsonb NOT NULL DEFAULT '{}',
  debut         timestamptz NOT NULL,
  ouverte_le    timestamptz NOT NULL,
  derniere_vue  timestamptz NOT NULL,
  fin           timestamptz,
  dernier_avis  timestamptz NOT NULL,
  rappels       integer NOT NULL DEFAULT 0,
  acquittee_par uuid,
  acquittee_le  timestamptz,
  CHECK ((etat = 'resolue') = (fin IS NOT NULL))
);
-- However many processes look at once, what is wrong is wrong once.
CREATE UNIQUE INDEX alerte_ouverte_idx ON alerte (regle, objet) WHERE etat = 'ouverte';
CREATE INDEX alerte_debut_idx ON alerte (debut, id);
CREATE INDEX alerte_fin_idx ON alerte (fin) WHERE fin IS NOT NULL;
COMMENT ON TABLE alerte IS 'Ce qui ne va pas, ou n’allait pas : une ligne par alerte, de son ouverture à sa fin (docs/alertes.md)';
COMMENT ON COLUMN alerte.id IS 'Identifiant';
COMMENT ON COLUMN alerte.regle IS 'Règle : machine_silencieuse, disque_court…';
COMMENT ON COLUMN alerte.objet IS 'Sur quoi : nom du centre, de la tâche, hôte et dossier';
COMMENT ON COLUMN alerte.gravite IS 'attention ou critique';
COMMENT ON COLUMN alerte.etat IS 'ouverte, ou resolue';
COMMENT ON COLUMN alerte.message IS 'Une phrase, sans donnée personnelle';
COMMENT ON COLUMN alerte.details IS 'Chiffres et limites qui ont fait l’alerte';
COMMENT ON COLUMN alerte.debut IS 'Depuis quand cela ne va pas';
COMMENT ON COLUMN alerte.ouverte_le IS 'Quand l’alerte a été ouverte';
COMMENT ON COLUMN alerte.derniere_vue IS 'Dernier contrôle qui l’a constaté';
COMMENT ON COLUMN alerte.fin IS 'Quand elle a été résolue';
COMMENT ON COLUMN alerte.dernier_avis IS 'Dernier avis mis en file (ouverture ou rappel)';
COMMENT ON COLUMN alerte.rappels IS 'Nombre de rappels mis en file';
COMMENT ON COLUMN alerte.acquittee_par IS 'Compte qui l’a acquittée par l’API (il peut avoir été supprimé depuis), NULL : par une commande';
COMMENT ON COLUMN alerte.acquittee_le IS 'Quand quelqu’un a dit s’en occuper : plus de rappel';

CREATE TABLE alerte_attente (
  regle        text NOT NULL,
  objet        text NOT NULL,
  premiere_vue timestamptz NOT NULL,
  PRIMARY KEY (regle, objet)
);
COMMENT ON TABLE alerte_attente IS 'Ce qui ne va pas depuis trop peu de temps pour déranger quelqu’un';
COMMENT ON COLUMN alerte_attente.regle IS 'Règle';
COMMENT ON COLUMN alerte_attente.objet IS 'Sur quoi';
COMMENT ON COLUMN alerte_attente.premiere_vue IS 'Premier des contrôles de suite qui l’ont constaté';

CREATE TABLE alerte_envoi (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  alerte_id       bigint NOT NULL REFERENCES alerte (id) ON DELETE CASCADE,
  canal           text NOT NULL CHECK (canal IN ('webhook', 'mail')),
  genre           text NOT NULL CHECK (genre IN ('ouverture', 'rappel', 'retablissement')),
  numero          integer NOT NULL DEFAULT 0,
  message_id      uuid NOT NULL DEFAULT gen_random_uuid(),
  contenu         jsonb NOT NULL,
  etat            text NOT NULL DEFAULT 'a_envoyer' CHECK (etat IN ('a_envoyer', 'envoye', 'abandonne')),
  tentatives      integer NOT NULL DEFAULT 0,
  prochain_essai  timestamptz NOT NULL,
  reservation     uuid,
  envoye_le       timestamptz,
  erreur          text,
  date_creation   timestamptz NOT NULL,
  UNIQUE (alerte_id, canal, genre, numero)
);
CREATE INDEX alerte_envoi_file_idx ON alerte_envoi (canal, prochain_essai) WHERE etat = 'a_envoyer';
COMMENT ON TABLE alerte_envoi IS 'Avis à envoyer et envoyés : écrits avec l’alerte, envoyés au moins une fois, toujours sous le même message_id';
COMMENT ON COLUMN alerte_envoi.id IS 'Identifiant ; les avis d’une alerte partent dans cet ordre';
COMMENT ON COLUMN alerte_envoi.alerte_id IS 'Alerte';
COMMENT ON COLUMN alerte_envoi.canal IS 'webhook ou mail';
COMMENT ON COLUMN alerte_envoi.genre IS 'ouverture, rappel ou retablissement';
COMMENT ON COLUMN alerte_envoi.numero IS 'Rang du rappel, 0 pour les autres';
COMMENT ON COLUMN alerte_envoi.message_id IS 'Identité de l’avis chez qui le reçoit : le même à chaque essai';
COMMENT ON COLUMN alerte_envoi.contenu IS 'L’alerte telle qu’elle était quand l’avis a été écrit';
COMMENT ON COLUMN alerte_envoi.etat IS 'a_envoyer, envoye, abandonne (un jour d’essais en vain)';
COMMENT ON COLUMN alerte_envoi.tentatives IS 'Nombre d’essais';
COMMENT ON COLUMN alerte_envoi.prochain_essai IS 'Pas d’essai avant cet instant ; pendant un essai, celui où un autre peut le reprendre';
COMMENT ON COLUMN alerte_envoi.reservation IS 'Essai en cours : lui seul note son résultat';
COMMENT ON COLUMN alerte_envoi.envoye_le IS 'Quand le destinataire l’a accepté';
COMMENT ON COLUMN alerte_envoi.erreur IS 'Pourquoi le dernier essai a échoué, sans adresse ni secret';
COMMENT ON COLUMN alerte_envoi.date_creation IS 'Instant de création de la ligne';

-- When a machine was last heard of. A version that grows gets a new hash, and with it new entries in all its indexes, anyway:
-- one more is cheap here. On fichier_log, whose rows change in place, an index by instant would end that.
ALTER TABLE fichier_log_version ADD COLUMN derniere_reception timestamptz;
UPDATE fichier_log_version v SET derniere_reception = coalesce(
  (SELECT max(f.derniere_lecture) FROM fichier_log f WHERE f.version_id = v.id), v.date_creation);
ALTER TABLE fichier_log_version
  ALTER COLUMN derniere_reception SET DEFAULT now(),
  ALTER COLUMN derniere_reception SET NOT NULL;
CREATE INDEX fichier_log_version_reception_idx ON fichier_log_version (centre_usinage_id, derniere_reception, id);
COMMENT ON COLUMN fichier_log_version.derniere_reception IS 'Quand ses derniers octets sont arrivés (ni une relecture, ni un renvoi)';

-- Whoever shows alerts hears of them (migration 4). By row, as they are few: that an alert was seen once more, which a
-- worker notes twice a minute, is no news.
CREATE FUNCTION annoncer_alerte() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM annoncer('alerte', lower(TG_OP), ARRAY[CASE TG_OP WHEN 'DELETE' THEN OLD.id ELSE NEW.id END], 1);
  RETURN NULL;
END $$;
CREATE TRIGGER annonce_ajout AFTER INSERT ON alerte FOR EACH ROW EXECUTE FUNCTION annoncer_alerte();
CREATE TRIGGER annonce_changement AFTER UPDATE ON alerte FOR EACH ROW
  WHEN ((OLD.etat, OLD.gravite, OLD.message, OLD.acquittee_le) IS DISTINCT FROM (NEW.etat, NEW.gravite, NEW.message, NEW.acquittee_le))
  EXECUTE FUNCTION annoncer_alerte();
CREATE TRIGGER annonce_suppression AFTER DELETE ON alerte FOR EACH ROW EXECUTE FUNCTION annoncer_alerte();
