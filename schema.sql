-- The schema after all migrations. Made by `npm run generate`; edit migrations/, not this file.

CREATE TABLE alerte (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  regle text NOT NULL,
  objet text NOT NULL,
  gravite text NOT NULL,
  etat text NOT NULL DEFAULT 'ouverte'::text,
  message text NOT NULL,
  details jsonb NOT NULL DEFAULT '{}'::jsonb,
  debut timestamp with time zone NOT NULL,
  ouverte_le timestamp with time zone NOT NULL,
  derniere_vue timestamp with time zone NOT NULL,
  fin timestamp with time zone,
  dernier_avis timestamp with time zone NOT NULL,
  rappels integer NOT NULL DEFAULT 0,
  acquittee_par uuid,
  acquittee_le timestamp with time zone,
  CONSTRAINT alerte_pkey PRIMARY KEY (id),
  CONSTRAINT alerte_check CHECK (((etat = 'resolue'::text) = (fin IS NOT NULL))),
  CONSTRAINT alerte_etat_check CHECK ((etat = ANY (ARRAY['ouverte'::text, 'resolue'::text]))),
  CONSTRAINT alerte_gravite_check CHECK ((gravite = ANY (ARRAY['attention'::text, 'critique'::text]))),
  CONSTRAINT alerte_regle_check CHECK ((regle <> ''::text))
);
CREATE INDEX alerte_debut_idx ON public.alerte USING btree (debut, id);
CREATE INDEX alerte_fin_idx ON public.alerte USING btree (fin) WHERE (fin IS NOT NULL);
CREATE UNIQUE INDEX alerte_ouverte_idx ON public.alerte USING btree (regle, objet) WHERE (etat = 'ouverte'::text);
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
  regle text NOT NULL,
  objet text NOT NULL,
  premiere_vue timestamp with time zone NOT NULL,
  CONSTRAINT alerte_attente_pkey PRIMARY KEY (regle, objet)
);
COMMENT ON TABLE alerte_attente IS 'Ce qui ne va pas depuis trop peu de temps pour déranger quelqu’un';
COMMENT ON COLUMN alerte_attente.regle IS 'Règle';
COMMENT ON COLUMN alerte_attente.objet IS 'Sur quoi';
COMMENT ON COLUMN alerte_attente.premiere_vue IS 'Premier des contrôles de suite qui l’ont constaté';

CREATE TABLE alerte_envoi (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  alerte_id bigint NOT NULL,
  canal text NOT NULL,
  genre text NOT NULL,
  numero integer NOT NULL DEFAULT 0,
  message_id uuid NOT NULL DEFAULT gen_random_uuid(),
  contenu jsonb NOT NULL,
  etat text NOT NULL DEFAULT 'a_envoyer'::text,
  tentatives integer NOT NULL DEFAULT 0,
  prochain_essai timestamp with time zone NOT NULL,
  reservation uuid,
  envoye_le timestamp with time zone,
  erreur text,
  date_creation timestamp with time zone NOT NULL,
  CONSTRAINT alerte_envoi_alerte_id_canal_genre_numero_key UNIQUE (alerte_id, canal, genre, numero),
  CONSTRAINT alerte_envoi_pkey PRIMARY KEY (id),
  CONSTRAINT alerte_envoi_alerte_id_fkey FOREIGN KEY (alerte_id) REFERENCES alerte(id) ON DELETE CASCADE,
  CONSTRAINT alerte_envoi_canal_check CHECK ((canal = ANY (ARRAY['webhook'::text, 'mail'::text]))),
  CONSTRAINT alerte_envoi_etat_check CHECK ((etat = ANY (ARRAY['a_envoyer'::text, 'envoye'::text, 'abandonne'::text]))),
  CONSTRAINT alerte_envoi_genre_check CHECK ((genre = ANY (ARRAY['ouverture'::text, 'rappel'::text, 'retablissement'::text])))
);
CREATE INDEX alerte_envoi_file_idx ON public.alerte_envoi USING btree (canal, prochain_essai) WHERE (etat = 'a_envoyer'::text);
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

CREATE TABLE archive_perimee (
  centre_usinage_id integer NOT NULL,
  sha256 bytea NOT NULL,
  CONSTRAINT archive_perimee_pkey PRIMARY KEY (centre_usinage_id, sha256),
  CONSTRAINT archive_perimee_centre_usinage_id_fkey FOREIGN KEY (centre_usinage_id) REFERENCES centre_usinage(id)
);
COMMENT ON TABLE archive_perimee IS 'Archives devenues inutiles (préfixes d’une version plus longue), à effacer du disque';
COMMENT ON COLUMN archive_perimee.centre_usinage_id IS 'Centre d’usinage';
COMMENT ON COLUMN archive_perimee.sha256 IS 'Empreinte des octets : leur nom dans l’archive';

CREATE TABLE audit_maillon (
  rang bigint NOT NULL,
  genre text NOT NULL,
  audit_id bigint NOT NULL,
  instant timestamp with time zone NOT NULL,
  engagement bytea,
  empreinte bytea NOT NULL,
  CONSTRAINT audit_maillon_pkey PRIMARY KEY (rang),
  CONSTRAINT audit_maillon_genre_check CHECK ((genre = ANY (ARRAY['ligne'::text, 'oubli'::text, 'purge'::text, 'ancre'::text])))
);
COMMENT ON TABLE audit_maillon IS 'Chaîne d’empreintes du journal d’audit : un maillon par ligne écrite, effacée ou rendue anonyme. Rien ici ne désigne personne';
COMMENT ON COLUMN audit_maillon.rang IS 'Place dans la chaîne, sans trou';
COMMENT ON COLUMN audit_maillon.genre IS 'ligne : écrite ; oubli : rendue anonyme ; purge : effacée à son terme ; ancre : les maillons d’avant, tous de lignes effacées, ne sont plus gardés';
COMMENT ON COLUMN audit_maillon.audit_id IS 'Ligne de journal_audit ; d’une ancre : rang du dernier maillon qui n’est plus gardé';
COMMENT ON COLUMN audit_maillon.instant IS 'Quand, d’après l’horloge du serveur';
COMMENT ON COLUMN audit_maillon.engagement IS 'SHA-256 de la ligne et de son sel ; d’une ancre : empreinte du maillon de ce rang ; NULL : purge';
COMMENT ON COLUMN audit_maillon.empreinte IS 'SHA-256 de l’empreinte d’avant et de tout ce maillon';

CREATE TABLE centre_usinage (
  id integer NOT NULL GENERATED BY DEFAULT AS IDENTITY,
  nom text NOT NULL,
  type_cu text NOT NULL DEFAULT 'INCONNU'::text,
  type_origine text NOT NULL DEFAULT 'log'::text,
  description text,
  actif boolean NOT NULL DEFAULT true,
  date_creation timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT centre_usinage_nom_key UNIQUE (nom),
  CONSTRAINT centre_usinage_pkey PRIMARY KEY (id),
  CONSTRAINT centre_usinage_nom_check CHECK ((nom <> ''::text)),
  CONSTRAINT centre_usinage_type_cu_check CHECK ((type_cu <> ''::text)),
  CONSTRAINT centre_usinage_type_origine_check CHECK ((type_origine = ANY (ARRAY['log'::text, 'manuel'::text])))
);
COMMENT ON TABLE centre_usinage IS 'Centre d’usinage : une machine, un sous-dossier de LOGS_DIR';
COMMENT ON COLUMN centre_usinage.id IS 'Identifiant';
COMMENT ON COLUMN centre_usinage.nom IS 'Nom du centre (celui du dossier, sans le type entre parenthèses)';
COMMENT ON COLUMN centre_usinage.type_cu IS 'PVC, ALU, HYBRIDE, ou INCONNU tant que personne ne l’a dit';
COMMENT ON COLUMN centre_usinage.type_origine IS 'log : type déduit du dossier ou de CENTRES ; manuel : corrigé à la main, plus jamais écrasé';
COMMENT ON COLUMN centre_usinage.description IS 'Texte libre';
COMMENT ON COLUMN centre_usinage.actif IS 'Faux quand le centre ne produit plus';
COMMENT ON COLUMN centre_usinage.date_creation IS 'Instant de création de la ligne';

CREATE TABLE cle_api (
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  nom text NOT NULL,
  empreinte bytea NOT NULL,
  portees text[] NOT NULL,
  date_fin timestamp with time zone NOT NULL,
  revoquee timestamp with time zone,
  derniere_utilisation timestamp with time zone,
  date_creation timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT cle_api_pkey PRIMARY KEY (id),
  CONSTRAINT cle_api_user_id_fkey FOREIGN KEY (user_id) REFERENCES "user"(id) ON DELETE CASCADE,
  CONSTRAINT cle_api_empreinte_check CHECK ((octet_length(empreinte) = 32)),
  CONSTRAINT cle_api_nom_check CHECK ((nom <> ''::text))
);
CREATE INDEX cle_api_user_id_idx ON public.cle_api USING btree (user_id);
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

