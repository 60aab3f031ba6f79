#!/usr/bin/env bash
# Met atelier en route : avec des conteneurs (docker compose), ou sans, au premier plan. Voir --help.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

aide() {
  cat <<'FIN'
Usage : ./start.sh [tout|api|worker|migrate] [options]

Met atelier en route. La première fois, écrit .env à partir de .env_exemple, avec des clés et des mots de passe tirés au
hasard, lisible par vous seul ; ensuite, complète ce qui manque sans toucher au reste.

  tout       (défaut) base, schéma, API, worker, dépôt SFTP
  api        l’API (http://localhost:8000/docs)
  worker     ce que planifiait l’ancien start.sh : journaux tous les jours à 11 h, commandes à 9 h et 14 h
             (CRON_LOGS, CRON_COMMANDES), et le suivi des machines en direct
  migrate    le schéma de la base, puis s’arrête

  --sans-docker   sans conteneurs : ici, au premier plan, avec la base de .env (sinon la base embarquée) ; Ctrl-C arrête
  --monitoring    ajoute Prometheus et Grafana
  --demo          ajoute un simulateur qui écrit des journaux de machines en direct
  --env           écrit ou complète .env, et s’arrête là
  --help          cette aide

Codes de sortie : 0 en route (ou arrêté proprement), 1 échec, 2 mauvais usage.
FIN
}

dire() { printf '%s\n' "$*" >&2; }
echec() {
  dire "start.sh : $*"
  exit 1
}

hasard() { head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

# Donne une valeur au réglage qui n’en a pas, à sa place dans le fichier ; ne change jamais une valeur.
# Par bash seul : les arguments d’un autre programme (sed) se lisent dans la liste des processus.
completer() {
  local fichier=$1 nom=$2 valeur=$3 ligne pose=non
  if grep -qE "^$nom=.+" "$fichier"; then return 0; fi
  while IFS= read -r ligne || [ -n "$ligne" ]; do
    if [ "$pose" = non ] && { [ "$ligne" = "$nom=" ] || [ "$ligne" = "# $nom=" ]; }; then
      ligne=$nom=$valeur pose=oui
    fi
    printf '%s\n' "$ligne"
  done <"$fichier" >"$fichier.suite"
  [ "$pose" = oui ] || printf '\n%s=%s\n' "$nom" "$valeur" >>"$fichier.suite"
  mv -f "$fichier.suite" "$fichier"
  ajouts+=("$nom")
}

preparer_env() {
  local nouveau=non nom
  ajouts=()
  umask 077
  if [ ! -e .env ]; then
    [ -r .env_exemple ] || echec ".env_exemple est introuvable : lancez start.sh depuis le dossier d’atelier."
    # Des mots de passe neufs n’ouvriraient pas une base déjà faite.
    if base_existe; then
      echec ".env manque, mais le volume $(projet)_base existe : remettez l’ancien .env, dont les clés et mots de passe ouvrent cette base."
    fi
    nouveau=oui
  fi
  # Sur une copie : un arrêt au milieu ne laisse pas un .env à moitié rempli.
  rm -f .env.nouveau .env.nouveau.suite
  trap 'rm -f .env.nouveau .env.nouveau.suite' EXIT
  if [ "$nouveau" = oui ]; then cat .env_exemple >.env.nouveau; else cat .env >.env.nouveau; fi
  for nom in SECRET_KEY CLE_CHIFFREMENT METRICS_JETON POSTGRES_PASSWORD POSTGRES_ADMIN_PASSWORD \
    POSTGRES_MIGRATION_PASSWORD POSTGRES_API_PASSWORD POSTGRES_LECTURE_PASSWORD MYSQL_ROOT_PASSWORD GRAFANA_PASSWORD; do
    # Une base qui a son adresse ou son hôte a déjà son mot de passe, ou n’en veut pas.
    if [ "$nom" = POSTGRES_PASSWORD ] && grep -qE '^(DATABASE_URL|POSTGRES_HOST)=.+' .env.nouveau; then continue; fi
    completer .env.nouveau "$nom" "$(hasard)"
  done
  if [ "${#ajouts[@]}" -gt 0 ]; then
    mv -f .env.nouveau .env
    if [ "$nouveau" = oui ]; then
      dire ".env est écrit. Gardez-en une copie hors de cette machine : sans CLE_CHIFFREMENT, les comptes sont perdus."
    else
      dire ".env complété : ${ajouts[*]}"
    fi
  else
    rm -f .env.nouveau
  fi
  chmod 600 .env
}

# Nom que compose donne à ses volumes.
projet() {
  local nom=${COMPOSE_PROJECT_NAME:-}
  [ -n "$nom" ] || nom=$(basename "$PWD" | tr '[:upper:]' '[:lower:]' | tr -cd 'a-z0-9_-')
  printf '%s' "$nom"
}

base_existe() {
  [ "$docker" = oui ] && command -v docker >/dev/null && docker volume inspect "$(projet)_base" >/dev/null 2>&1
}

compose() {
  if docker compose version >/dev/null 2>&1; then
    docker compose "$@"
  elif command -v docker-compose >/dev/null; then
    docker-compose "$@"
  else
    echec "ni « docker compose » ni docker-compose : installez Docker, ou ajoutez --sans-docker."
  fi
}

# Dit une fois, clairement, ce que docker dirait par une page d’erreurs ; et avant d’écrire .env, qui ne doit pas l’être
# à neuf à côté d’une base que l’on n’a pas pu voir.
verifier_docker() {
  command -v docker >/dev/null || command -v docker-compose >/dev/null ||
    echec "Docker est introuvable : installez-le (docs/installation.fr.md), ou ajoutez --sans-docker."
  command -v docker >/dev/null || return 0
  docker info >/dev/null 2>&1 ||
    echec "Docker ne répond pas : démarrez-le (sudo systemctl start docker), ou donnez-vous le droit de l’employer (groupe docker, ou sudo)."
}

# Ce que les conteneurs lisent dans ce dossier, chacun avec un autre utilisateur. Cloné sous umask 077, rien ne serait
# lisible ; les clés privées de deploy/cles restent comme elles sont.
ouvrir_lecture() {
  local lus=(deploy/postgres deploy/prometheus deploy/grafana deploy/sftp/machines demo) nom fermes
  for nom in "${lus[@]}"; do
    [ -d "$nom" ] || continue
    chmod -R u=rwX,go=rX "$nom" 2>/dev/null || true
    fermes=$(find "$nom" ! -perm -004 | head -n 1)
    [ -z "$fermes" ] ||
      echec "les conteneurs ne peuvent pas lire $fermes, qui n’est pas à vous : sudo chmod -R go+rX deploy demo"
  done
  [ ! -d deploy/cles ] || chmod go+rx deploy/cles 2>/dev/null || true
}

avec_docker() {
  local profils=() services=() echelle=()
  ouvrir_lecture
  [ "$monitoring" = oui ] && profils+=(--profile monitoring)
  [ "$demo" = oui ] && profils+=(--profile demo)
  case $role in
    api | worker) services=("$role") ;;
    migrate)
      compose build migrate
      compose run --rm migrate
      return
      ;;
  esac
  # L’ERP de démonstration ne sert à rien à côté du vôtre.
  if [ "$role" = tout ] && grep -qE '^(MYSQL_URL|MYSQL_HOST)=.+' .env; then echelle=(--scale mysql=0); fi
  compose "${profils[@]}" up --build --detach "${echelle[@]}" "${services[@]}" ||
    echec "tout n’est pas en route ; la raison : docker compose ps --all, puis docker compose logs roles migrate postgres"
  dire ""
  dire "atelier démarre. Son état : docker compose ps ; son journal : docker compose logs --follow api worker"
  dire "Premier compte (admin) : docker compose exec api atelier user add NOM --email ADRESSE"
  dire "Documentation de l’API : http://localhost:$(reglage PORT_PUBLIE 8000)/docs"
  if [ "$monitoring" = oui ]; then
    dire "Grafana : http://localhost:$(reglage GRAFANA_PORT 3000) (admin, GRAFANA_PASSWORD de .env)"
  fi
}

