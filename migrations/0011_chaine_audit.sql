-- The audit log as a chain: whatever is written, blanked or purged is a link that holds the hash of the one before.
-- Programs write through functions that have the owner's rights; their own roles lose theirs (src/postgres/droits.ts).
LOCK TABLE journal_audit IN ACCESS EXCLUSIVE MODE;

CREATE TABLE audit_maillon (
  rang       bigint PRIMARY KEY,
  genre      text NOT NULL CHECK (genre IN ('ligne', 'oubli', 'purge', 'ancre')),
  audit_id   bigint NOT NULL,
  instant    timestamptz NOT NULL,
  engagement bytea,
  empreinte  bytea NOT NULL
);
COMMENT ON TABLE audit_maillon IS 'Chaîne d’empreintes du journal d’audit : un maillon par ligne écrite, effacée ou rendue anonyme. Rien ici ne désigne personne';
COMMENT ON COLUMN audit_maillon.rang IS 'Place dans la chaîne, sans trou';
COMMENT ON COLUMN audit_maillon.genre IS 'ligne : écrite ; oubli : rendue anonyme ; purge : effacée à son terme ; ancre : les maillons d’avant, tous de lignes effacées, ne sont plus gardés';
COMMENT ON COLUMN audit_maillon.audit_id IS 'Ligne de journal_audit ; d’une ancre : rang du dernier maillon qui n’est plus gardé';
COMMENT ON COLUMN audit_maillon.instant IS 'Quand, d’après l’horloge du serveur';
COMMENT ON COLUMN audit_maillon.engagement IS 'SHA-256 de la ligne et de son sel ; d’une ancre : empreinte du maillon de ce rang ; NULL : purge';
COMMENT ON COLUMN audit_maillon.empreinte IS 'SHA-256 de l’empreinte d’avant et de tout ce maillon';

-- Without its salt the link of a line that was blanked says nothing of what it held.
ALTER TABLE journal_audit ADD COLUMN sel bytea NOT NULL DEFAULT uuid_send(gen_random_uuid());
COMMENT ON COLUMN journal_audit.sel IS 'Tiré au hasard, de nouveau quand la ligne est rendue anonyme : sans lui son maillon ne dit rien de ce qu’elle portait';

-- Adds a link. One writer at a time, until its transaction ends: a chain has one end.
CREATE FUNCTION enchainer_audit(le_genre text, la_ligne bigint, quand timestamptz, l_engagement bytea)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  avant bytea;
  dernier bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(4711000015);
  SELECT m.rang, m.empreinte INTO dernier, avant FROM audit_maillon m ORDER BY m.rang DESC LIMIT 1;
  dernier := coalesce(dernier, 0) + 1;
  INSERT INTO audit_maillon (rang, genre, audit_id, instant, engagement, empreinte)
  VALUES (dernier, le_genre, la_ligne, quand, l_engagement,
          sha256(coalesce(avant, ''::bytea) || int8send(dernier) || convert_to(le_genre, 'UTF8') || int8send(la_ligne)
                 || int8send((extract(epoch FROM quand) * 1000000)::bigint) || coalesce(l_engagement, ''::bytea)));
END $$;

-- Every way into the table and out of it passes here, the owner's too.
CREATE FUNCTION enchainer_ligne_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM enchainer_audit('purge', OLD.id, clock_timestamp(), NULL);
    RETURN NULL;
  END IF;
  PERFORM enchainer_audit(CASE TG_OP WHEN 'INSERT' THEN 'ligne' ELSE 'oubli' END, NEW.id, clock_timestamp(),
    sha256(NEW.sel || convert_to(jsonb_build_array(NEW.id, extract(epoch FROM NEW.instant), NEW.evenement, NEW.user_id,
      NEW.cle_id, NEW.cible, NEW.adresse, NEW.requete, NEW.details)::text, 'UTF8')));
  RETURN NULL;
END $$;

-- What is there already, in the order in which it was written: from here on it cannot be changed unnoticed.
DO $$
DECLARE
  l record;
BEGIN
  FOR l IN SELECT * FROM journal_audit ORDER BY id LOOP
    PERFORM enchainer_audit('ligne', l.id, l.instant,
      sha256(l.sel || convert_to(jsonb_build_array(l.id, extract(epoch FROM l.instant), l.evenement, l.user_id,
        l.cle_id, l.cible, l.adresse, l.requete, l.details)::text, 'UTF8')));
  END LOOP;
END $$;

CREATE TRIGGER audit_chaine AFTER INSERT OR UPDATE OR DELETE ON journal_audit FOR EACH ROW
  EXECUTE FUNCTION enchainer_ligne_audit();

