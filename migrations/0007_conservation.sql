-- Retention: what was purged, and what must not come back.

-- All locks at once, before any work: whoever holds one and waits for another is not caught in a ring with us.
LOCK TABLE centre_usinage IN SHARE ROW EXCLUSIVE MODE;
LOCK TABLE fichier_log_version, ligne_rejetee, journal_audit, "user" IN ACCESS EXCLUSIVE MODE;

CREATE TABLE jour_gele (
  centre_usinage_id     integer NOT NULL REFERENCES centre_usinage (id),
  jour                  date NOT NULL,
  details_purges_le     timestamptz,
  session_purgee_le     timestamptz,
  archives_purgees_le   timestamptz,
  quarantaine_purgee_le timestamptz,
  date_creation         timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (centre_usinage_id, jour)
);
COMMENT ON TABLE jour_gele IS 'Journées dont quelque chose a été purgé : un fichier renvoyé ne le fait pas revenir, et ce qui en reste ne change plus';
COMMENT ON COLUMN jour_gele.centre_usinage_id IS 'Centre d’usinage';
COMMENT ON COLUMN jour_gele.jour IS 'Journée de production';
COMMENT ON COLUMN jour_gele.details_purges_le IS 'Quand ses pièces, profilés, attentes et arrêts ont été effacés : ses chiffres ne changent plus';
COMMENT ON COLUMN jour_gele.session_purgee_le IS 'Quand ses chiffres ont été effacés : sa session ne revient plus';
COMMENT ON COLUMN jour_gele.archives_purgees_le IS 'Quand des octets d’où elle vient ont été effacés : elle ne se recalcule plus';
COMMENT ON COLUMN jour_gele.quarantaine_purgee_le IS 'Quand ses lignes rejetées ont été effacées : elles ne reviennent plus (cela seul ne gèle pas ses chiffres)';
COMMENT ON COLUMN jour_gele.date_creation IS 'Instant de création de la ligne';

ALTER TABLE fichier_log_version
  ADD COLUMN archive_purgee_le timestamptz,
  ADD COLUMN rejets_purges bigint NOT NULL DEFAULT 0,
  ADD COLUMN octets_rejets_purges bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN fichier_log_version.archive_purgee_le IS 'Quand ses octets ont été effacés de l’archive, durée de conservation passée ; NULL : ils y sont';
COMMENT ON COLUMN fichier_log_version.rejets_purges IS 'Lignes rejetées comptées, mais effacées ou plus remises en quarantaine (durée de conservation passée)';
COMMENT ON COLUMN fichier_log_version.octets_rejets_purges IS 'Octets de ces lignes';
-- How many lines are in quarantine is asked every few seconds: the sum of what versions know, not a count of lines.
CREATE INDEX fichier_log_version_quarantaine_idx ON fichier_log_version (centre_usinage_id)
  INCLUDE (lignes_rejetees, rejets_purges) WHERE lignes_rejetees > rejets_purges;

ALTER TABLE ligne_rejetee ADD COLUMN jour date;
COMMENT ON COLUMN ligne_rejetee.jour IS 'Journée de production de l’événement connu qui la précède dans le fichier (à défaut du premier) ; NULL : aucun, ou ligne plus ancienne que cette colonne';

CREATE TABLE purge (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  execution_id bigint NOT NULL,
  categorie    text NOT NULL,
  coupure      timestamptz NOT NULL,
  lignes       bigint NOT NULL DEFAULT 0,
  debut        timestamptz NOT NULL DEFAULT now(),
  fin          timestamptz
);
CREATE INDEX purge_execution_id_idx ON purge (execution_id);
COMMENT ON TABLE purge IS 'Preuve des purges : ce qui a été effacé, combien, à quelle date limite. Rien de personnel';
COMMENT ON COLUMN purge.id IS 'Identifiant';
COMMENT ON COLUMN purge.execution_id IS 'Passage qui a purgé (il peut avoir été purgé depuis)';
COMMENT ON COLUMN purge.categorie IS 'details, sessions, archives, quarantaine, audit…';
COMMENT ON COLUMN purge.coupure IS 'Instant avant lequel tout est parti';
COMMENT ON COLUMN purge.lignes IS 'Lignes (ou archives, comptes, fichiers) effacées ; avance avec chaque lot';
COMMENT ON COLUMN purge.debut IS 'Début';
COMMENT ON COLUMN purge.fin IS 'Fin, NULL tant qu’elle court (ou si elle a été tuée : la suivante finit)';

-- An account that an admin lets in again is not one that nobody uses, whatever its last sign-in says.
ALTER TABLE "user" ADD COLUMN reactive_le timestamptz;
COMMENT ON COLUMN "user".reactive_le IS 'Dernière réactivation par un admin (comptes inactifs), NULL : jamais désactivé depuis';
CREATE FUNCTION noter_reactivation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.reactive_le := now();
  RETURN NEW;
END $$;
CREATE TRIGGER reactivation BEFORE UPDATE OF actif ON "user" FOR EACH ROW
  WHEN (NEW.actif AND NOT OLD.actif) EXECUTE FUNCTION noter_reactivation();

-- Rejects of earlier imports: a version all of whose events lie on one day has its rejects on that day.
UPDATE ligne_rejetee r SET jour = j.jour
  FROM (SELECT version_id, min(jour) AS jour FROM fichier_log_jour GROUP BY version_id HAVING count(*) = 1) j
 WHERE j.version_id = r.version_id;

-- The audit log stays append-only, with one more exception: forgetting a person takes his identifiers out of it
-- (SET LOCAL atelier.oubli = 'oui'), never what was done, nor when.
CREATE OR REPLACE FUNCTION proteger_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('atelier.purge', true) = 'oui' THEN
    RETURN NULL;
  END IF;
  IF TG_OP = 'UPDATE' AND current_setting('atelier.oubli', true) = 'oui' THEN
    RETURN NULL;
  END IF;
  RAISE insufficient_privilege USING MESSAGE = format('journal_audit : %s refusé, on ne fait qu’y ajouter', TG_OP);
END $$;
CREATE FUNCTION proteger_fait_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE insufficient_privilege USING MESSAGE = 'journal_audit : ni le fait ni l’instant d’une ligne ne changent';
END $$;
CREATE TRIGGER audit_fait BEFORE UPDATE ON journal_audit FOR EACH ROW
  WHEN (OLD.id IS DISTINCT FROM NEW.id OR OLD.instant IS DISTINCT FROM NEW.instant
        OR OLD.evenement IS DISTINCT FROM NEW.evenement)
  EXECUTE FUNCTION proteger_fait_audit();
