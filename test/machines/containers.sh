#!/usr/bin/env bash
# The containers, built and run: docker-compose.yaml, the Dockerfiles and start.sh as they are, by Debian's Docker engine in
# namespaces of its own, over stand-ins for the base images that bear the very names that the files ask for. They are made
# of Debian's packages and npm's Node: the official images themselves are not tried.
#
#   containers.sh             some 8 minutes on 2 quiet cores; 6 GB in ATELIER_MACHINES
#   containers.sh --garder    leaves the engine running, and says how to get at it
#
# MOTEUR: the Debian whose engine is taken (sid: 28, trixie: 26). Exit status: see debian.sh.
# shellcheck source=test/machines/debian.sh
. "$(dirname "${BASH_SOURCE[0]}")/debian.sh"
ICI=$(realpath "$(dirname "${BASH_SOURCE[0]}")") PROJET=$(realpath "$ICI/../..") MOTEUR=${MOTEUR:-sid}
W=$MACHINES/conteneurs
garder=non
case ${1:-} in
  '') ;;
  --garder) garder=oui ;;
  *) echo 'Usage : containers.sh [--garder]' >&2 && exit 2 ;;
esac

exiger_machine 6000
exiger_programmes mmdebstrap=mmdebstrap git=git npm=npm slirp4netns=slirp4netns ip=iproute2 pgrep=procps

# ── The engine. Root of its own mount namespace by pivot_root (after a chroot `docker exec` would land outside), with a
#    network of its own: no port, address or firewall rule of this machine is touched.
R=''
arreter_moteur() { # SIGNAL
  local pid
  pid=$(cat "$W/pid" 2>/dev/null) || return 0
  # The number may have passed to somebody else since.
  if tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "--label essai=$W "; then
    kill "-$1" "$pid"
    for _ in $(seq 300); do [ -d "/proc/$pid" ] || break; sleep 0.1; done
    [ ! -d "/proc/$pid" ] || kill -KILL "$pid"
  fi
  rm -f "$W/pid"
  sleep 1
  find /sys/fs/cgroup/{,*/}atelier-essai -depth -type d -exec rmdir {} + 2>/dev/null
  return 0
}
demarrer_moteur() {
  local pere
  mkdir -p "$W/donnees" "$R/.ancien" "$R/var/lib/docker" "$R/essai"
  rm -f "$R/run/docker.pid"
  # shellcheck disable=SC2016 # for the shell inside
  W=$W R=$R unshare --kill-child --mount --net --pid --uts --ipc --fork --propagation private bash -ec '
    mount --bind "$R" "$R"
    mount -t proc proc "$R/proc"; mount --rbind /sys "$R/sys"; mount --rbind /dev "$R/dev"; mount -t tmpfs tmpfs "$R/run"
    mount --bind "$W/donnees" "$R/var/lib/docker"; mount --bind "$W" "$R/essai"
    ip link set lo up; hostname essai; echo nameserver 10.0.2.3 >"$R/etc/resolv.conf"
    cd "$R"; pivot_root . .ancien
    exec chroot . /bin/sh -ec "umount -l /.ancien
      for i in \$(seq 100); do ip -4 addr show tap0 2>/dev/null | grep -q inet && break; sleep 0.1; done
      exec dockerd --host unix:///run/docker.sock --cgroup-parent /atelier-essai --label essai=$W --log-level warn"' \
    >>"$MACHINES/journaux/dockerd" 2>&1 </dev/null &
  pere=$!
  for _ in $(seq 50); do pgrep -P "$pere" >"$W/pid" && break; sleep 0.1; done
  local pid
  pid=$(cat "$W/pid")
  slirp4netns --configure --mtu=65520 --disable-host-loopback --exit-fd=3 "$pid" tap0 \
    3< <(while [ -d "/proc/$pid" ]; do sleep 1; done) >"$MACHINES/journaux/slirp" 2>&1 </dev/null &
  for _ in $(seq 600); do
    dans_moteur docker info >/dev/null 2>&1 && return
    sleep 0.1
  done
  tail -5 "$MACHINES/journaux/dockerd" >&2
  impossible 'dockerd ne démarre pas ici'
}
dans_moteur() {
  nsenter --target "$(cat "$W/pid")" --mount --net --pid --uts --ipc --root --wd -- \
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM=dumb "$@"
}

finir() {
  if [ "$garder" = oui ] && [ -s "$W/pid" ]; then
    dire "le moteur reste : nsenter --target $(cat "$W/pid") --mount --net --pid --uts --ipc --root --wd -- docker ps"
  else
    arreter_moteur TERM
    rm -rf --one-file-system "$W"
  fi
}
arreter_moteur KILL
rm -rf --one-file-system "$W"
mkdir -p "$W"
trap finir EXIT
trap 'exit 130' INT TERM HUP
: >"$MACHINES/journaux/dockerd"

