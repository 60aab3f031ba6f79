-- What the API needs: orders that lists are read in, and the announcement of every change.

-- Lists are read in the order of time and, from a cursor, from any point of it. By centre first: of one that is rare,
-- new or retired, no other row is looked at, and centres are few enough for the list of all to be merged from theirs.
-- So one index serves both; a second one of all pieces would be paid for by every import.
CREATE INDEX piece_production_timestamp_idx ON piece_production (centre_usinage_id, timestamp_production, id);
CREATE INDEX periode_attente_timestamp_idx ON periode_attente (centre_usinage_id, timestamp_debut, id);
CREATE INDEX periode_arret_timestamp_idx ON periode_arret (centre_usinage_id, timestamp_debut, id);
CREATE INDEX job_profil_timestamp_idx ON job_profil (centre_usinage_id, timestamp_debut, id);

-- Rows that were entered by hand come from no log. Imports write nothing here.
CREATE INDEX piece_production_saisie_idx ON piece_production (timestamp_production, id) WHERE fichier_log_version_id IS NULL;
CREATE INDEX periode_attente_saisie_idx ON periode_attente (timestamp_debut, id) WHERE fichier_log_version_id IS NULL;
CREATE INDEX periode_arret_saisie_idx ON periode_arret (timestamp_debut, id) WHERE fichier_log_version_id IS NULL;
CREATE INDEX job_profil_saisie_idx ON job_profil (timestamp_debut, id) WHERE fichier_log_version_id IS NULL;

-- Profiles and periods are one row to ten or twenty pieces: what else one asks for has an index, too.
CREATE INDEX job_profil_reference_idx ON job_profil (reference, id);
CREATE INDEX job_profil_couleur_idx ON job_profil (couleur, id);
CREATE INDEX periode_attente_duree_idx ON periode_attente (duree_secondes, id);
CREATE INDEX periode_arret_duree_idx ON periode_arret (duree_secondes, id);

-- Quarantine is read by version and line, of one reason or of all, and counted by reason from this index alone.
CREATE INDEX ligne_rejetee_raison_idx ON ligne_rejetee (raison, version_id, ligne);

-- Every change is announced on the channel « atelier » when its transaction commits, whoever made it (imports,
-- synchronisations, the API, psql), as {"table", "action", "ids", "nombre"}: `ids` is null beyond 200 rows, which
-- keeps a message below the 8000 bytes that PostgreSQL allows. One look a statement, never one a row: loads stay fast.
CREATE FUNCTION annoncer(nom text, action text, ids bigint[], nombre bigint) RETURNS void LANGUAGE sql AS $$
  SELECT pg_notify('atelier', json_build_object('table', nom, 'action', action, 'ids', ids, 'nombre', nombre)::text)
$$;
COMMENT ON FUNCTION annoncer IS 'Dit sur le canal « atelier » que des lignes d’une table ont changé';

CREATE FUNCTION annoncer_changement() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  total   bigint;
  touches bigint[];
BEGIN
  IF TG_OP = 'UPDATE' THEN
    -- Rows written as they were (upserts) are no change. EXCEPT hashes: it stays linear where a join whose plan was
    -- made for one row would not.
    SELECT count(*), (array_agg(c.id))[1:201] INTO total, touches
      FROM (SELECT * FROM lignes EXCEPT SELECT * FROM anciennes) c;
  ELSE
    SELECT count(*) INTO total FROM lignes;
    IF total <= 200 THEN
      SELECT array_agg(l.id) INTO touches FROM lignes l;
    END IF;
  END IF;
  IF total > 0 THEN
    PERFORM annoncer(TG_TABLE_NAME, lower(TG_OP), CASE WHEN total <= 200 THEN touches END, total);
  END IF;
  RETURN NULL;
END $$;

