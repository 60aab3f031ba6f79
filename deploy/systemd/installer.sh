#!/usr/bin/env bash
# Installe ou met à jour atelier sans conteneurs, sous systemd. Voir --help.
set -euo pipefail
umask 022

SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
RACINE=''
BASE=non
DEMARRER=oui

aide() {
  cat <<'FIN'
Usage : sudo deploy/systemd/installer.sh [options]      (depuis le dossier d’atelier ; relancer met à jour)

  /opt/atelier/programme     le programme et ses dépendances     /etc/atelier/atelier.env   les réglages
  /opt/atelier/moteur        Node, à la version voulue           /etc/atelier/api.env       PostgreSQL, compte de l’API
  /var/lib/atelier           archives, sauvegardes               /etc/atelier/migration.env PostgreSQL, compte des migrations
  /var/log/atelier           journaux d’atelier                  /usr/local/bin/atelier     les commandes

  --avec-base        crée aussi la base « atelier » et ses rôles dans le PostgreSQL de cette machine
  --sans-demarrer    pose tout, ne démarre rien
  --racine DOSSIER   pose les fichiers sous DOSSIER, sans compte, ni base, ni systemd (paquet, essai)
  --help             cette aide

La mise à jour garde l’ancien programme en /opt/atelier/programme.ancien. Rien de /etc ni de /var n’est jamais écrasé.
Codes de sortie : 0 fait, 1 échec, 2 mauvais usage.
FIN
}

dire() { printf '%s\n' "$*" >&2; }
echec() {
  dire "installer.sh : $*"
  exit 1
}
hasard() { head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

while [ "$#" -gt 0 ]; do
  case $1 in
    --avec-base) BASE=oui ;;
    --sans-demarrer) DEMARRER=non ;;
    --racine)
      [ -n "${2:-}" ] || {
        dire "installer.sh : --racine attend un dossier."
        exit 2
      }
      mkdir -p "$2"
      RACINE=$(cd "$2" && pwd)
      shift
      ;;
    --help | -h | --aide)
      aide
      exit 0
      ;;
    *)
      dire "installer.sh : « $1 » est inconnu. Tapez installer.sh --help."
      exit 2
      ;;
  esac
  shift
done

OPT=$RACINE/opt/atelier
ETC=$RACINE/etc/atelier
UNITES=$RACINE/etc/systemd/system

verifier() {
  [ -r "$SOURCE/package-lock.json" ] || echec "$SOURCE n’est pas le dossier d’atelier."
  command -v npm >/dev/null || echec "npm est introuvable : apt-get install npm (il apporte ensuite le bon Node)."
  [ -n "$RACINE" ] && return 0
  [ "$(id -u)" -eq 0 ] || echec "à lancer en root (sudo)."
  command -v systemctl >/dev/null || echec "systemd est introuvable : voyez docker-compose.yaml, ou ./start.sh --sans-docker."
}

# Node à la version de package-lock.json, par le paquet npm de cette architecture : ni script, ni dépôt à ajouter.
poser_moteur() {
  local version arch nom
  version=$(sed -n '/"node_modules\/node": {/,/}/s/^ *"version": "\(.*\)",$/\1/p' "$SOURCE/package-lock.json")
  case $(uname -m) in
    x86_64) arch=x64 ;;
    aarch64) arch=arm64 ;;
    *) echec "architecture $(uname -m) : installez Node $version, et un lien $OPT/moteur/node vers lui." ;;
  esac
  nom=node-linux-$arch
  if [ "$("$OPT/moteur/node" --version 2>/dev/null || true)" = "v$version" ]; then return 0; fi
  dire "Node $version…"
  rm -rf "$OPT/moteur.nouveau"
  npm install --prefix "$OPT/moteur.nouveau" --no-save --ignore-scripts --no-audit --no-fund --loglevel=error "$nom@$version" >&2
  ln -s "node_modules/$nom/bin/node" "$OPT/moteur.nouveau/node"
  "$OPT/moteur.nouveau/node" --version >/dev/null ||
    echec "Node $version ne démarre pas ici ; souvent il manque libatomic1 (apt-get install libatomic1)."
  rm -rf "$OPT/moteur"
  mv "$OPT/moteur.nouveau" "$OPT/moteur"
}

# Dans un dossier neuf, échangé d’un coup : une installation coupée laisse l’ancienne entière.
poser_programme() {
  local neuf=$OPT/programme.nouveau
  rm -rf "$neuf"
  mkdir -p "$neuf/deploy"
  (cd "$SOURCE" && cp -R package.json package-lock.json LICENSE schema.sql .env_exemple bin migrations src "$neuf/")
  cp -R "$SOURCE/deploy/postgres" "$neuf/deploy/"
  dire "Dépendances…"
  (cd "$neuf" && PATH="$OPT/moteur:$PATH" npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
  # Les commandes et les services lisent les réglages par ce lien, dans leur dossier de travail.
  ln -s /etc/atelier/atelier.env "$neuf/.env"
  chmod -R u=rwX,go=rX "$neuf"
  rm -rf "$OPT/programme.ancien"
  if [ -d "$OPT/programme" ]; then mv "$OPT/programme" "$OPT/programme.ancien"; fi
  mv "$neuf" "$OPT/programme"
}

# remplacer FICHIER NOM VALEUR. Par bash seul : les arguments d’un autre programme se lisent dans la liste des processus.
remplacer() {
  local ligne pose=non
  while IFS= read -r ligne || [ -n "$ligne" ]; do
    case $pose$ligne in
      "non$2="* | "non# $2="*) ligne=$2=$3 pose=oui ;;
    esac
    printf '%s\n' "$ligne"
  done <"$1" >"$1.suite"
  mv -f "$1.suite" "$1"
}