reglage() {
  local valeur
  valeur=$(sed -n "s/^$1=//p" .env | tail -n 1 | tr -d "\"'")
  printf '%s' "${valeur:-$2}"
}

sans_docker() {
  command -v node >/dev/null || echec "il faut Node 20 ou plus récent (Node 26 vient ensuite par « npm ci »)."
  [ -e bin/atelier.mjs ] || echec "bin/atelier.mjs est introuvable : le dossier d’atelier est incomplet."
  local roles=("$role") pids=() pid code=0
  [ "$role" = tout ] && roles=(api worker)
  node bin/atelier.mjs migrate || exit 1
  [ "$role" = migrate ] && return 0

  # Chacun dans son groupe : Ctrl-C n’arrive qu’ici, et chacun ne reçoit qu’un signal (deux veulent dire « tout de suite »).
  set -m
  arret=non
  trap 'arret=oui' INT TERM HUP
  for nom in "${roles[@]}"; do
    case $nom in
      api) node bin/atelier.mjs serve & ;;
      worker) node bin/atelier.mjs worker & ;;
    esac
    pids+=("$!")
  done
  if [ "$demo" = oui ]; then
    node bin/atelier.mjs simulate --live >/dev/null &
    pids+=("$!")
  fi
  # L’un sans l’autre ne sert à rien : le premier qui s’arrête arrête tout. Un signal interrompt l’attente.
  if [ "$arret" = non ]; then wait -n "${pids[@]}" || code=$?; fi
  if [ "$arret" = oui ]; then
    code=0
    dire "start.sh : arrêt demandé ; ce qui est en cours se termine."
  else
    dire "start.sh : un des processus s’est arrêté (code $code) ; les autres suivent."
    [ "$code" -ne 0 ] || code=1
  fi
  trap '' INT TERM HUP
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do
    local fin=0
    wait "$pid" || fin=$?
    # 127 : déjà attendu plus haut.
    if [ "$arret" = oui ] && [ "$fin" -ne 0 ] && [ "$fin" -ne 127 ] && [ "$fin" -ne 130 ]; then code=1; fi
  done
  return "$code"
}

role=tout docker=oui monitoring=non demo=non env=non vu=non
while [ "$#" -gt 0 ]; do
  case $1 in
    tout | api | worker | migrate)
      if [ "$vu" = oui ]; then
        dire "start.sh : un seul rôle à la fois (« $1 » en trop). Tapez ./start.sh --help."
        exit 2
      fi
      role=$1 vu=oui
      ;;
    --sans-docker) docker=non ;;
    --monitoring) monitoring=oui ;;
    --demo) demo=oui ;;
    --env) env=oui ;;
    --help | -h | --aide)
      aide
      exit 0
      ;;
    *)
      dire "start.sh : « $1 » est inconnu. Tapez ./start.sh --help."
      exit 2
      ;;
  esac
  shift
done
if [ "$docker" = non ] && [ "$monitoring" = oui ]; then
  dire "start.sh : --monitoring demande des conteneurs (deploy/prometheus et deploy/grafana servent aussi sans)."
  exit 2
fi

if [ "$docker" = oui ] && [ "$env" = non ]; then verifier_docker; fi
preparer_env
[ "$env" = oui ] && exit 0
if [ "$docker" = oui ]; then avec_docker; else sans_docker; fi