CREATE TABLE cle_chiffrement (
  id text NOT NULL,
  temoin bytea NOT NULL,
  date_creation timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT cle_chiffrement_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE cle_chiffrement IS 'Clés de chiffrement connues de cette base, sans les clés : un témoin chiffré dit à chaque démarrage si la clé est la bonne';
COMMENT ON COLUMN cle_chiffrement.id IS 'Identifiant de la clé : le début d’une empreinte dérivée d’elle';
COMMENT ON COLUMN cle_chiffrement.temoin IS 'Texte connu, chiffré avec cette clé';
COMMENT ON COLUMN cle_chiffrement.date_creation IS 'Instant de création de la ligne';

CREATE TABLE commande_historique (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  execution_id bigint,
  commande_id bigint NOT NULL,
  numero_commande text NOT NULL,
  extension text NOT NULL,
  motif text NOT NULL,
  ancien_status text,
  nouveau_status text,
  date_changement timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT commande_historique_pkey PRIMARY KEY (id),
  CONSTRAINT commande_historique_motif_check CHECK ((motif = ANY (ARRAY['ajoutee'::text, 'modifiee'::text, 'retiree'::text, 'remplace_manuel'::text])))
);
CREATE INDEX commande_historique_commande_id_idx ON public.commande_historique USING btree (commande_id, id);
CREATE INDEX commande_historique_execution_id_idx ON public.commande_historique USING brin (execution_id);
COMMENT ON TABLE commande_historique IS 'Ce que les synchronisations ont changé aux commandes';
COMMENT ON COLUMN commande_historique.id IS 'Identifiant';
COMMENT ON COLUMN commande_historique.execution_id IS 'Passage qui a fait le changement (il peut avoir été purgé depuis)';
COMMENT ON COLUMN commande_historique.commande_id IS 'Commande (elle peut avoir été retirée depuis)';
COMMENT ON COLUMN commande_historique.numero_commande IS 'Numéro de commande';
COMMENT ON COLUMN commande_historique.extension IS 'Extension';
COMMENT ON COLUMN commande_historique.motif IS 'ajoutee, modifiee, retiree, remplace_manuel : l’ERP a pris la place d’une saisie';
COMMENT ON COLUMN commande_historique.ancien_status IS 'Statut avant, NULL pour un ajout';
COMMENT ON COLUMN commande_historique.nouveau_status IS 'Statut après, NULL pour un retrait';
COMMENT ON COLUMN commande_historique.date_changement IS 'Instant du changement';

CREATE TABLE commandes_volets_roulants (
  id bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY,
  numero_commande text NOT NULL,
  extension text NOT NULL DEFAULT ''::text,
  status text NOT NULL,
  date_modification date NOT NULL,
  coffre text NOT NULL,
  coffres text[] NOT NULL,
  gestion_en_stock smallint NOT NULL DEFAULT 0,
  origine text NOT NULL DEFAULT 'manuel'::text,
  date_creation timestamp with time zone NOT NULL DEFAULT now(),
  date_synchronisation timestamp with time zone,
  CONSTRAINT commandes_volets_roulants_numero_commande_extension_key UNIQUE (numero_commande, extension),
  CONSTRAINT commandes_volets_roulants_pkey PRIMARY KEY (id),
  CONSTRAINT commandes_volets_roulants_check CHECK ((coffre = coffres[1])),
  CONSTRAINT commandes_volets_roulants_gestion_en_stock_check CHECK ((gestion_en_stock = ANY (ARRAY[0, 1]))),
  CONSTRAINT commandes_volets_roulants_numero_commande_check CHECK ((numero_commande <> ''::text)),
  CONSTRAINT commandes_volets_roulants_origine_check CHECK ((origine = ANY (ARRAY['erp'::text, 'manuel'::text])))
);
CREATE INDEX commandes_volets_roulants_date_idx ON public.commandes_volets_roulants USING btree (date_modification, id);
CREATE INDEX commandes_volets_roulants_status_idx ON public.commandes_volets_roulants USING btree (status, id);
COMMENT ON TABLE commandes_volets_roulants IS 'Commandes de volets roulants retenues de l’ERP, et celles saisies à la main';
COMMENT ON COLUMN commandes_volets_roulants.id IS 'Identifiant ; une commande le garde d’une synchronisation à l’autre';
COMMENT ON COLUMN commandes_volets_roulants.numero_commande IS 'Numéro de commande (AuNummer)';
COMMENT ON COLUMN commandes_volets_roulants.extension IS 'Extension (AuAlpha), vide s’il n’y en a pas';
COMMENT ON COLUMN commandes_volets_roulants.status IS 'Statut dans l’ERP, texte réparé';
COMMENT ON COLUMN commandes_volets_roulants.date_modification IS 'Date de la dernière note « cde Planifiée » du journal de la commande';
COMMENT ON COLUMN commandes_volets_roulants.coffre IS 'Code de coffre : le premier de coffres';
COMMENT ON COLUMN commandes_volets_roulants.coffres IS 'Tous les codes de coffre, distincts, par points de code';
COMMENT ON COLUMN commandes_volets_roulants.gestion_en_stock IS '1 : gérée en stock (une opération contient VR), sinon 0';
COMMENT ON COLUMN commandes_volets_roulants.origine IS 'erp : copiée, remplacée à chaque synchronisation ; manuel : saisie, jamais retirée par une synchronisation';
COMMENT ON COLUMN commandes_volets_roulants.date_creation IS 'Instant de création de la ligne';
COMMENT ON COLUMN commandes_volets_roulants.date_synchronisation IS 'Instant de la synchronisation qui a écrit la ligne pour la dernière fois';

CREATE TABLE compte_cle (
  user_id uuid NOT NULL,
  cle text NOT NULL,
  enveloppe bytea NOT NULL,
  date_creation timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT compte_cle_pkey PRIMARY KEY (user_id),
  CONSTRAINT compte_cle_user_id_fkey FOREIGN KEY (user_id) REFERENCES "user"(id) ON DELETE CASCADE,
  CONSTRAINT compte_cle_cle_check CHECK ((octet_length(cle) = 16))
);
COMMENT ON TABLE compte_cle IS 'Une clé par compte, chiffrée avec la clé de chiffrement : ce que le compte a de personnel ne se lit qu’avec elle. Jamais dans une sauvegarde, effacée avec le compte';
COMMENT ON COLUMN compte_cle.user_id IS 'Compte';
COMMENT ON COLUMN compte_cle.cle IS 'Identifiant de la clé du compte : le début d’une empreinte dérivée d’elle';
COMMENT ON COLUMN compte_cle.enveloppe IS 'Clé du compte (32 octets), chiffrée (AES-256-GCM lié au compte)';
COMMENT ON COLUMN compte_cle.date_creation IS 'Instant de création de la ligne';

CREATE TABLE execution (
  id bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY,
  tache text NOT NULL,
  etat text NOT NULL,
  debut timestamp with time zone NOT NULL DEFAULT now(),
  fin timestamp with time zone,
  compteurs jsonb NOT NULL DEFAULT '{}'::jsonb,
  erreur text,
  hote text NOT NULL,
  processus integer NOT NULL,
  declencheur text NOT NULL DEFAULT 'cli'::text,
  echeance timestamp with time zone,
  travail uuid,
  tentative integer NOT NULL DEFAULT 1,
  tentatives_max integer,
  demandeur uuid,
  battement timestamp with time zone,
  session_pg text,
  espace text,
  CONSTRAINT execution_pkey PRIMARY KEY (id),
  CONSTRAINT execution_check CHECK ((tentatives_max >= tentative)),
  CONSTRAINT execution_declencheur_check CHECK ((declencheur = ANY (ARRAY['cli'::text, 'planifie'::text, 'demande'::text, 'suivi'::text]))),
  CONSTRAINT execution_etat_check CHECK ((etat = ANY (ARRAY['en_attente'::text, 'en_cours'::text, 'reussie'::text, 'partielle'::text, 'echouee'::text, 'ignoree'::text]))),
  CONSTRAINT execution_planifiee_check CHECK (((declencheur = 'planifie'::text) = (echeance IS NOT NULL))),
  CONSTRAINT execution_tentative_check CHECK ((tentative > 0))
);
CREATE INDEX execution_debut_idx ON public.execution USING btree (debut DESC, id DESC);
CREATE UNIQUE INDEX execution_echeance_idx ON public.execution USING btree (tache, echeance) WHERE ((echeance IS NOT NULL) AND (etat = ANY (ARRAY['reussie'::text, 'partielle'::text])));
CREATE INDEX execution_issue_idx ON public.execution USING btree (tache, etat, id);
CREATE INDEX execution_ouverte_idx ON public.execution USING btree (tache, id) WHERE (etat = ANY (ARRAY['en_attente'::text, 'en_cours'::text]));
CREATE INDEX execution_tache_debut_idx ON public.execution USING btree (tache, debut DESC);
CREATE INDEX execution_tache_echeance_idx ON public.execution USING btree (tache, echeance) WHERE (echeance IS NOT NULL);
CREATE INDEX execution_tache_idx ON public.execution USING btree (tache, id DESC);
CREATE INDEX execution_travail_idx ON public.execution USING btree (travail) WHERE (travail IS NOT NULL);
COMMENT ON TABLE execution IS 'Passages des tâches (import, synchronisation…)';
COMMENT ON COLUMN execution.id IS 'Identifiant';
COMMENT ON COLUMN execution.tache IS 'ingest, sync…';
COMMENT ON COLUMN execution.etat IS 'en_attente (demandée, pas encore commencée), en_cours, reussie, partielle (un fichier illisible), echouee, ignoree';
COMMENT ON COLUMN execution.debut IS 'Début';
COMMENT ON COLUMN execution.fin IS 'Fin, NULL tant qu’elle court (ou si elle a été tuée)';
COMMENT ON COLUMN execution.compteurs IS 'Ce qui a été lu, écrit, rejeté';
COMMENT ON COLUMN execution.erreur IS 'Pourquoi elle a échoué';
COMMENT ON COLUMN execution.hote IS 'Machine';
COMMENT ON COLUMN execution.processus IS 'Numéro de processus';
COMMENT ON COLUMN execution.declencheur IS 'cli (commande), planifie (échéance), demande (API ou atelier lancer), suivi';
COMMENT ON COLUMN execution.echeance IS 'Échéance dont c’est le passage, si elle est planifiée';
COMMENT ON COLUMN execution.travail IS 'Travail de la file (pgboss.job) ; les essais d’un même travail le partagent';
COMMENT ON COLUMN execution.tentative IS 'Numéro de l’essai, à partir de 1';
COMMENT ON COLUMN execution.tentatives_max IS 'Nombre d’essais avant abandon, NULL hors de la file';
COMMENT ON COLUMN execution.demandeur IS 'Compte qui l’a demandée par l’API (il peut avoir été supprimé depuis)';
COMMENT ON COLUMN execution.battement IS 'Dernier signe de vie du worker qui l’exécute';
COMMENT ON COLUMN execution.session_pg IS 'Session PostgreSQL qui tient le verrou de la tâche (numéro et début), pour l’écarter si un autre worker la reprend';
COMMENT ON COLUMN execution.espace IS 'Où ce numéro de processus a un sens : démarrage de la machine et conteneur';

CREATE TABLE fichier_log (
  id integer NOT NULL GENERATED BY DEFAULT AS IDENTITY,
  centre_usinage_id integer NOT NULL,
  chemin text NOT NULL,
  etat text NOT NULL,
  erreur text,
  version_id integer,
  taille bigint NOT NULL,
  signature text,
  premiere_vue timestamp with time zone NOT NULL DEFAULT now(),
  derniere_lecture timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT fichier_log_centre_usinage_id_chemin_key UNIQUE (centre_usinage_id, chemin),
  CONSTRAINT fichier_log_pkey PRIMARY KEY (id),
  CONSTRAINT fichier_log_centre_usinage_id_fkey FOREIGN KEY (centre_usinage_id) REFERENCES centre_usinage(id),
  CONSTRAINT fichier_log_version_id_fkey FOREIGN KEY (version_id) REFERENCES fichier_log_version(id),
  CONSTRAINT fichier_log_etat_check CHECK ((etat = ANY (ARRAY['lu'::text, 'erreur'::text])))
);
CREATE INDEX fichier_log_version_id_idx ON public.fichier_log USING btree (version_id);
COMMENT ON TABLE fichier_log IS 'Chemin sous LOGS_DIR où un fichier *.LOG a été vu';
COMMENT ON COLUMN fichier_log.id IS 'Identifiant';
COMMENT ON COLUMN fichier_log.centre_usinage_id IS 'Centre d’usinage';
COMMENT ON COLUMN fichier_log.chemin IS 'Chemin relatif à LOGS_DIR';
COMMENT ON COLUMN fichier_log.etat IS 'lu, ou erreur : dernière lecture impossible';
COMMENT ON COLUMN fichier_log.erreur IS 'Pourquoi la dernière lecture a échoué';
COMMENT ON COLUMN fichier_log.version_id IS 'Version qui contient les octets du dernier passage';
COMMENT ON COLUMN fichier_log.taille IS 'Taille en octets au dernier passage (un préfixe de la version si elle est plus petite)';
COMMENT ON COLUMN fichier_log.signature IS 'Taille, dates et numéro du fichier au dernier passage ; NULL : à relire';
COMMENT ON COLUMN fichier_log.premiere_vue IS 'Instant du premier passage';
COMMENT ON COLUMN fichier_log.derniere_lecture IS 'Instant de la dernière lecture de ses octets';

CREATE TABLE fichier_log_contenu (
  fichier_log_id integer NOT NULL,
  version_id integer NOT NULL,
  etat text NOT NULL,
  premiere_vue timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT fichier_log_contenu_pkey PRIMARY KEY (fichier_log_id, version_id),
  CONSTRAINT fichier_log_contenu_fichier_log_id_fkey FOREIGN KEY (fichier_log_id) REFERENCES fichier_log(id),
  CONSTRAINT fichier_log_contenu_version_id_fkey FOREIGN KEY (version_id) REFERENCES fichier_log_version(id),
  CONSTRAINT fichier_log_contenu_etat_check CHECK ((etat = ANY (ARRAY['active'::text, 'remplacee'::text])))
);
CREATE INDEX fichier_log_contenu_version_id_idx ON public.fichier_log_contenu USING btree (version_id);
COMMENT ON TABLE fichier_log_contenu IS 'Versions portées par chaque chemin';
COMMENT ON COLUMN fichier_log_contenu.fichier_log_id IS 'Chemin';
COMMENT ON COLUMN fichier_log_contenu.version_id IS 'Version qu’il porte ou a portée';
COMMENT ON COLUMN fichier_log_contenu.etat IS 'active : compte ; remplacee : écartée de ce chemin par « ingest --replace »';
COMMENT ON COLUMN fichier_log_contenu.premiere_vue IS 'Instant où elle y a été vue pour la première fois';

CREATE TABLE fichier_log_jour (
  version_id integer NOT NULL,
  centre_usinage_id integer NOT NULL,
  jour date NOT NULL,
  evenements integer NOT NULL,
  recu_le timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT fichier_log_jour_pkey PRIMARY KEY (version_id, jour),
  CONSTRAINT fichier_log_jour_centre_usinage_id_fkey FOREIGN KEY (centre_usinage_id) REFERENCES centre_usinage(id),
  CONSTRAINT fichier_log_jour_version_id_fkey FOREIGN KEY (version_id) REFERENCES fichier_log_version(id) ON DELETE CASCADE
);
CREATE INDEX fichier_log_jour_centre_jour_idx ON public.fichier_log_jour USING btree (centre_usinage_id, jour);
COMMENT ON TABLE fichier_log_jour IS 'Journées de production que touche chaque version';
COMMENT ON COLUMN fichier_log_jour.version_id IS 'Version';
COMMENT ON COLUMN fichier_log_jour.centre_usinage_id IS 'Centre d’usinage de la version';
COMMENT ON COLUMN fichier_log_jour.jour IS 'Journée de production';
COMMENT ON COLUMN fichier_log_jour.evenements IS 'Nombre d’événements connus de la version ce jour-là';
COMMENT ON COLUMN fichier_log_jour.recu_le IS 'Quand un événement de cette journée est arrivé pour la dernière fois dans cette version, à l’horloge de PostgreSQL ; la conservation compte l’âge d’une journée depuis là';

CREATE TABLE fichier_log_prefixe (
  fichier_log_id integer NOT NULL,
  sha256 bytea NOT NULL,
  taille bigint NOT NULL,
  version_id integer NOT NULL,
  premiere_vue timestamp with time zone NOT NULL DEFAULT now(),
  trous int8multirange NOT NULL DEFAULT '{}'::int8multirange,
  CONSTRAINT fichier_log_prefixe_pkey PRIMARY KEY (fichier_log_id, sha256),
  CONSTRAINT fichier_log_prefixe_fichier_log_id_fkey FOREIGN KEY (fichier_log_id) REFERENCES fichier_log(id),
  CONSTRAINT fichier_log_prefixe_version_id_fkey FOREIGN KEY (version_id) REFERENCES fichier_log_version(id)
);
CREATE INDEX fichier_log_prefixe_version_id_idx ON public.fichier_log_prefixe USING btree (version_id);
COMMENT ON TABLE fichier_log_prefixe IS 'États moins complets d’un fichier : les premiers octets de la version nommée, à leurs NUL près';
COMMENT ON COLUMN fichier_log_prefixe.fichier_log_id IS 'Chemin';
COMMENT ON COLUMN fichier_log_prefixe.sha256 IS 'Empreinte de cet état';
COMMENT ON COLUMN fichier_log_prefixe.taille IS 'Longueur en octets : ce sont les premiers de la version, aux trous près';
COMMENT ON COLUMN fichier_log_prefixe.version_id IS 'Version qui contient ces octets';
COMMENT ON COLUMN fichier_log_prefixe.premiere_vue IS 'Instant où il a été vu pour la première fois';
COMMENT ON COLUMN fichier_log_prefixe.trous IS 'Positions où cet état avait des NUL alors que la version a d’autres octets (copie en cours) ; ailleurs ses octets sont ceux de la version';

CREATE TABLE fichier_log_version (
  id integer NOT NULL GENERATED BY DEFAULT AS IDENTITY,
  centre_usinage_id integer NOT NULL,
  sha256 bytea NOT NULL,
  taille bigint NOT NULL,
  active boolean NOT NULL,
  regles text NOT NULL,
  encodage text NOT NULL,
  lignes bigint NOT NULL,
  lignes_evenements bigint NOT NULL,
  lignes_autres bigint NOT NULL,
  lignes_rejetees bigint NOT NULL,
  lignes_ignorees bigint NOT NULL,
  octets_evenements bigint NOT NULL,
  octets_autres bigint NOT NULL,
  octets_rejetes bigint NOT NULL,
  octets_ignores bigint NOT NULL,
  autres_evenements jsonb NOT NULL,
  premier_instant timestamp with time zone,
  dernier_instant timestamp with time zone,
  ecartee text,
  date_creation timestamp with time zone NOT NULL DEFAULT now(),
  derniere_reception timestamp with time zone NOT NULL DEFAULT now(),
  archive_purgee_le timestamp with time zone,
  rejets_purges bigint NOT NULL DEFAULT 0,
  octets_rejets_purges bigint NOT NULL DEFAULT 0,
  contient_nul boolean,
  CONSTRAINT fichier_log_version_centre_usinage_id_sha256_key UNIQUE (centre_usinage_id, sha256),
  CONSTRAINT fichier_log_version_pkey PRIMARY KEY (id),
  CONSTRAINT fichier_log_version_centre_usinage_id_fkey FOREIGN KEY (centre_usinage_id) REFERENCES centre_usinage(id),
  CONSTRAINT fichier_log_version_check CHECK ((lignes = (((lignes_evenements + lignes_autres) + lignes_rejetees) + lignes_ignorees))),
  CONSTRAINT fichier_log_version_check1 CHECK ((taille = (((octets_evenements + octets_autres) + octets_rejetes) + octets_ignores))),
  CONSTRAINT fichier_log_version_sha256_check CHECK ((octet_length(sha256) = 32))
);
CREATE INDEX fichier_log_version_quarantaine_idx ON public.fichier_log_version USING btree (centre_usinage_id) INCLUDE (lignes_rejetees, rejets_purges) WHERE (lignes_rejetees > rejets_purges);
CREATE INDEX fichier_log_version_reception_idx ON public.fichier_log_version USING btree (centre_usinage_id, derniere_reception, id);
COMMENT ON TABLE fichier_log_version IS 'Contenu distinct reçu d’un centre ; quand un fichier grandit, sa version grandit avec lui et garde son id';
COMMENT ON COLUMN fichier_log_version.id IS 'Identifiant';
COMMENT ON COLUMN fichier_log_version.centre_usinage_id IS 'Centre d’usinage dont elle vient';
COMMENT ON COLUMN fichier_log_version.sha256 IS 'Empreinte des octets ; c’est aussi leur nom dans l’archive';
COMMENT ON COLUMN fichier_log_version.taille IS 'Taille en octets';
COMMENT ON COLUMN fichier_log_version.active IS 'Vrai quand au moins un chemin la fait compter';
COMMENT ON COLUMN fichier_log_version.regles IS 'Réglages avec lesquels elle a été lue (fuseau, début de journée…) : s’ils changent, elle est relue';
COMMENT ON COLUMN fichier_log_version.encodage IS 'utf-8, windows-1252, utf-16le ou utf-16be';
COMMENT ON COLUMN fichier_log_version.lignes IS 'Nombre de lignes';
COMMENT ON COLUMN fichier_log_version.lignes_evenements IS 'Lignes d’un des cinq événements connus';
COMMENT ON COLUMN fichier_log_version.lignes_autres IS 'Lignes d’autres événements (comptées par nom)';
COMMENT ON COLUMN fichier_log_version.lignes_rejetees IS 'Lignes mises en quarantaine';
COMMENT ON COLUMN fichier_log_version.lignes_ignorees IS 'Lignes blanches ou faites de NUL';
COMMENT ON COLUMN fichier_log_version.octets_evenements IS 'Octets des lignes d’événements connus';
COMMENT ON COLUMN fichier_log_version.octets_autres IS 'Octets des lignes d’autres événements';
COMMENT ON COLUMN fichier_log_version.octets_rejetes IS 'Octets des lignes rejetées';
COMMENT ON COLUMN fichier_log_version.octets_ignores IS 'Octets des lignes ignorées ; les quatre font la taille';
COMMENT ON COLUMN fichier_log_version.autres_evenements IS 'Autres événements : {nom: [nombre, premier, dernier]}, instants en secondes';
COMMENT ON COLUMN fichier_log_version.premier_instant IS 'Plus ancien horodatage valide';
COMMENT ON COLUMN fichier_log_version.dernier_instant IS 'Plus récent horodatage valide';
COMMENT ON COLUMN fichier_log_version.ecartee IS 'Raison pour laquelle elle est archivée mais ne compte pas (journée démesurée), sinon NULL';
COMMENT ON COLUMN fichier_log_version.date_creation IS 'Instant de création de la ligne';
COMMENT ON COLUMN fichier_log_version.derniere_reception IS 'Quand ses derniers octets sont arrivés (ni une relecture, ni un renvoi)';
COMMENT ON COLUMN fichier_log_version.archive_purgee_le IS 'Quand ses octets ont été effacés de l’archive, durée de conservation passée ; NULL : ils y sont';
COMMENT ON COLUMN fichier_log_version.rejets_purges IS 'Lignes rejetées comptées, mais effacées ou plus remises en quarantaine (durée de conservation passée)';
COMMENT ON COLUMN fichier_log_version.octets_rejets_purges IS 'Octets de ces lignes';
COMMENT ON COLUMN fichier_log_version.contient_nul IS 'Vrai si ses octets contiennent des NUL ; NULL : lue par une version du programme qui ne le regardait pas';

CREATE TABLE installation (
  id smallint NOT NULL DEFAULT 1,
  graine bytea NOT NULL,
  amorcee_le timestamp with time zone,
  CONSTRAINT installation_pkey PRIMARY KEY (id),
  CONSTRAINT installation_graine_check CHECK ((octet_length(graine) = 16)),
  CONSTRAINT installation_id_check CHECK ((id = 1))
);
COMMENT ON TABLE installation IS 'Une ligne : cette installation a-t-elle déjà eu un compte ? Elle reste quand les comptes s’en vont';
COMMENT ON COLUMN installation.id IS 'Toujours 1';
COMMENT ON COLUMN installation.graine IS 'Tirée au hasard : avec SECRET_KEY, donne le code à usage unique du premier compte';
COMMENT ON COLUMN installation.amorcee_le IS 'Quand le premier compte a été créé, ou une base restaurée ou reconstruite ici ; NULL : jamais';

CREATE TABLE jeton_rafraichissement (
  id uuid NOT NULL,
  user_id uuid NOT NULL,
  famille uuid NOT NULL,
  empreinte bytea NOT NULL,
  version_jetons integer NOT NULL,
  expire timestamp with time zone NOT NULL,
  utilise timestamp with time zone,
  date_creation timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT jeton_rafraichissement_empreinte_key UNIQUE (empreinte),
  CONSTRAINT jeton_rafraichissement_pkey PRIMARY KEY (id),
  CONSTRAINT jeton_rafraichissement_user_id_fkey FOREIGN KEY (user_id) REFERENCES "user"(id) ON DELETE CASCADE
);
CREATE INDEX jeton_rafraichissement_expire_idx ON public.jeton_rafraichissement USING btree (expire);
CREATE INDEX jeton_rafraichissement_famille_idx ON public.jeton_rafraichissement USING btree (famille);
CREATE INDEX jeton_rafraichissement_user_id_idx ON public.jeton_rafraichissement USING btree (user_id);
COMMENT ON TABLE jeton_rafraichissement IS 'Jetons de rafraîchissement du tableau de bord : chacun sert une fois ; un jeton qui revient éteint sa famille';
COMMENT ON COLUMN jeton_rafraichissement.id IS 'Identifiant';
COMMENT ON COLUMN jeton_rafraichissement.user_id IS 'Compte';
COMMENT ON COLUMN jeton_rafraichissement.famille IS 'Suite de jetons née d’une même connexion';
COMMENT ON COLUMN jeton_rafraichissement.empreinte IS 'SHA-256 du jeton';
COMMENT ON COLUMN jeton_rafraichissement.version_jetons IS 'Version du compte à la connexion';
COMMENT ON COLUMN jeton_rafraichissement.expire IS 'Fin de validité';
COMMENT ON COLUMN jeton_rafraichissement.utilise IS 'Instant où il a servi, NULL s’il peut encore servir';
COMMENT ON COLUMN jeton_rafraichissement.date_creation IS 'Instant de création de la ligne';

CREATE TABLE job_profil (
  id bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY,
  centre_usinage_id integer NOT NULL,
  session_id bigint NOT NULL,
  numero integer NOT NULL,
  reference text NOT NULL,
  longueur numeric NOT NULL,
  couleur text,
  timestamp_debut timestamp with time zone NOT NULL,
  fichier_log_version_id integer,
  ligne bigint,
  date_creation timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT job_profil_session_id_numero_centre_usinage_id_key UNIQUE (session_id, numero, centre_usinage_id),
  CONSTRAINT job_profil_pkey PRIMARY KEY (id, centre_usinage_id)
);
CREATE INDEX job_profil_couleur_idx ON public.job_profil USING btree (couleur, id);
CREATE INDEX job_profil_origine_idx ON public.job_profil USING brin (centre_usinage_id, fichier_log_version_id);
CREATE INDEX job_profil_reference_idx ON public.job_profil USING btree (reference, id);
CREATE INDEX job_profil_saisie_idx ON public.job_profil USING btree (timestamp_debut, id) WHERE (fichier_log_version_id IS NULL);
CREATE INDEX job_profil_timestamp_idx ON public.job_profil USING btree (centre_usinage_id, timestamp_debut, id);
COMMENT ON TABLE job_profil IS 'Barre de profilé chargée (JobProfiel)';
COMMENT ON COLUMN job_profil.id IS 'Identifiant';
COMMENT ON COLUMN job_profil.centre_usinage_id IS 'Centre d’usinage (clé de répartition)';
COMMENT ON COLUMN job_profil.session_id IS 'Session de production';
COMMENT ON COLUMN job_profil.numero IS 'Rang dans la session : 1, 2…';
COMMENT ON COLUMN job_profil.reference IS 'Référence du profilé (R)';
COMMENT ON COLUMN job_profil.longueur IS 'Longueur en mm (L)';
COMMENT ON COLUMN job_profil.couleur IS 'Couleur (C), NULL si le journal n’en dit rien';
COMMENT ON COLUMN job_profil.timestamp_debut IS 'Instant du chargement';
COMMENT ON COLUMN job_profil.fichier_log_version_id IS 'Version de fichier d’où vient la ligne';
COMMENT ON COLUMN job_profil.ligne IS 'Numéro de ligne dans cette version';
COMMENT ON COLUMN job_profil.date_creation IS 'Instant de création de la ligne';

CREATE TABLE jour_a_recalculer (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  centre_usinage_id integer NOT NULL,
  jour date NOT NULL,
  date_creation timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT jour_a_recalculer_pkey PRIMARY KEY (id),
  CONSTRAINT jour_a_recalculer_centre_usinage_id_fkey FOREIGN KEY (centre_usinage_id) REFERENCES centre_usinage(id)
);
CREATE INDEX jour_a_recalculer_centre_jour_idx ON public.jour_a_recalculer USING btree (centre_usinage_id, jour);
COMMENT ON TABLE jour_a_recalculer IS 'Journées dont les versions ont changé et dont la session reste à recalculer ; vide entre deux imports';
COMMENT ON COLUMN jour_a_recalculer.id IS 'Identifiant : une marque posée pendant un recalcul lui survit';
COMMENT ON COLUMN jour_a_recalculer.centre_usinage_id IS 'Centre d’usinage';
COMMENT ON COLUMN jour_a_recalculer.jour IS 'Journée de production';
COMMENT ON COLUMN jour_a_recalculer.date_creation IS 'Instant de création de la ligne';

CREATE TABLE jour_gele (
  centre_usinage_id integer NOT NULL,
  jour date NOT NULL,
  details_purges_le timestamp with time zone,
  session_purgee_le timestamp with time zone,
  archives_purgees_le timestamp with time zone,
  quarantaine_purgee_le timestamp with time zone,
  date_creation timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT jour_gele_pkey PRIMARY KEY (centre_usinage_id, jour),
  CONSTRAINT jour_gele_centre_usinage_id_fkey FOREIGN KEY (centre_usinage_id) REFERENCES centre_usinage(id)
);
COMMENT ON TABLE jour_gele IS 'Journées dont quelque chose a été purgé : un fichier renvoyé ne le fait pas revenir, et ce qui en reste ne change plus';
COMMENT ON COLUMN jour_gele.centre_usinage_id IS 'Centre d’usinage';
COMMENT ON COLUMN jour_gele.jour IS 'Journée de production';
COMMENT ON COLUMN jour_gele.details_purges_le IS 'Quand ses pièces, profilés, attentes et arrêts ont été effacés : ses chiffres ne changent plus';
COMMENT ON COLUMN jour_gele.session_purgee_le IS 'Quand ses chiffres ont été effacés : sa session ne revient plus';
COMMENT ON COLUMN jour_gele.archives_purgees_le IS 'Quand des octets d’où elle vient ont été effacés : elle ne se recalcule plus';
COMMENT ON COLUMN jour_gele.quarantaine_purgee_le IS 'Quand ses lignes rejetées ont été effacées : elles ne reviennent plus (cela seul ne gèle pas ses chiffres)';
COMMENT ON COLUMN jour_gele.date_creation IS 'Instant de création de la ligne';

CREATE TABLE journal_audit (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  instant timestamp with time zone NOT NULL DEFAULT now(),
  evenement text NOT NULL,
  user_id uuid,
  cle_id uuid,
  cible text,
  adresse text,
  requete text,
  details jsonb NOT NULL DEFAULT '{}'::jsonb,
  sel bytea NOT NULL DEFAULT uuid_send(gen_random_uuid()),
  CONSTRAINT journal_audit_pkey PRIMARY KEY (id)
);
CREATE INDEX journal_audit_cible_idx ON public.journal_audit USING btree (cible, id) WHERE (cible ~~ 'users/%'::text);
CREATE INDEX journal_audit_instant_idx ON public.journal_audit USING btree (instant);
CREATE INDEX journal_audit_user_id_idx ON public.journal_audit USING btree (user_id, id);
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
COMMENT ON COLUMN journal_audit.sel IS 'Tiré au hasard, de nouveau quand la ligne est rendue anonyme : sans lui son maillon ne dit rien de ce qu’elle portait';

CREATE TABLE ligne_rejetee (
  version_id integer NOT NULL,
  centre_usinage_id integer NOT NULL,
  ligne bigint NOT NULL,
  octet bigint NOT NULL,
  raison text NOT NULL,
  texte text NOT NULL,
  longueur bigint NOT NULL,
  jour date,
  CONSTRAINT ligne_rejetee_pkey PRIMARY KEY (version_id, ligne),
  CONSTRAINT ligne_rejetee_centre_usinage_id_fkey FOREIGN KEY (centre_usinage_id) REFERENCES centre_usinage(id),
  CONSTRAINT ligne_rejetee_version_id_fkey FOREIGN KEY (version_id) REFERENCES fichier_log_version(id) ON DELETE CASCADE,
  CONSTRAINT ligne_rejetee_raison_check CHECK ((raison = ANY (ARRAY['sans_separateur'::text, 'horodatage_invalide'::text, 'evenement_vide'::text, 'attente_sans_duree'::text, 'profil_incomplet'::text, 'profil_trop_long'::text, 'ligne_collee'::text, 'ligne_trop_longue'::text])))
);
CREATE INDEX ligne_rejetee_centre_usinage_id_idx ON public.ligne_rejetee USING btree (centre_usinage_id, raison);
CREATE INDEX ligne_rejetee_raison_idx ON public.ligne_rejetee USING btree (raison, version_id, ligne);
COMMENT ON TABLE ligne_rejetee IS 'Quarantaine : lignes gardées telles quelles parce qu’on n’a pas pu s’en servir';
COMMENT ON COLUMN ligne_rejetee.version_id IS 'Version de fichier à laquelle la ligne appartient';
COMMENT ON COLUMN ligne_rejetee.centre_usinage_id IS 'Centre d’usinage de la version';
COMMENT ON COLUMN ligne_rejetee.ligne IS 'Numéro de ligne dans cette version';
COMMENT ON COLUMN ligne_rejetee.octet IS 'Position de son premier octet dans la version';
COMMENT ON COLUMN ligne_rejetee.raison IS 'Pourquoi elle est rejetée';
COMMENT ON COLUMN ligne_rejetee.texte IS 'Le texte, sans NUL, coupé à 2 000 caractères';
COMMENT ON COLUMN ligne_rejetee.longueur IS 'Longueur en octets, fin de ligne comprise';
COMMENT ON COLUMN ligne_rejetee.jour IS 'Journée de production de l’événement connu qui la précède dans le fichier (à défaut du premier) ; NULL : aucun, ou ligne plus ancienne que cette colonne';

CREATE TABLE migration (
  id integer NOT NULL,
  nom text NOT NULL,
  sha256 text NOT NULL,
  date_application timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT migration_pkey PRIMARY KEY (id)
);

CREATE TABLE periode_arret (
  id bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY,
  centre_usinage_id integer NOT NULL,
  session_id bigint NOT NULL,
  numero integer NOT NULL,
  timestamp_debut timestamp with time zone NOT NULL,
  timestamp_fin timestamp with time zone NOT NULL,
  duree_secondes numeric(16,6) NOT NULL,
  fichier_log_version_id integer,
  ligne bigint,
  fichier_log_version_fin_id integer,
  ligne_fin bigint,
  date_creation timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT periode_arret_session_id_numero_centre_usinage_id_key UNIQUE (session_id, numero, centre_usinage_id),
  CONSTRAINT periode_arret_pkey PRIMARY KEY (id, centre_usinage_id),
  CONSTRAINT periode_arret_check CHECK ((timestamp_fin >= timestamp_debut))
);
CREATE INDEX periode_arret_duree_idx ON public.periode_arret USING btree (duree_secondes, id);
CREATE INDEX periode_arret_fin_idx ON public.periode_arret USING brin (fichier_log_version_fin_id);
CREATE INDEX periode_arret_origine_idx ON public.periode_arret USING brin (centre_usinage_id, fichier_log_version_id);
CREATE INDEX periode_arret_saisie_idx ON public.periode_arret USING btree (timestamp_debut, id) WHERE (fichier_log_version_id IS NULL);
CREATE INDEX periode_arret_timestamp_idx ON public.periode_arret USING btree (centre_usinage_id, timestamp_debut, id);
COMMENT ON TABLE periode_arret IS 'Arrêt volontaire (de MachineStop à MachineStart), période entière, non coupée';
COMMENT ON COLUMN periode_arret.id IS 'Identifiant';
COMMENT ON COLUMN periode_arret.centre_usinage_id IS 'Centre d’usinage (clé de répartition)';
COMMENT ON COLUMN periode_arret.session_id IS 'Session de production';
COMMENT ON COLUMN periode_arret.numero IS 'Rang dans la session : 1, 2…';
COMMENT ON COLUMN periode_arret.timestamp_debut IS 'Instant du MachineStop';
COMMENT ON COLUMN periode_arret.timestamp_fin IS 'Instant du MachineStart';
COMMENT ON COLUMN periode_arret.duree_secondes IS 'Durée en secondes';
COMMENT ON COLUMN periode_arret.fichier_log_version_id IS 'Version de fichier du MachineStop';
COMMENT ON COLUMN periode_arret.ligne IS 'Sa ligne';
COMMENT ON COLUMN periode_arret.fichier_log_version_fin_id IS 'Version de fichier du MachineStart';
COMMENT ON COLUMN periode_arret.ligne_fin IS 'Sa ligne';
COMMENT ON COLUMN periode_arret.date_creation IS 'Instant de création de la ligne';

CREATE TABLE periode_attente (
  id bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY,
  centre_usinage_id integer NOT NULL,
  session_id bigint NOT NULL,
  numero integer NOT NULL,
  timestamp_debut timestamp with time zone NOT NULL,
  timestamp_fin timestamp with time zone NOT NULL,
  duree_secondes numeric(16,6) NOT NULL,
  fichier_log_version_id integer,
  ligne bigint,
  date_creation timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT periode_attente_session_id_numero_centre_usinage_id_key UNIQUE (session_id, numero, centre_usinage_id),
  CONSTRAINT periode_attente_pkey PRIMARY KEY (id, centre_usinage_id),
  CONSTRAINT periode_attente_check CHECK ((timestamp_fin >= timestamp_debut))
);
CREATE INDEX periode_attente_duree_idx ON public.periode_attente USING btree (duree_secondes, id);
CREATE INDEX periode_attente_origine_idx ON public.periode_attente USING brin (centre_usinage_id, fichier_log_version_id);
CREATE INDEX periode_attente_saisie_idx ON public.periode_attente USING btree (timestamp_debut, id) WHERE (fichier_log_version_id IS NULL);
CREATE INDEX periode_attente_timestamp_idx ON public.periode_attente USING btree (centre_usinage_id, timestamp_debut, id);
COMMENT ON TABLE periode_attente IS 'La machine attend son opérateur (MachineWait), période entière, non coupée';
COMMENT ON COLUMN periode_attente.id IS 'Identifiant';
COMMENT ON COLUMN periode_attente.centre_usinage_id IS 'Centre d’usinage (clé de répartition)';
COMMENT ON COLUMN periode_attente.session_id IS 'Session de production';
COMMENT ON COLUMN periode_attente.numero IS 'Rang dans la session : 1, 2…';
COMMENT ON COLUMN periode_attente.timestamp_debut IS 'Début de l’attente';
COMMENT ON COLUMN periode_attente.timestamp_fin IS 'Fin de l’attente';
COMMENT ON COLUMN periode_attente.duree_secondes IS 'Durée en secondes';
COMMENT ON COLUMN periode_attente.fichier_log_version_id IS 'Version de fichier d’où vient la ligne';
COMMENT ON COLUMN periode_attente.ligne IS 'Numéro de ligne dans cette version';
COMMENT ON COLUMN periode_attente.date_creation IS 'Instant de création de la ligne';

CREATE TABLE piece_production (
  id bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY,
  centre_usinage_id integer NOT NULL,
  session_id bigint NOT NULL,
  numero_piece integer NOT NULL,
  timestamp_production timestamp with time zone NOT NULL,
  details text,
  job_profil_id bigint,
  fichier_log_version_id integer,
  ligne bigint,
  date_creation timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT piece_production_session_id_numero_piece_centre_usinage_id_key UNIQUE (session_id, numero_piece, centre_usinage_id),
  CONSTRAINT piece_production_pkey PRIMARY KEY (id, centre_usinage_id)
);
CREATE INDEX piece_production_job_profil_id_idx ON public.piece_production USING btree (job_profil_id);
CREATE INDEX piece_production_origine_idx ON public.piece_production USING brin (centre_usinage_id, fichier_log_version_id);
CREATE INDEX piece_production_saisie_idx ON public.piece_production USING btree (timestamp_production, id) WHERE (fichier_log_version_id IS NULL);
CREATE INDEX piece_production_timestamp_idx ON public.piece_production USING btree (centre_usinage_id, timestamp_production, id);
COMMENT ON TABLE piece_production IS 'Pièce finie (StukUitgevoerd)';
COMMENT ON COLUMN piece_production.id IS 'Identifiant';
COMMENT ON COLUMN piece_production.centre_usinage_id IS 'Centre d’usinage (clé de répartition)';
COMMENT ON COLUMN piece_production.session_id IS 'Session de production';
COMMENT ON COLUMN piece_production.numero_piece IS 'Rang dans la session : 1, 2…';
COMMENT ON COLUMN piece_production.timestamp_production IS 'Instant de fin de la pièce';
COMMENT ON COLUMN piece_production.details IS 'Texte libre de la machine';
COMMENT ON COLUMN piece_production.job_profil_id IS 'Profilé en place à cet instant, s’il y en a un';
COMMENT ON COLUMN piece_production.fichier_log_version_id IS 'Version de fichier d’où vient la ligne';
COMMENT ON COLUMN piece_production.ligne IS 'Numéro de ligne dans cette version';
COMMENT ON COLUMN piece_production.date_creation IS 'Instant de création de la ligne';

CREATE TABLE planification (
  tache text NOT NULL,
  horaire text NOT NULL,
  fuseau text NOT NULL,
  derniere_echeance timestamp with time zone NOT NULL,
  prochaine_echeance timestamp with time zone NOT NULL,
  echeances_manquees bigint NOT NULL DEFAULT 0,
  date_modification timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT planification_pkey PRIMARY KEY (tache),
  CONSTRAINT planification_check CHECK ((prochaine_echeance > derniere_echeance))
);
COMMENT ON TABLE planification IS 'Échéances des tâches : chacune est mise en file une seule fois, quel que soit le nombre de workers';
COMMENT ON COLUMN planification.tache IS 'ingest, sync, purge, sauvegarde';
COMMENT ON COLUMN planification.horaire IS 'Horaire en vigueur (CRON_LOGS, CRON_COMMANDES…)';
COMMENT ON COLUMN planification.fuseau IS 'Fuseau horaire de l’horaire';
COMMENT ON COLUMN planification.derniere_echeance IS 'Jusqu’où les échéances ont été traitées : mises en file, ou laissées selon RATTRAPAGE';
COMMENT ON COLUMN planification.prochaine_echeance IS 'Prochaine échéance';
COMMENT ON COLUMN planification.echeances_manquees IS 'Nombre d’échéances passées pendant un arrêt et non rattrapées';
COMMENT ON COLUMN planification.date_modification IS 'Dernier changement de la ligne';

CREATE TABLE purge (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  execution_id bigint NOT NULL,
  categorie text NOT NULL,
  coupure timestamp with time zone NOT NULL,
  lignes bigint NOT NULL DEFAULT 0,
  debut timestamp with time zone NOT NULL DEFAULT now(),
  fin timestamp with time zone,
  CONSTRAINT purge_pkey PRIMARY KEY (id)
);
CREATE INDEX purge_execution_id_idx ON public.purge USING btree (execution_id);
COMMENT ON TABLE purge IS 'Preuve des purges : ce qui a été effacé, combien, à quelle date limite. Rien de personnel';
COMMENT ON COLUMN purge.id IS 'Identifiant';
COMMENT ON COLUMN purge.execution_id IS 'Passage qui a purgé (il peut avoir été purgé depuis)';
COMMENT ON COLUMN purge.categorie IS 'details, sessions, archives, quarantaine, audit…';
COMMENT ON COLUMN purge.coupure IS 'Instant avant lequel tout est parti';
COMMENT ON COLUMN purge.lignes IS 'Lignes (ou archives, comptes, fichiers) effacées ; avance avec chaque lot';
COMMENT ON COLUMN purge.debut IS 'Début';
COMMENT ON COLUMN purge.fin IS 'Fin, NULL tant qu’elle court (ou si elle a été tuée : la suivante finit)';

CREATE TABLE reseau_connu (
  user_id uuid NOT NULL,
  reseau bytea NOT NULL,
  vu_le timestamp with time zone NOT NULL,
  CONSTRAINT reseau_connu_pkey PRIMARY KEY (user_id, reseau),
  CONSTRAINT reseau_connu_user_id_fkey FOREIGN KEY (user_id) REFERENCES "user"(id) ON DELETE CASCADE,
  CONSTRAINT reseau_connu_reseau_check CHECK ((octet_length(reseau) = 32))
);
COMMENT ON TABLE reseau_connu IS 'Réseaux (/24, /48) d’où un compte s’est connecté, les plus récents : les échecs venus d’ailleurs n’y ferment pas la porte';
COMMENT ON COLUMN reseau_connu.user_id IS 'Compte';
COMMENT ON COLUMN reseau_connu.reseau IS 'HMAC-SHA-256 du réseau';
COMMENT ON COLUMN reseau_connu.vu_le IS 'Dernière connexion réussie de là';

CREATE TABLE session_production (
  id bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY,
  centre_usinage_id integer NOT NULL,
  date_production date NOT NULL,
  heure_premiere_piece timestamp with time zone,
  heure_derniere_piece timestamp with time zone,
  heure_premier_machine_start timestamp with time zone,
  heure_dernier_machine_stop timestamp with time zone,
  total_pieces integer NOT NULL DEFAULT 0,
  duree_production_totale numeric(12,4) NOT NULL DEFAULT 0,
  temps_attente numeric(12,4) NOT NULL DEFAULT 0,
  temps_arret_volontaire numeric(12,4) NOT NULL DEFAULT 0,
  temps_production_effectif numeric(12,4) NOT NULL DEFAULT 0,
  taux_occupation numeric(5,2) NOT NULL DEFAULT 0,
  taux_attente numeric(5,2) NOT NULL DEFAULT 0,
  taux_arret_volontaire numeric(5,2) NOT NULL DEFAULT 0,
  fichier_log_source text,
  origine text NOT NULL DEFAULT 'manuel'::text,
  date_creation timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT session_production_centre_usinage_id_date_production_origin_key UNIQUE (centre_usinage_id, date_production, origine),
  CONSTRAINT session_production_pkey PRIMARY KEY (id, centre_usinage_id),
  CONSTRAINT session_production_centre_usinage_id_fkey FOREIGN KEY (centre_usinage_id) REFERENCES centre_usinage(id),
  CONSTRAINT session_production_origine_check CHECK ((origine = ANY (ARRAY['log'::text, 'manuel'::text]))),
  CONSTRAINT session_production_taux_arret_volontaire_check CHECK (((taux_arret_volontaire >= (0)::numeric) AND (taux_arret_volontaire <= (100)::numeric))),
  CONSTRAINT session_production_taux_attente_check CHECK (((taux_attente >= (0)::numeric) AND (taux_attente <= (100)::numeric))),
  CONSTRAINT session_production_taux_occupation_check CHECK (((taux_occupation >= (0)::numeric) AND (taux_occupation <= (100)::numeric))),
  CONSTRAINT session_production_total_pieces_check CHECK ((total_pieces >= 0))
);
CREATE INDEX session_production_date_idx ON public.session_production USING btree (date_production, id);
COMMENT ON TABLE session_production IS 'Un centre, une journée de production';
COMMENT ON COLUMN session_production.id IS 'Identifiant';
COMMENT ON COLUMN session_production.centre_usinage_id IS 'Centre d’usinage (clé de répartition)';
COMMENT ON COLUMN session_production.date_production IS 'Journée de production (commence à JOURNEE_DEBUT, heure locale)';
COMMENT ON COLUMN session_production.heure_premiere_piece IS 'Première pièce finie : début de la fenêtre';
COMMENT ON COLUMN session_production.heure_derniere_piece IS 'Dernière pièce finie : fin de la fenêtre';
COMMENT ON COLUMN session_production.heure_premier_machine_start IS 'Premier MachineStart';
COMMENT ON COLUMN session_production.heure_dernier_machine_stop IS 'Dernier MachineStop';
COMMENT ON COLUMN session_production.total_pieces IS 'Nombre de pièces finies';
COMMENT ON COLUMN session_production.duree_production_totale IS 'Durée de la fenêtre, en heures décimales';
COMMENT ON COLUMN session_production.temps_attente IS 'Attentes hors arrêts, dans la fenêtre, en heures décimales';
COMMENT ON COLUMN session_production.temps_arret_volontaire IS 'Arrêts dans la fenêtre, en heures décimales';
COMMENT ON COLUMN session_production.temps_production_effectif IS 'Fenêtre moins attentes et arrêts, en heures décimales';
COMMENT ON COLUMN session_production.taux_occupation IS 'Temps effectif sur fenêtre, en %';
COMMENT ON COLUMN session_production.taux_attente IS 'Attentes sur fenêtre, en %';
COMMENT ON COLUMN session_production.taux_arret_volontaire IS 'Arrêts sur fenêtre, en %';
COMMENT ON COLUMN session_production.fichier_log_source IS 'Fichier qui a donné le plus d’événements, relatif à LOGS_DIR';
COMMENT ON COLUMN session_production.origine IS 'log : calculée, ne se modifie pas ; manuel : saisie à la main, jamais touchée par un import';
COMMENT ON COLUMN session_production.date_creation IS 'Instant de création de la ligne';

CREATE TABLE tentative_connexion (
  cle bytea NOT NULL,
  genre text NOT NULL,
  echecs integer NOT NULL,
  refus integer NOT NULL DEFAULT 0,
  dernier_echec timestamp with time zone NOT NULL,
  bloquee_jusqua timestamp with time zone NOT NULL,
  refus_total integer NOT NULL DEFAULT 0,
  CONSTRAINT tentative_connexion_pkey PRIMARY KEY (cle),
  CONSTRAINT tentative_connexion_genre_check CHECK ((genre = ANY (ARRAY['compte'::text, 'adresse'::text])))
);
CREATE INDEX tentative_connexion_dernier_echec_idx ON public.tentative_connexion USING btree (dernier_echec);
COMMENT ON TABLE tentative_connexion IS 'Échecs de connexion par compte et par adresse, pour ralentir qui devine';
COMMENT ON COLUMN tentative_connexion.cle IS 'HMAC-SHA-256 du nom essayé (qu’il existe ou non) ou de l’adresse réseau';
COMMENT ON COLUMN tentative_connexion.genre IS 'compte ou adresse';
COMMENT ON COLUMN tentative_connexion.echecs IS 'Échecs depuis la dernière réussite ou le dernier oubli, essais pendant un délai compris';
COMMENT ON COLUMN tentative_connexion.refus IS 'Essais refusés sans être vérifiés pendant le délai en cours, 0 : le dernier essai a été vérifié';
COMMENT ON COLUMN tentative_connexion.dernier_echec IS 'Instant du dernier échec';
COMMENT ON COLUMN tentative_connexion.bloquee_jusqua IS 'Rien n’est essayé avant cet instant';
COMMENT ON COLUMN tentative_connexion.refus_total IS 'Parmi les échecs, essais refusés sans être vérifiés : ils n’allongent aucun délai';

CREATE TABLE type_evenement (
  centre_usinage_id integer NOT NULL,
  nom text NOT NULL,
  nombre bigint NOT NULL,
  premiere_vue timestamp with time zone NOT NULL,
  derniere_vue timestamp with time zone NOT NULL,
  CONSTRAINT type_evenement_pkey PRIMARY KEY (centre_usinage_id, nom),
  CONSTRAINT type_evenement_centre_usinage_id_fkey FOREIGN KEY (centre_usinage_id) REFERENCES centre_usinage(id)
);
COMMENT ON TABLE type_evenement IS 'Autres événements rencontrés : indication de ce que les journaux contiennent encore';
COMMENT ON COLUMN type_evenement.centre_usinage_id IS 'Centre d’usinage';
COMMENT ON COLUMN type_evenement.nom IS 'Nom de l’événement dans le journal';
COMMENT ON COLUMN type_evenement.nombre IS 'Nombre de lignes (des fichiers qui se recouvrent comptent deux fois)';
COMMENT ON COLUMN type_evenement.premiere_vue IS 'Plus ancien horodatage';
COMMENT ON COLUMN type_evenement.derniere_vue IS 'Plus récent horodatage';

CREATE TABLE user (
  id uuid NOT NULL,
  username_chiffre bytea NOT NULL,
  username_index bytea NOT NULL,
  email_chiffre bytea NOT NULL,
  email_index bytea NOT NULL,
  cle_id text NOT NULL,
  mot_de_passe text NOT NULL,
  role text NOT NULL,
  actif boolean NOT NULL DEFAULT true,
  version_jetons integer NOT NULL DEFAULT 1,
  version integer NOT NULL DEFAULT 1,
  derniere_connexion timestamp with time zone,
  date_creation timestamp with time zone NOT NULL DEFAULT now(),
  reactive_le timestamp with time zone,
  CONSTRAINT user_email_index_key UNIQUE (email_index),
  CONSTRAINT user_username_index_key UNIQUE (username_index),
  CONSTRAINT user_pkey PRIMARY KEY (id),
  CONSTRAINT user_cle_id_fkey FOREIGN KEY (cle_id) REFERENCES cle_chiffrement(id),
  CONSTRAINT user_email_index_check CHECK ((octet_length(email_index) = 32)),
  CONSTRAINT user_role_check CHECK ((role = ANY (ARRAY['lecteur'::text, 'gestionnaire'::text, 'admin'::text]))),
  CONSTRAINT user_username_index_check CHECK ((octet_length(username_index) = 32))
);
CREATE INDEX user_cle_id_idx ON public."user" USING btree (cle_id);
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
COMMENT ON COLUMN "user".reactive_le IS 'Dernière réactivation par un admin (comptes inactifs), NULL : jamais désactivé depuis';

CREATE OR REPLACE FUNCTION public.annoncer(nom text, action text, ids bigint[], nombre bigint)
 RETURNS void
 LANGUAGE sql
AS $function$
  SELECT pg_notify('atelier', json_build_object('table', nom, 'action', action, 'ids', ids, 'nombre', nombre)::text)
$function$;

CREATE OR REPLACE FUNCTION public.annoncer_acces()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  PERFORM pg_notify('atelier', json_build_object(
    'table', TG_TABLE_NAME, 'action', lower(TG_OP), 'ids', json_build_array(OLD.id), 'nombre', 1)::text);
  RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION public.annoncer_alerte()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  PERFORM annoncer('alerte', lower(TG_OP), ARRAY[CASE TG_OP WHEN 'DELETE' THEN OLD.id ELSE NEW.id END], 1);
  RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION public.annoncer_changement()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
END $function$;

CREATE OR REPLACE FUNCTION public.annoncer_details()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE touchees bigint[];
BEGIN
  SELECT array_agg(DISTINCT l.session_id) INTO touchees FROM lignes l;
  IF touchees IS NOT NULL THEN
    PERFORM annoncer_sessions(touchees);
  END IF;
  RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION public.annoncer_sessions(sessions bigint[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
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
END $function$;

CREATE OR REPLACE FUNCTION public.delier_pieces()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE invalid_transaction_state USING
      MESSAGE = format('DELETE sur %s : seulement au niveau d’isolation READ COMMITTED', TG_TABLE_NAME);
  END IF;
  UPDATE piece_production p SET job_profil_id = NULL FROM anciennes a WHERE p.job_profil_id = a.id;
  RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION public.enchainer_audit(le_genre text, la_ligne bigint, quand timestamp with time zone, l_engagement bytea)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
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
END $function$;

CREATE OR REPLACE FUNCTION public.enchainer_ligne_audit()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF TG_OP = 'DELETE' THEN
    PERFORM enchainer_audit('purge', OLD.id, clock_timestamp(), NULL);
    RETURN NULL;
  END IF;
  PERFORM enchainer_audit(CASE TG_OP WHEN 'INSERT' THEN 'ligne' ELSE 'oubli' END, NEW.id, clock_timestamp(),
    sha256(NEW.sel || convert_to(jsonb_build_array(NEW.id, extract(epoch FROM NEW.instant), NEW.evenement, NEW.user_id,
      NEW.cle_id, NEW.cible, NEW.adresse, NEW.requete, NEW.details)::text, 'UTF8')));
  RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION public.noter_audit(l_evenement text, le_compte uuid, la_cle uuid, la_cible text, l_adresse text, la_requete text, les_details jsonb)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
END $function$;

CREATE OR REPLACE FUNCTION public.noter_reactivation()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  NEW.reactive_le := now();
  RETURN NEW;
END $function$;

CREATE OR REPLACE FUNCTION public.oublier_audit(le_compte uuid, la_tombe uuid, les_cles uuid[])
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
END $function$;

CREATE OR REPLACE FUNCTION public.proteger_audit()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('atelier.purge', true) = 'oui' THEN
    RETURN NULL;
  END IF;
  IF TG_OP = 'UPDATE' AND current_setting('atelier.oubli', true) = 'oui' THEN
    RETURN NULL;
  END IF;
  RAISE insufficient_privilege USING MESSAGE = format('journal_audit : %s refusé, on ne fait qu’y ajouter', TG_OP);
END $function$;

CREATE OR REPLACE FUNCTION public.proteger_chaine_audit()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('atelier.purge', true) = 'oui' THEN
    RETURN NULL;
  END IF;
  RAISE insufficient_privilege USING MESSAGE = format('audit_maillon : %s refusé, on ne fait qu’y ajouter', TG_OP);
END $function$;

CREATE OR REPLACE FUNCTION public.proteger_fait_audit()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  RAISE insufficient_privilege USING MESSAGE = 'journal_audit : ni le fait ni l’instant d’une ligne ne changent';
END $function$;

CREATE OR REPLACE FUNCTION public.purger_audit(limite timestamp with time zone, lot integer)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
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
END $function$;

CREATE OR REPLACE FUNCTION public.refuser_changement_de_session()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  RAISE foreign_key_violation USING
    MESSAGE = format('%s : une ligne ne change ni d’identifiant, ni de session, ni de centre', TG_TABLE_NAME);
END $function$;

CREATE OR REPLACE FUNCTION public.refuser_orphelins()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
END $function$;

CREATE OR REPLACE FUNCTION public.refuser_profils_orphelins()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
DECLARE
  attendus bigint;
  trouves  bigint;
BEGIN
  SELECT count(*) INTO attendus
    FROM (SELECT DISTINCT n.job_profil_id, n.session_id FROM nouvelles n WHERE n.job_profil_id IS NOT NULL) d;
  SELECT count(*) INTO trouves
    FROM (SELECT 1 FROM job_profil j
           WHERE (j.id, j.session_id) IN (SELECT DISTINCT n.job_profil_id, n.session_id FROM nouvelles n
                                           WHERE n.job_profil_id IS NOT NULL)
             FOR KEY SHARE OF j) v;
  IF trouves <> attendus THEN
    RAISE foreign_key_violation USING
      MESSAGE = format('piece_production : %s profilé(s) introuvable(s) dans leur session', attendus - trouves),
      TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA, CONSTRAINT = 'piece_production_job_profil_id';
  END IF;
  RETURN NULL;
END $function$;

CREATE OR REPLACE FUNCTION public.refuser_vidage()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  RAISE foreign_key_violation USING
    MESSAGE = format('TRUNCATE %s laisserait des lignes orphelines : utilisez DELETE', TG_TABLE_NAME);
END $function$;

CREATE OR REPLACE FUNCTION public.supprimer_details()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE invalid_transaction_state USING
      MESSAGE = format('DELETE sur %s : seulement au niveau d’isolation READ COMMITTED', TG_TABLE_NAME);
  END IF;
  DELETE FROM piece_production d USING anciennes a WHERE d.session_id = a.id;
  DELETE FROM job_profil d USING anciennes a WHERE d.session_id = a.id;
  DELETE FROM periode_attente d USING anciennes a WHERE d.session_id = a.id;
  DELETE FROM periode_arret d USING anciennes a WHERE d.session_id = a.id;
  RETURN NULL;
END $function$;

CREATE TRIGGER annonce_ajout AFTER INSERT ON public.alerte FOR EACH ROW EXECUTE FUNCTION annoncer_alerte();

CREATE TRIGGER annonce_changement AFTER UPDATE ON public.alerte FOR EACH ROW WHEN (((((old.etat IS DISTINCT FROM new.etat) OR (old.gravite IS DISTINCT FROM new.gravite)) OR (old.message IS DISTINCT FROM new.message)) OR (old.acquittee_le IS DISTINCT FROM new.acquittee_le))) EXECUTE FUNCTION annoncer_alerte();

CREATE TRIGGER annonce_suppression AFTER DELETE ON public.alerte FOR EACH ROW EXECUTE FUNCTION annoncer_alerte();

CREATE TRIGGER chaine_protegee BEFORE DELETE OR UPDATE OR TRUNCATE ON public.audit_maillon FOR EACH STATEMENT EXECUTE FUNCTION proteger_chaine_audit();

CREATE TRIGGER annonce_ajout AFTER INSERT ON public.centre_usinage REFERENCING NEW TABLE AS lignes FOR EACH STATEMENT EXECUTE FUNCTION annoncer_changement();

CREATE TRIGGER annonce_changement AFTER UPDATE ON public.centre_usinage REFERENCING OLD TABLE AS anciennes NEW TABLE AS lignes FOR EACH STATEMENT EXECUTE FUNCTION annoncer_changement();

CREATE TRIGGER annonce_suppression AFTER DELETE ON public.centre_usinage REFERENCING OLD TABLE AS lignes FOR EACH STATEMENT EXECUTE FUNCTION annoncer_changement();

CREATE TRIGGER annonce_changement AFTER UPDATE OF revoquee, date_fin, portees ON public.cle_api FOR EACH ROW WHEN ((((old.revoquee IS DISTINCT FROM new.revoquee) OR (old.date_fin IS DISTINCT FROM new.date_fin)) OR (old.portees IS DISTINCT FROM new.portees))) EXECUTE FUNCTION annoncer_acces();

CREATE TRIGGER annonce_suppression AFTER DELETE ON public.cle_api FOR EACH ROW EXECUTE FUNCTION annoncer_acces();

CREATE TRIGGER annonce_ajout AFTER INSERT ON public.commandes_volets_roulants REFERENCING NEW TABLE AS lignes FOR EACH STATEMENT EXECUTE FUNCTION annoncer_changement();

CREATE TRIGGER annonce_changement AFTER UPDATE ON public.commandes_volets_roulants REFERENCING OLD TABLE AS anciennes NEW TABLE AS lignes FOR EACH STATEMENT EXECUTE FUNCTION annoncer_changement();

CREATE TRIGGER annonce_suppression AFTER DELETE ON public.commandes_volets_roulants REFERENCING OLD TABLE AS lignes FOR EACH STATEMENT EXECUTE FUNCTION annoncer_changement();

CREATE TRIGGER annonce_ajout AFTER INSERT ON public.execution REFERENCING NEW TABLE AS lignes FOR EACH STATEMENT EXECUTE FUNCTION annoncer_changement();

CREATE TRIGGER annonce_changement AFTER UPDATE ON public.execution REFERENCING OLD TABLE AS anciennes NEW TABLE AS lignes FOR EACH STATEMENT EXECUTE FUNCTION annoncer_changement();

CREATE TRIGGER annonce_suppression AFTER DELETE ON public.execution REFERENCING OLD TABLE AS lignes FOR EACH STATEMENT EXECUTE FUNCTION annoncer_changement();

CREATE TRIGGER annonce_ajout AFTER INSERT ON public.fichier_log REFERENCING NEW TABLE AS lignes FOR EACH STATEMENT EXECUTE FUNCTION annoncer_changement();

CREATE TRIGGER annonce_changement AFTER UPDATE ON public.fichier_log REFERENCING OLD TABLE AS anciennes NEW TABLE AS lignes FOR EACH STATEMENT EXECUTE FUNCTION annoncer_changement();

CREATE TRIGGER annonce_suppression AFTER DELETE ON public.fichier_log REFERENCING OLD TABLE AS lignes FOR EACH STATEMENT EXECUTE FUNCTION annoncer_changement();

CREATE TRIGGER annonce_changement AFTER UPDATE ON public.job_profil REFERENCING NEW TABLE AS lignes FOR EACH STATEMENT EXECUTE FUNCTION annoncer_details();

CREATE TRIGGER annonce_suppression AFTER DELETE ON public.job_profil REFERENCING OLD TABLE AS lignes FOR EACH STATEMENT EXECUTE FUNCTION annoncer_details();

CREATE TRIGGER orphelins_ajout AFTER INSERT ON public.job_profil REFERENCING NEW TABLE AS nouvelles FOR EACH STATEMENT EXECUTE FUNCTION refuser_orphelins();

CREATE TRIGGER orphelins_changement BEFORE UPDATE OF id, session_id, centre_usinage_id ON public.job_profil FOR EACH ROW WHEN ((((old.id IS DISTINCT FROM new.id) OR (old.session_id IS DISTINCT FROM new.session_id)) OR (old.centre_usinage_id IS DISTINCT FROM new.centre_usinage_id))) EXECUTE FUNCTION refuser_changement_de_session();

CREATE TRIGGER profils_suppression AFTER DELETE ON public.job_profil REFERENCING OLD TABLE AS anciennes FOR EACH STATEMENT EXECUTE FUNCTION delier_pieces();

CREATE TRIGGER profils_vidage BEFORE TRUNCATE ON public.job_profil FOR EACH STATEMENT EXECUTE FUNCTION refuser_vidage();

CREATE TRIGGER audit_chaine AFTER INSERT OR DELETE OR UPDATE ON public.journal_audit FOR EACH ROW EXECUTE FUNCTION enchainer_ligne_audit();

CREATE TRIGGER audit_fait BEFORE UPDATE ON public.journal_audit FOR EACH ROW WHEN (((old.id IS DISTINCT FROM new.id) OR (old.instant IS DISTINCT FROM new.instant) OR (old.evenement IS DISTINCT FROM new.evenement))) EXECUTE FUNCTION proteger_fait_audit();

CREATE TRIGGER audit_protege BEFORE DELETE OR UPDATE OR TRUNCATE ON public.journal_audit FOR EACH STATEMENT EXECUTE FUNCTION proteger_audit();

CREATE TRIGGER annonce_changement AFTER UPDATE ON public.periode_arret REFERENCING NEW TABLE AS lignes FOR EACH STATEMENT EXECUTE FUNCTION annoncer_details();

CREATE TRIGGER annonce_suppression AFTER DELETE ON public.periode_arret REFERENCING OLD TABLE AS lignes FOR EACH STATEMENT EXECUTE FUNCTION annoncer_details();

CREATE TRIGGER orphelins_ajout AFTER INSERT ON public.periode_arret REFERENCING NEW TABLE AS nouvelles FOR EACH STATEMENT EXECUTE FUNCTION refuser_orphelins();

CREATE TRIGGER orphelins_changement BEFORE UPDATE OF id, session_id, centre_usinage_id ON public.periode_arret FOR EACH ROW WHEN ((((old.id IS DISTINCT FROM new.id) OR (old.session_id IS DISTINCT FROM new.session_id)) OR (old.centre_usinage_id IS DISTINCT FROM new.centre_usinage_id))) EXECUTE FUNCTION refuser_changement_de_session();

CREATE TRIGGER annonce_changement AFTER UPDATE ON public.periode_attente REFERENCING NEW TABLE AS lignes FOR EACH STATEMENT EXECUTE FUNCTION annoncer_details();

CREATE TRIGGER annonce_suppression AFTER DELETE ON public.periode_attente REFERENCING OLD TABLE AS lignes FOR EACH STATEMENT EXECUTE FUNCTION annoncer_details();

CREATE TRIGGER orphelins_ajout AFTER INSERT ON public.periode_attente REFERENCING NEW TABLE AS nouvelles FOR EACH STATEMENT EXECUTE FUNCTION refuser_orphelins();

CREATE TRIGGER orphelins_changement BEFORE UPDATE OF id, session_id, centre_usinage_id ON public.periode_attente FOR EACH ROW WHEN ((((old.id IS DISTINCT FROM new.id) OR (old.session_id IS DISTINCT FROM new.session_id)) OR (old.centre_usinage_id IS DISTINCT FROM new.centre_usinage_id))) EXECUTE FUNCTION refuser_changement_de_session();

CREATE TRIGGER annonce_changement AFTER UPDATE ON public.piece_production REFERENCING NEW TABLE AS lignes FOR EACH STATEMENT EXECUTE FUNCTION annoncer_details();

CREATE TRIGGER annonce_suppression AFTER DELETE ON public.piece_production REFERENCING OLD TABLE AS lignes FOR EACH STATEMENT EXECUTE FUNCTION annoncer_details();

CREATE TRIGGER orphelins_ajout AFTER INSERT ON public.piece_production REFERENCING NEW TABLE AS nouvelles FOR EACH STATEMENT EXECUTE FUNCTION refuser_orphelins();

CREATE TRIGGER orphelins_changement BEFORE UPDATE OF id, session_id, centre_usinage_id ON public.piece_production FOR EACH ROW WHEN ((((old.id IS DISTINCT FROM new.id) OR (old.session_id IS DISTINCT FROM new.session_id)) OR (old.centre_usinage_id IS DISTINCT FROM new.centre_usinage_id))) EXECUTE FUNCTION refuser_changement_de_session();

CREATE TRIGGER profils_ajout AFTER INSERT ON public.piece_production REFERENCING NEW TABLE AS nouvelles FOR EACH STATEMENT EXECUTE FUNCTION refuser_profils_orphelins();

CREATE TRIGGER profils_changement AFTER UPDATE ON public.piece_production REFERENCING NEW TABLE AS nouvelles FOR EACH STATEMENT EXECUTE FUNCTION refuser_profils_orphelins();

CREATE TRIGGER annonce_ajout AFTER INSERT ON public.session_production REFERENCING NEW TABLE AS lignes FOR EACH STATEMENT EXECUTE FUNCTION annoncer_changement();

CREATE TRIGGER annonce_changement AFTER UPDATE ON public.session_production REFERENCING OLD TABLE AS anciennes NEW TABLE AS lignes FOR EACH STATEMENT EXECUTE FUNCTION annoncer_changement();

CREATE TRIGGER annonce_suppression AFTER DELETE ON public.session_production REFERENCING OLD TABLE AS lignes FOR EACH STATEMENT EXECUTE FUNCTION annoncer_changement();

CREATE TRIGGER details_changement BEFORE UPDATE OF id, centre_usinage_id ON public.session_production FOR EACH ROW WHEN (((old.id IS DISTINCT FROM new.id) OR (old.centre_usinage_id IS DISTINCT FROM new.centre_usinage_id))) EXECUTE FUNCTION refuser_changement_de_session();

CREATE TRIGGER details_suppression AFTER DELETE ON public.session_production REFERENCING OLD TABLE AS anciennes FOR EACH STATEMENT EXECUTE FUNCTION supprimer_details();

CREATE TRIGGER details_vidage BEFORE TRUNCATE ON public.session_production FOR EACH STATEMENT EXECUTE FUNCTION refuser_vidage();

CREATE TRIGGER annonce_changement AFTER UPDATE OF version_jetons, actif, role ON public."user" FOR EACH ROW WHEN ((((old.version_jetons IS DISTINCT FROM new.version_jetons) OR (old.actif IS DISTINCT FROM new.actif)) OR (old.role IS DISTINCT FROM new.role))) EXECUTE FUNCTION annoncer_acces();

CREATE TRIGGER annonce_suppression AFTER DELETE ON public."user" FOR EACH ROW EXECUTE FUNCTION annoncer_acces();

CREATE TRIGGER reactivation BEFORE UPDATE OF actif ON public."user" FOR EACH ROW WHEN ((new.actif AND (NOT old.actif))) EXECUTE FUNCTION noter_reactivation();
