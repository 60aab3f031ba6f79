-- Les rôles d'atelier : chaque programme a le sien, avec le moins de droits qui lui suffisent.
--
--   atelier_migration  possède la base et les tables ; `atelier migrate` et la restauration, rien d'autre
--   atelier_service    le worker et les commandes : lit et écrit les données, ne change pas le schéma
--   atelier_api        comme lui, mais ne peut ni purger ni détacher d'un compte le journal d'audit, que les deux n'écrivent que
--                      par des fonctions
--   atelier_lecture    lit la production et les commandes, jamais les comptes : Grafana, Power BI, notebooks
--
-- À lancer par un administrateur de PostgreSQL (psql 15 ou plus récent), dans la base d'atelier ; on peut le relancer :
--
--   POSTGRES_MIGRATION_PASSWORD=… POSTGRES_SERVICE_PASSWORD=… POSTGRES_API_PASSWORD=… POSTGRES_LECTURE_PASSWORD=… \
--     psql --dbname atelier --file deploy/postgres/roles.sql
--
-- Un mot de passe absent laisse celui du rôle comme il est. Les droits sur les tables sont donnés par `atelier migrate`,
-- après chaque changement du schéma. Dans les conteneurs, le service roles lance ce fichier à chaque mise en route.

\set ON_ERROR_STOP on
\set atelier_migration ''
\set atelier_service ''
\set atelier_api ''
\set atelier_lecture ''
\getenv atelier_migration POSTGRES_MIGRATION_PASSWORD
\getenv atelier_service POSTGRES_SERVICE_PASSWORD
\getenv atelier_api POSTGRES_API_PASSWORD
\getenv atelier_lecture POSTGRES_LECTURE_PASSWORD

SELECT format('CREATE ROLE %I LOGIN', nom)
  FROM unnest(ARRAY['atelier_migration', 'atelier_service', 'atelier_api', 'atelier_lecture']) AS nom
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = nom)
\gexec

SELECT format('ALTER ROLE %I NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS', nom)
  FROM unnest(ARRAY['atelier_migration', 'atelier_service', 'atelier_api', 'atelier_lecture']) AS nom
\gexec

-- Le texte de cet ordre porte un mot de passe : il ne doit aller dans aucun journal du serveur.
SELECT rolsuper AS tout_puissant FROM pg_roles WHERE rolname = current_user
\gset
\if :tout_puissant
  SET log_statement = 'none';
  SET log_min_duration_statement = -1;
  SET log_min_error_statement = 'panic';
\endif
SELECT format('ALTER ROLE %I PASSWORD %L', nom, secret)
  FROM (VALUES ('atelier_migration', :'atelier_migration'), ('atelier_service', :'atelier_service'),
               ('atelier_api', :'atelier_api'), ('atelier_lecture', :'atelier_lecture')) AS roles(nom, secret)
 WHERE secret <> ''
\gexec
\if :tout_puissant
  RESET log_statement;
  RESET log_min_duration_statement;
  RESET log_min_error_statement;
\endif

-- Une base a déjà des tables d'un autre propriétaire quand atelier y tournait avec un seul compte : elles changent de main.
SELECT format('ALTER DATABASE %I OWNER TO atelier_migration', current_database())
\gexec
SELECT format('ALTER %s %I.%I OWNER TO atelier_migration',
              CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END,
              nspname, relname)
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
 WHERE nspname IN ('public', 'pgboss') AND relkind IN ('r', 'p', 'v', 'm', 'S')
   AND pg_get_userbyid(relowner) <> 'atelier_migration'
   -- Une suite qui appartient à une colonne suit sa table.
   AND NOT (relkind = 'S' AND EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype IN ('a', 'i')))
\gexec
SELECT format('ALTER ROUTINE %s OWNER TO atelier_migration', pg_proc.oid::regprocedure)
  FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
 WHERE nspname IN ('public', 'pgboss') AND pg_get_userbyid(proowner) <> 'atelier_migration'
   AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
\gexec
SELECT format('ALTER TYPE %I.%I OWNER TO atelier_migration', nspname, typname)
  FROM pg_type JOIN pg_namespace ON pg_namespace.oid = typnamespace
 WHERE nspname IN ('public', 'pgboss') AND typtype IN ('e', 'd') AND pg_get_userbyid(typowner) <> 'atelier_migration'
\gexec
SELECT format('ALTER SCHEMA %I OWNER TO atelier_migration', nspname)
  FROM pg_namespace WHERE nspname = 'pgboss' AND pg_get_userbyid(nspowner) <> 'atelier_migration'
\gexec

SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database())
\gexec
-- TEMPORARY : la synchronisation prépare les commandes dans une table temporaire.
SELECT format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO atelier_service, atelier_api', current_database())
\gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO atelier_lecture', current_database())
\gexec
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- Ce qui lit pour un tableau de bord n'arrête pas l'usine : lecture seule, et une requête folle est coupée.
ALTER ROLE atelier_lecture SET default_transaction_read_only = on;
\set fuseau Europe/Paris
\getenv fuseau FUSEAU
ALTER ROLE atelier_lecture SET TimeZone = :'fuseau';
ALTER ROLE atelier_lecture SET statement_timeout = '30s';
ALTER ROLE atelier_lecture SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE atelier_lecture CONNECTION LIMIT 20;

-- PostgreSQL permet à tous, même à qui ne fait que lire, des verrous nommés (ceux d'atelier arrêtent ses comptes et ses
-- tâches), de grands objets (ils remplissent le disque), des annonces, des écritures au journal des transactions et des
-- programmes (DO). Ici, aux seuls programmes qui s'en servent. Ce sont les droits de cette base, non des autres du serveur.
\if :tout_puissant
  SELECT format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', pg_proc.oid::regprocedure)
    FROM pg_proc
   WHERE pronamespace = 'pg_catalog'::regnamespace
     AND proname ~ '^(pg_(try_)?advisory_.*|lo_.*|loread|lowrite|pg_notify|pg_logical_emit_message|pg_export_snapshot|pg_sleep.*)$'
  \gexec
  SELECT format('GRANT EXECUTE ON ROUTINE %s TO atelier_migration, atelier_service, atelier_api', pg_proc.oid::regprocedure)
    FROM pg_proc
   WHERE pronamespace = 'pg_catalog'::regnamespace
     AND proname ~ '^(pg_(try_)?advisory_.*|pg_notify|pg_export_snapshot|pg_sleep.*)$'
  \gexec
  REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
  GRANT USAGE ON LANGUAGE plpgsql TO atelier_migration;
  -- Un tri ou un curseur géant s'arrête là ; contrairement aux délais ci-dessus, le rôle ne peut pas lever cette borne.
  ALTER ROLE atelier_lecture SET temp_file_limit = '1GB';
  -- Les autres bases d'un serveur qui n'est qu'à atelier (psql --set=serveur_dedie=oui) : personne n'a rien à y faire.
  \if :{?serveur_dedie}
    REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC;
  \endif
\else
  \echo 'atelier_lecture garde les verrous nommés et les grands objets : seul un super-utilisateur peut les lui ôter.'
\endif