-- The chain itself: links are added at its end, and go from its beginning when purger_audit has put an anchor.
CREATE FUNCTION proteger_chaine_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('atelier.purge', true) = 'oui' THEN
    RETURN NULL;
  END IF;
  RAISE insufficient_privilege USING MESSAGE = format('audit_maillon : %s refusé, on ne fait qu’y ajouter', TG_OP);
END $$;
CREATE TRIGGER chaine_protegee BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_maillon
  FOR EACH STATEMENT EXECUTE FUNCTION proteger_chaine_audit();

-- Writing: the server says when. Bounds, so that nobody fills the disk line by line.
CREATE FUNCTION noter_audit(l_evenement text, le_compte uuid, la_cle uuid, la_cible text, l_adresse text, la_requete text, les_details jsonb)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  le_numero bigint;
BEGIN
  IF l_evenement IS NULL OR l_evenement !~ '^[a-z][a-z_]{0,59}$' OR length(la_cible) > 300 OR length(l_adresse) > 60
     OR length(la_requete) > 300 OR length(les_details::text) > 20000 THEN
    RAISE check_violation USING MESSAGE = 'journal_audit : ligne démesurée ou sans nom d’événement';
  END IF;
  -- Before the instant: lines are in the order of their instants.
  PERFORM pg_advisory_xact_lock(4711000015);
  INSERT INTO journal_audit (instant, evenement, user_id, cle_id, cible, adresse, requete, details)
  VALUES (clock_timestamp(), l_evenement, le_compte, la_cle, la_cible, l_adresse, la_requete, coalesce(les_details, '{}'))
  RETURNING id INTO le_numero;
  RETURN le_numero;
END $$;

-- Forgetting: in all lines of a person the same tombstone in place of the account, without key, network and request.
CREATE FUNCTION oublier_audit(le_compte uuid, la_tombe uuid, les_cles uuid[])
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  nombre bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(4711000015);
  PERFORM set_config('atelier.oubli', 'oui', true);
  UPDATE journal_audit
     SET user_id = CASE WHEN user_id = le_compte THEN la_tombe ELSE user_id END,
         cle_id = CASE WHEN user_id = le_compte OR cle_id = ANY (les_cles) THEN NULL ELSE cle_id END,
         adresse = CASE WHEN user_id = le_compte THEN NULL ELSE adresse END,
         requete = CASE WHEN user_id = le_compte THEN NULL ELSE requete END,
         cible = CASE WHEN cible = 'users/' || le_compte::text THEN 'users/' || la_tombe::text
                      WHEN cible LIKE 'cles/%' THEN 'cles/' ELSE replace(cible, le_compte::text, la_tombe::text) END,
         details = replace(details::text, le_compte::text, la_tombe::text)::jsonb,
         sel = uuid_send(gen_random_uuid())
   WHERE user_id = le_compte OR cible = 'users/' || le_compte::text OR cle_id = ANY (les_cles)
      OR cible = ANY (SELECT 'cles/' || k::text FROM unnest(les_cles) k)
      OR details::text LIKE '%' || le_compte::text || '%';
  GET DIAGNOSTICS nombre = ROW_COUNT;
  PERFORM set_config('atelier.oubli', '', true);
  RETURN nombre;
END $$;

-- Purging: lines older than an instant, so many at once; links that lead to purged lines only give way to an anchor.
CREATE FUNCTION purger_audit(limite timestamptz, lot integer)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  nombre bigint;
  fin bigint;
  tete bytea;
BEGIN
  -- First the lock that every writer takes: rows are locked after it, as they are by others.
  PERFORM pg_advisory_xact_lock(4711000015);
  PERFORM set_config('atelier.purge', 'oui', true);
  DELETE FROM journal_audit WHERE id IN (SELECT j.id FROM journal_audit j WHERE j.instant < limite ORDER BY j.instant LIMIT lot);
  GET DIAGNOSTICS nombre = ROW_COUNT;
  SELECT coalesce((SELECT m.rang - 1 FROM audit_maillon m WHERE EXISTS (SELECT FROM journal_audit j WHERE j.id = m.audit_id)
                      AND m.genre IN ('ligne', 'oubli') ORDER BY m.rang LIMIT 1),
                  (SELECT max(m.rang) FROM audit_maillon m)) INTO fin;
  SELECT m.empreinte INTO tete FROM audit_maillon m WHERE m.rang = fin;
  IF nombre > 0 AND tete IS NOT NULL THEN
    PERFORM enchainer_audit('ancre', fin, clock_timestamp(), tete);
    DELETE FROM audit_maillon WHERE rang <= fin;
  END IF;
  PERFORM set_config('atelier.purge', '', true);
  RETURN nombre;
END $$;