poser_reglages() {
  local service api migration lecture
  mkdir -p "$ETC"
  if [ ! -e "$ETC/atelier.env" ]; then
    service=$(hasard) api=$(hasard) migration=$(hasard) lecture=$(hasard)
    (
      umask 077
      cp "$SOURCE/.env_exemple" "$ETC/atelier.env.nouveau"
      chmod 600 "$ETC/atelier.env.nouveau"
      remplacer "$ETC/atelier.env.nouveau" SECRET_KEY "$(hasard)"
      remplacer "$ETC/atelier.env.nouveau" CLE_CHIFFREMENT "$(hasard)"
      remplacer "$ETC/atelier.env.nouveau" LOGS_DIR /srv/atelier
      remplacer "$ETC/atelier.env.nouveau" ATELIER_DIR /var/lib/atelier
      remplacer "$ETC/atelier.env.nouveau" SYNC_LOGS_DIR /var/log/atelier
      remplacer "$ETC/atelier.env.nouveau" POSTGRES_HOST 127.0.0.1
      remplacer "$ETC/atelier.env.nouveau" POSTGRES_USER atelier_service
      remplacer "$ETC/atelier.env.nouveau" POSTGRES_PASSWORD "$service"
      printf 'POSTGRES_USER=atelier_api\nPOSTGRES_PASSWORD=%s\n' "$api" >"$ETC/api.env"
      printf 'POSTGRES_USER=atelier_migration\nPOSTGRES_PASSWORD=%s\n' "$migration" >"$ETC/migration.env"
      # Pour roles.sql, et pour qui branche Grafana ou Power BI (atelier_lecture).
      printf 'POSTGRES_SERVICE_PASSWORD=%s\nPOSTGRES_API_PASSWORD=%s\nPOSTGRES_MIGRATION_PASSWORD=%s\nPOSTGRES_LECTURE_PASSWORD=%s\n' \
        "$service" "$api" "$migration" "$lecture" >"$ETC/roles.env"
      mv "$ETC/atelier.env.nouveau" "$ETC/atelier.env"
    )
    dire "$ETC/atelier.env est écrit. Gardez-en une copie hors de cette machine : sans CLE_CHIFFREMENT, les comptes sont perdus."
  fi
  [ -n "$RACINE" ] && return 0
  # 10001 : le groupe que le dépôt SFTP (deploy/sftp) donne à qui lit les journaux.
  getent group atelier >/dev/null || groupadd --gid 10001 atelier 2>/dev/null || groupadd --system atelier
  getent passwd atelier >/dev/null ||
    useradd --system --gid atelier --home-dir /var/lib/atelier --no-create-home --shell /usr/sbin/nologin atelier
  chown root:atelier "$ETC" "$ETC/atelier.env"
  chmod 0750 "$ETC"
  chmod 0640 "$ETC/atelier.env"
  install -d -m 0755 /srv/atelier
}

poser_unites() {
  local fichier
  mkdir -p "$UNITES" "$RACINE/usr/local/bin"
  for fichier in atelier-api.service atelier-worker.service atelier-migrate.service atelier.target; do
    install -m 0644 "$SOURCE/deploy/systemd/$fichier" "$UNITES/$fichier"
  done
  install -m 0755 "$SOURCE/deploy/systemd/atelier" "$RACINE/usr/local/bin/atelier"
}

creer_base() {
  local existe
  command -v psql >/dev/null || echec "psql est introuvable : apt-get install postgresql (15 ou plus récent)."
  existe=$(cd / && runuser -u postgres -- psql -AtqX -c "SELECT count(*) FROM pg_database WHERE datname = 'atelier'") ||
    echec "PostgreSQL ne répond pas à l’utilisateur postgres de cette machine."
  [ "$existe" = 1 ] || (cd / && runuser -u postgres -- createdb --template=template0 --encoding=UTF8 atelier)
  # Les mots de passe vont par l’environnement : rien n’en paraît dans la liste des processus.
  (
    cd /
    set -a
    # shellcheck source=/dev/null
    . "$ETC/roles.env"
    FUSEAU=$(sed -n 's/^FUSEAU=//p' "$ETC/atelier.env" | tr -d "\"'")
    [ -n "$FUSEAU" ] || unset FUSEAU
    runuser -u postgres -- psql --no-psqlrc --quiet --dbname=atelier <"$SOURCE/deploy/postgres/roles.sql"
  )
}

verifier
mkdir -p "$OPT"
poser_moteur
poser_programme
poser_reglages
poser_unites
[ -n "$RACINE" ] && exit 0
[ "$BASE" = oui ] && creer_base
systemctl daemon-reload
systemctl enable --quiet atelier-api.service atelier-worker.service atelier.target
if [ "$DEMARRER" = oui ]; then
  # restart : une mise à jour applique les migrations, puis relance les deux.
  systemctl restart atelier-migrate.service
  systemctl restart atelier.target
  dire "atelier tourne : systemctl status 'atelier-*' ; journalctl -u atelier-worker -f"
fi
dire "Ensuite : atelier doctor, puis le premier compte (admin) : atelier user add NOM --email ADRESSE"