# ── What is asked for, by the files themselves.
image() { sed -nE "s#^(FROM| *image:) ($1:[^ ]*).*#\2#p" "$PROJET/Dockerfile" "$PROJET/deploy/sftp/Dockerfile" "$PROJET/docker-compose.yaml" | head -1; }
POSTGRES=$(image postgres) NODE=$(image node) DEBIAN=$(image debian)
pg=${POSTGRES#*:} node=${NODE#*:}
pg=${pg%%.*} node=${node%%-*}
outils=iproute2,ca-certificates,openssh-client,curl,git,procps,jq,docker.io,docker-cli,docker-compose,docker-buildx,iptables
[ "$MOTEUR" != sid ] || outils+=,systemd-standalone-sysusers
racine=''
debian "moteur-$MOTEUR" "$MOTEUR" "$outils"
R=$racine
debian base trixie libc-bin
base=$racine
debian "services-$pg" sid "postgresql-$pg,zstd,mysql-server,prometheus,busybox"
services=$racine
rm -rf --one-file-system "$R/root"
mkdir -p "$R/root"

# Every time: what the stand-ins do may have changed since they were made.
for nom in postgres mysql grafana; do install -m 0755 "$ICI/images/$nom" "$services/usr/local/bin/entree-$nom" || impossible 'doublures'; done
# shellcheck disable=SC2016 # for the shell inside
chroot "$services" /bin/sh -ec '
  rm -rf /var/lib/postgresql/* /var/lib/mysql /etc/mysql /etc/my.cnf /etc/prometheus
  mkdir -p /docker-entrypoint-initdb.d /prometheus /var/lib/grafana /etc/grafana /etc/atelier /etc/prometheus /srv/www/api
  install -d -m 1777 /run/mysqld /run/postgresql
  install -d -o 999 -g 999 -m 1777 /var/lib/postgresql /var/lib/mysql /var/lib/mysql-files
  chown 65534:65534 /prometheus; chown 472:0 /var/lib/grafana
  getent passwd 999 >/dev/null || useradd -r -u 999 base
  echo ok >/srv/www/api/health; ln -sf busybox /usr/bin/wget
  m=/var/run/mysqld/mysqld
  printf "[mysqld]\ndatadir=/var/lib/mysql\nsocket=$m.sock\npid-file=$m.pid\nsecure-file-priv=/var/lib/mysql-files\n[client]\nsocket=$m.sock\n" >/etc/my.cnf
' || impossible 'doublures'
mkdir -p "$W/node"
node_dans "$W/node" "$node"
mkdir -p "$W/node/usr/local/"{etc,share}
cp /etc/ssl/certs/ca-certificates.crt "$W/node/usr/local/share/ca.crt"
printf 'registry=%s\ncafile=/usr/local/share/ca.crt\n' "$(npm config get registry)" >"$W/node/usr/local/etc/npmrc"
cat >"$W/node/Dockerfile" <<FIN
FROM $DEBIAN
RUN apt-get update && apt-get install -y --no-install-recommends libatomic1 && rm -rf /var/lib/apt/lists/* && useradd -u 1000 -U -m node
COPY usr /usr
CMD ["node"]
FIN

dire "moteur : Debian $MOTEUR ; doublures de $POSTGRES, $(image mysql), $NODE, $DEBIAN, $(image prom/prometheus), $(image grafana/grafana)"
demarrer_moteur
doublure() { dans_moteur docker build -q -t "$1" - >/dev/null <<<"FROM doublure:services"$'\n'"$2" || impossible "doublure de $1"; }
{
  tar --one-file-system -C "$base" -c . | dans_moteur docker import -c 'CMD ["bash"]' - "$DEBIAN" >/dev/null &&
    tar --one-file-system -C "$services" -c . | dans_moteur docker import - doublure:services >/dev/null &&
    dans_moteur docker build -q -t "$NODE" /essai/node >/dev/null
} || impossible 'doublures'
chemin=/usr/local/bin:/usr/bin:/usr/sbin:/bin:/usr/lib/postgresql/$pg/bin
doublure "$POSTGRES" "ENV PGDATA=/var/lib/postgresql/$pg/docker PATH=$chemin"$'\nVOLUME /var/lib/postgresql\nSTOPSIGNAL SIGINT\nENTRYPOINT ["entree-postgres"]\nCMD ["postgres"]'
doublure "$(image mysql)" $'VOLUME /var/lib/mysql\nENTRYPOINT ["entree-mysql"]\nCMD ["mysqld"]'
doublure "$(image prom/prometheus)" $'USER 65534\nWORKDIR /prometheus\nVOLUME /prometheus\nENTRYPOINT ["/bin/prometheus"]'
doublure "$(image grafana/grafana)" $'USER 472\nENTRYPOINT ["entree-grafana"]'
git clone -q "$PROJET" "$R/root/atelier" || impossible "git clone $PROJET"
cp "$ICI/essais-conteneurs.sh" "$W/essais.sh"

# ── From here on everything that is not as it should be is a fault of ours.
dans_moteur timeout 3000 bash /essai/essais.sh premier </dev/null | tee "$MACHINES/journaux/conteneurs"
dire 'coupure de courant'
arreter_moteur KILL
demarrer_moteur
dans_moteur timeout 1500 bash /essai/essais.sh retour </dev/null | tee -a "$MACHINES/journaux/conteneurs"
bons=$(grep -c '^ok - ' "$MACHINES/journaux/conteneurs") faux=$(grep -c '^FAUX - ' "$MACHINES/journaux/conteneurs")
grep -q '^ok - fin des essais' "$MACHINES/journaux/conteneurs" || { faux=$((faux + 1)); dire 'les essais ne sont pas allés à leur fin'; }
dire "conteneurs : $bons vérification(s) bonnes, $faux fausse(s)"
grep '^FAUX - ' "$MACHINES/journaux/conteneurs" >&2
[ "$faux" -eq 0 ]
