-- Schedule: when tasks are due, and which runs did what was due.

CREATE TABLE planification (
  tache               text PRIMARY KEY,
  horaire             text NOT NULL,
  fuseau              text NOT NULL,
  derniere_echeance   timestamptz NOT NULL,
  prochaine_echeance  timestamptz NOT NULL,
  echeances_manquees  bigint NOT NULL DEFAULT 0,
  date_modification   timestamptz NOT NULL DEFAULT now(),
  CHECK (prochaine_echeance > derniere_echeance)
);
COMMENT ON TABLE planification IS 'Échéances des tâches : chacune est mise en file une seule fois, quel que soit le nombre de workers';
COMMENT ON COLUMN planification.tache IS 'ingest, sync, purge, sauvegarde';
COMMENT ON COLUMN planification.horaire IS 'Horaire en vigueur (CRON_LOGS, CRON_COMMANDES…)';
COMMENT ON COLUMN planification.fuseau IS 'Fuseau horaire de l’horaire';
COMMENT ON COLUMN planification.derniere_echeance IS 'Jusqu’où les échéances ont été traitées : mises en file, ou laissées selon RATTRAPAGE';
COMMENT ON COLUMN planification.prochaine_echeance IS 'Prochaine échéance';
COMMENT ON COLUMN planification.echeances_manquees IS 'Nombre d’échéances passées pendant un arrêt et non rattrapées';
COMMENT ON COLUMN planification.date_modification IS 'Dernier changement de la ligne';

ALTER TABLE execution
  ADD COLUMN declencheur    text NOT NULL DEFAULT 'cli' CHECK (declencheur IN ('cli', 'planifie', 'demande', 'suivi')),
  ADD COLUMN echeance       timestamptz,
  ADD COLUMN travail        uuid,
  ADD COLUMN tentative      integer NOT NULL DEFAULT 1 CHECK (tentative > 0),
  ADD COLUMN tentatives_max integer CHECK (tentatives_max >= tentative),
  ADD COLUMN demandeur      uuid,
  ADD COLUMN battement      timestamptz,
  ADD COLUMN session_pg     text,
  ADD COLUMN espace         text,
  DROP CONSTRAINT execution_etat_check,
  ADD CONSTRAINT execution_etat_check CHECK (etat IN ('en_attente', 'en_cours', 'reussie', 'partielle', 'echouee', 'ignoree')),
  ADD CONSTRAINT execution_planifiee_check CHECK ((declencheur = 'planifie') = (echeance IS NOT NULL));
COMMENT ON COLUMN execution.etat IS 'en_attente (demandée, pas encore commencée), en_cours, reussie, partielle (un fichier illisible), echouee, ignoree';
COMMENT ON COLUMN execution.declencheur IS 'cli (commande), planifie (échéance), demande (API ou atelier lancer), suivi';
COMMENT ON COLUMN execution.echeance IS 'Échéance dont c’est le passage, si elle est planifiée';
COMMENT ON COLUMN execution.travail IS 'Travail de la file (pgboss.job) ; les essais d’un même travail le partagent';
COMMENT ON COLUMN execution.tentative IS 'Numéro de l’essai, à partir de 1';
COMMENT ON COLUMN execution.tentatives_max IS 'Nombre d’essais avant abandon, NULL hors de la file';
COMMENT ON COLUMN execution.demandeur IS 'Compte qui l’a demandée par l’API (il peut avoir été supprimé depuis)';
COMMENT ON COLUMN execution.battement IS 'Dernier signe de vie du worker qui l’exécute';
COMMENT ON COLUMN execution.session_pg IS 'Session PostgreSQL qui tient le verrou de la tâche (numéro et début), pour l’écarter si un autre worker la reprend';
COMMENT ON COLUMN execution.espace IS 'Où ce numéro de processus a un sens : démarrage de la machine et conteneur';

-- What was due is done once: a worker that comes back from the dead cannot note it a second time.
CREATE UNIQUE INDEX execution_echeance_idx ON execution (tache, echeance)
  WHERE echeance IS NOT NULL AND etat IN ('reussie', 'partielle');
CREATE INDEX execution_travail_idx ON execution (travail) WHERE travail IS NOT NULL;
CREATE INDEX execution_ouverte_idx ON execution (tache, id) WHERE etat IN ('en_attente', 'en_cours');
CREATE INDEX execution_tache_idx ON execution (tache, id DESC);
-- How each task last ended, when it last ended otherwise, and whether it ran since it was due is asked all the time: some
-- never fail, some run once a week among thousands of others.
CREATE INDEX execution_issue_idx ON execution (tache, etat, id);
CREATE INDEX execution_tache_debut_idx ON execution (tache, debut DESC);
CREATE INDEX execution_tache_echeance_idx ON execution (tache, echeance) WHERE echeance IS NOT NULL;