DO $$
DECLARE suivie text;
BEGIN
  FOREACH suivie IN ARRAY ARRAY['centre_usinage', 'session_production', 'fichier_log', 'commandes_volets_roulants', 'execution'] LOOP
    EXECUTE format('CREATE TRIGGER annonce_ajout AFTER INSERT ON %I REFERENCING NEW TABLE AS lignes
                    FOR EACH STATEMENT EXECUTE FUNCTION annoncer_changement()', suivie);
    EXECUTE format('CREATE TRIGGER annonce_changement AFTER UPDATE ON %I REFERENCING NEW TABLE AS lignes OLD TABLE AS anciennes
                    FOR EACH STATEMENT EXECUTE FUNCTION annoncer_changement()', suivie);
    EXECUTE format('CREATE TRIGGER annonce_suppression AFTER DELETE ON %I REFERENCING OLD TABLE AS lignes
                    FOR EACH STATEMENT EXECUTE FUNCTION annoncer_changement()', suivie);
  END LOOP;
END $$;

-- A detail that changes changes its session for whoever looks at it. Sessions that this transaction has written itself
-- were announced by that; sessions that are gone, by their deletion.
CREATE FUNCTION annoncer_sessions(sessions bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  total   bigint;
  touches bigint[];
BEGIN
  SELECT count(*), (array_agg(s.id ORDER BY s.id))[1:201] INTO total, touches
    FROM session_production s
   WHERE s.id = ANY (sessions) AND s.xmin <> pg_current_xact_id()::xid;
  IF total > 0 THEN
    PERFORM annoncer('session_production', 'update', CASE WHEN total <= 200 THEN touches END, total);
  END IF;
END $$;

CREATE FUNCTION annoncer_details() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE touchees bigint[];
BEGIN
  SELECT array_agg(DISTINCT l.session_id) INTO touchees FROM lignes l;
  IF touchees IS NOT NULL THEN
    PERFORM annoncer_sessions(touchees);
  END IF;
  RETURN NULL;
END $$;

-- As before (migration 1), but the sessions of added details are gathered once, for the check and for the announcement:
-- announcing them costs a load no pass over its rows.
CREATE OR REPLACE FUNCTION refuser_orphelins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  sessions bigint[];
  centres  integer[];
  trouvees bigint;
BEGIN
  SELECT array_agg(d.session_id), array_agg(d.centre_usinage_id) INTO sessions, centres
    FROM (SELECT DISTINCT n.session_id, n.centre_usinage_id FROM nouvelles n) d;
  IF sessions IS NULL THEN
    RETURN NULL;
  END IF;
  -- FOR KEY SHARE: a session cannot be deleted by someone else until this transaction ends.
  SELECT count(*) INTO trouvees
    FROM (SELECT 1 FROM session_production s
           WHERE (s.id, s.centre_usinage_id) IN (SELECT * FROM unnest(sessions, centres))
             FOR KEY SHARE OF s) v;
  IF trouvees <> cardinality(sessions) THEN
    RAISE foreign_key_violation USING
      MESSAGE = format('%s : %s session(s) introuvable(s)', TG_TABLE_NAME, cardinality(sessions) - trouvees),
      TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA, CONSTRAINT = TG_TABLE_NAME || '_session_id';
  END IF;
  PERFORM annoncer_sessions(sessions);
  RETURN NULL;
END $$;

DO $$
DECLARE detail text;
BEGIN
  FOREACH detail IN ARRAY ARRAY['job_profil', 'periode_attente', 'periode_arret', 'piece_production'] LOOP
    EXECUTE format('CREATE TRIGGER annonce_changement AFTER UPDATE ON %I REFERENCING NEW TABLE AS lignes
                    FOR EACH STATEMENT EXECUTE FUNCTION annoncer_details()', detail);
    EXECUTE format('CREATE TRIGGER annonce_suppression AFTER DELETE ON %I REFERENCING OLD TABLE AS lignes
                    FOR EACH STATEMENT EXECUTE FUNCTION annoncer_details()', detail);
  END LOOP;
END $$;

-- Open streams look again at what they may when an account or a key changes. Signing in and using a key change neither.
CREATE FUNCTION annoncer_acces() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('atelier', json_build_object(
    'table', TG_TABLE_NAME, 'action', lower(TG_OP), 'ids', json_build_array(OLD.id), 'nombre', 1)::text);
  RETURN NULL;
END $$;
CREATE TRIGGER annonce_changement AFTER UPDATE OF version_jetons, actif, role ON "user"
  FOR EACH ROW WHEN ((OLD.version_jetons, OLD.actif, OLD.role) IS DISTINCT FROM (NEW.version_jetons, NEW.actif, NEW.role))
  EXECUTE FUNCTION annoncer_acces();
CREATE TRIGGER annonce_suppression AFTER DELETE ON "user" FOR EACH ROW EXECUTE FUNCTION annoncer_acces();
CREATE TRIGGER annonce_changement AFTER UPDATE OF revoquee, date_fin, portees ON cle_api
  FOR EACH ROW WHEN ((OLD.revoquee, OLD.date_fin, OLD.portees) IS DISTINCT FROM (NEW.revoquee, NEW.date_fin, NEW.portees))
  EXECUTE FUNCTION annoncer_acces();
CREATE TRIGGER annonce_suppression AFTER DELETE ON cle_api FOR EACH ROW EXECUTE FUNCTION annoncer_acces();
