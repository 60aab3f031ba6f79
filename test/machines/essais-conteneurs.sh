#!/usr/bin/env bash
# The checks of containers.sh, run inside its engine: a new user's way through docs/installation.md, then what ordinary days
# bring (restart, upgrade, password, lost database, power cut). `premier`, and after the power cut `retour`.
# shellcheck disable=SC1112 # French apostrophes, meant as they are
set -uo pipefail
cd /root/atelier || exit 1
export BUILDKIT_PROGRESS=plain
TOUT=(--profile monitoring --profile demo) SORTIE=/tmp/sortie MDP=Un-Mot-De-Passe-Long-7

tous() { docker compose "${TOUT[@]}" "$@"; }
# TITLE COMMAND: one line, and what it said when it is wrong.
verifier() {
  local titre=$1
  shift
  if "$@" >"$SORTIE" 2>&1; then echo "ok - $titre"; else
    echo "FAUX - $titre"
    tail -5 "$SORTIE" | cut -c1-300 | sed 's/^/#   /'
  fi
}
dans_delai() { # SECONDS COMMAND: until it succeeds
  local fin=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$fin" ] || return 1
    sleep 1
  done
}
calme() { ! tous ps --format '{{.Status}}' | grep -qE 'starting|unhealthy|Restarting'; }
sains() { # NUMBER of services with a health check, all healthy
  dans_delai 300 calme
  tous ps -a --format '{{.Service}} {{.Status}}'
  [ "$(tous ps --format '{{.Status}}' | grep -c '(healthy)')" = "$1" ]
}
jeton() { J=$(curl -s -X POST -d "username=marie&password=$MDP" http://localhost:8000/token | jq -er .access_token); }
total() { curl -s -o /dev/null -D - -H "Authorization: Bearer $J" "http://localhost:8000/$1/?limit=1" | tr -d '\r' | sed -n 's/^x-total-count: //Ip'; }
au_moins() { [ "$(total "$1")" -ge "$2" ]; }
etat() {
  jeton
  for nom in sessions pieces-production fichiers commandes-volets users; do echo "$nom $(total "$nom")"; done
  ssh-keyscan -t ed25519 -p 2222 127.0.0.1 2>/dev/null
}
pareil() { etat | diff /root/avant -; }
deposer() { sftp -q -b - -P 2222 -i ~/dem12 -o UserKnownHostsFile=/root/connus dem12@127.0.0.1 <<<"put $1"; }
compte() { # typed on a terminal, as a person does
  {
    sleep 6
    printf '%s\r' "$MDP"
    sleep 4
    printf '%s\r' "$MDP"
    sleep 8
  } | script -qec 'docker compose exec api atelier user add marie --email marie@atelier.example --role admin' /dev/null
}
inchange() {
  docker compose ps -q | sort >/tmp/conteneurs
  ./start.sh && docker compose ps -q | sort | diff /tmp/conteneurs - && [ -z "$(docker images -qf dangling=true)" ]
}
sans_constat() { # doctor as JSON, nothing about the tasks
  docker compose exec -T worker atelier doctor --json | jq -e '[.[] | select(.quoi == "Tâches")] | length == 0'
}
sonde_muette() { # the health check of the drop server, four times over: no new line in its log
  local avant
  avant=$(docker compose logs --no-log-prefix sftp | wc -l)
  for _ in 1 2 3 4; do docker compose exec -T sftp sante || return 1; done
  [ "$(docker compose logs --no-log-prefix sftp | wc -l)" = "$avant" ]
}
lisible() { # what the machine dropped is of atelier's group, which may read it
  docker compose exec -T sftp stat -c '%a %g' /srv/atelier/DEM12/depot /srv/atelier/DEM12/depot/20250528.LOG | tee /dev/stderr | diff - <(printf '2750 10001\n640 10001\n')
}
au_journal() { docker compose logs --no-log-prefix "$1" | grep -F "$2"; } # SERVICE WORDS
proxy() { # what the API says of whoever forwards for others
  curl -s -o /dev/null -H 'X-Forwarded-For: 192.0.2.7' http://localhost:8000/health/live
  dans_delai 10 au_journal api 'PROXYS_DE_CONFIANCE=passerelle'
}
proxy_cru() {
  sed -i 's/^#* *PROXYS_DE_CONFIANCE=.*/PROXYS_DE_CONFIANCE=passerelle/' .env
  ./start.sh && sains 5 && curl -s -o /dev/null -H 'X-Forwarded-For: 192.0.2.7' -d 'username=x&password=y' http://localhost:8000/token
  jeton
  ! au_journal api PROXYS_DE_CONFIANCE
}
mot_de_passe() { # all of PostgreSQL's but the administrator's, changed in .env
  local nom
  for nom in POSTGRES_PASSWORD POSTGRES_API_PASSWORD POSTGRES_MIGRATION_PASSWORD POSTGRES_LECTURE_PASSWORD; do
    sed -i "s/^$nom=.*/$nom=nouveau-$nom-0123456789/" .env
  done
  ./start.sh
}
enferme() {
  local c service p faux=0
  for c in $(tous ps -q); do
    service=$(docker inspect -f '{{index .Config.Labels "com.docker.compose.service"}}' "$c")
    p=/proc/$(docker inspect -f '{{.State.Pid}}' "$c")
    [ "$(grep -cE '^(NoNewPrivs:.1|Seccomp:.2)$' "$p/status")" = 2 ] || { echo "$service : privilèges" && faux=1; }
    [ "$(docker inspect -f '{{index .HostConfig.LogConfig.Config "max-size"}}' "$c")" = 10m ] || { echo "$service : journal" && faux=1; }
    [ "$(cat "/sys/fs/cgroup/memory/atelier-essai/$c/memory.limit_in_bytes" "/sys/fs/cgroup/atelier-essai/$c/memory.max" 2>/dev/null)" = \
      "$(docker inspect -f '{{.HostConfig.Memory}}' "$c")" ] || { echo "$service : mémoire" && faux=1; }
    case $service in
      postgres | mysql | simulateur) ! awk '$2 == "00000000" { exit 1 }' "$p/net/route" && { echo "$service : sortie" && faux=1; } ;;
    esac
    [ "$service" != sftp ] || continue
    grep -q 'CapEff:.0*$' "$p/status" || { echo "$service : capacités" && faux=1; }
    ! docker exec "$c" touch /essai 2>/dev/null || { echo "$service : racine inscriptible" && faux=1; }
    [ "$service" = simulateur ] || ! grep -q '^Uid:.0' "$p/status" || { echo "$service : root" && faux=1; }
  done
  return "$faux"
}
ports() { ss -Hltn | awk '{print $4}' | grep -v '^127.0.0.11:' | sort -u | tr '\n' ' ' | grep -xE '0.0.0.0:2222 127.0.0.1:3000 127.0.0.1:8000 (\[::\]:2222 )?'; }
lu_par_prometheus() { [ "$(tous exec -T prometheus wget -q -O - 'http://127.0.0.1:9090/api/v1/query?query=up' | jq -c '[.data.result[].value[1]]')" = '["1","1"]' ]; }
workers() { # NUMBER
  sed -i "s/^#* *WORKERS=.*/WORKERS=$1/" .env
  ./start.sh && [ "$(docker compose ps -q worker | wc -l)" = "$1" ]
}
restaurer() {
  docker compose stop api worker && docker compose run --rm -T maintenance restore "$(cat /root/nom)" --oui && docker compose up --detach
}
tout_arreter() { tous down; }
# What docs/installation says that remains; and without the profiles' names nothing of theirs would go.
restes() { tout_arreter && [ -z "$(docker ps -aq)" ] && docker volume inspect atelier_base atelier_archives >/dev/null; }

premier() {
  local debut=$SECONDS
  verifier 'start.sh construit et met en route, à partir de rien' ./start.sh
  verifier 'tous les services sont sains' sains 5
  echo "# $((SECONDS - debut)) s de rien à sain ; $(docker images --format '{{.Repository}}:{{.Tag}} {{.Size}}' | grep '^atelier' | tr '\n' ',')"
  verifier 'doctor ne trouve rien' docker compose exec -T worker atelier doctor
  verifier 'un premier compte, tapé au clavier' compte
  verifier 'il se connecte' jeton
  ssh-keygen -q -t ed25519 -N '' -f ~/dem12
  cp ~/dem12.pub deploy/sftp/machines/DEM12.pub
  verifier 'une machine reçoit son dépôt SFTP' docker compose restart sftp
  sains 5 >/dev/null
  ssh-keyscan -p 2222 127.0.0.1 >/root/connus 2>/dev/null
  verifier 'l’empreinte du serveur est dans son journal' au_journal sftp "$(ssh-keygen -lf /root/connus | awk '/ED25519/ {print $2}')"
  verifier 'la machine dépose un fichier' deposer test/golden/recouvrement/entree/DEM12/20250528.LOG
  verifier 'que le groupe d’atelier peut lire' lisible
  verifier 'et qui devient une session' dans_delai 10 au_moins sessions 1
  verifier 'une machine n’a pas de terminal' bash -c '! ssh -p 2222 -i ~/dem12 -o UserKnownHostsFile=/root/connus dem12@127.0.0.1 id | grep uid'
  verifier 'la sonde du dépôt n’écrit rien dans son journal' sonde_muette
  verifier 'commandes de l’ERP' docker compose exec -T worker atelier lancer sync --attendre
  verifier '57 commandes' test "$(total commandes-volets)" = 57
  verifier 'start.sh encore ne change rien, ne laisse pas d’image' inchange
  verifier 'un proxy que l’API ne connaît pas est dit' proxy
  verifier 'et cru, une fois nommé' proxy_cru
  verifier 'start.sh --monitoring --demo' ./start.sh --monitoring --demo
  verifier 'tous sains, Prometheus et la doublure de Grafana aussi' sains 7
  verifier 'Prometheus lit l’API et le worker' dans_delai 120 lu_par_prometheus
  verifier 'les machines du simulateur sont suivies' dans_delai 120 au_moins centres 3
  verifier 'enfermés : utilisateur, capacités, racine, mémoire, journaux, réseaux' enferme
  verifier 'publiés : l’API et Grafana sur cette machine, le dépôt SFTP' ports
  tous stop simulateur >/dev/null 2>&1
  sleep 5
  etat >/root/avant
  verifier 'mots de passe de PostgreSQL changés dans .env' mot_de_passe
  verifier '  tous sains' sains 7
  verifier '  rien n’a changé' pareil
  verifier 'restart' docker compose restart
  sains 7 >/dev/null
  verifier '  rien n’a changé' pareil
  verifier 'down ne laisse que les données' restes
  verifier 'up' docker compose up --detach
  sains 5 >/dev/null
  verifier '  rien n’a changé' pareil
  echo '// nouveau' >>src/cli/sante.ts
  verifier 'une nouvelle version par ./start.sh' ./start.sh
  sains 5 >/dev/null
  verifier '  est celle qui tourne' grep -q '^// nouveau' <(docker compose exec -T api tail -1 src/cli/sante.ts)
  verifier '  rien n’a changé' pareil
  verifier 'deux workers, par WORKERS de .env' workers 2
  verifier '  et un de nouveau' workers 1
  sains 5 >/dev/null
  verifier 'sauvegarde' docker compose exec -T worker atelier lancer sauvegarde --attendre
  docker compose exec -T worker atelier backup list --json | jq -r '.[0].nom' >/root/nom
  verifier 'la base est perdue' bash -c 'docker compose --profile monitoring --profile demo down && docker volume rm atelier_base'
  verifier 'restaurée comme il est écrit' restaurer
  sains 5 >/dev/null
  verifier '  tout est revenu' pareil
  verifier '  doctor ne dit pas que la sauvegarde a échoué' sans_constat
}

retour() {
  verifier 'tous sains après une coupure de courant, sans y toucher' sains 5
  verifier '  rien n’est perdu' pareil
  tout_arreter >/dev/null 2>&1
  (umask 077 && cp -r /root/atelier /root/prive)
  cd /root/prive && rm .env
  verifier 'cloné sous umask 077' ./start.sh
  verifier '  tous sains' sains 5
  verifier 'fin des essais' true
}

case ${1:-} in
  premier | retour) "$1" ;;
  *) exit 2 ;;
esac
