#!/usr/bin/env bash
# The commands of the README on a bare machine: a Debian with Node, npm and git and nothing else, so that no package of the
# machine where the tests run hides a step that is missing. As root and as an ordinary user, each in a fresh clone.
#
#   newcomer.sh                  `npm run demo` and `npx atelier doctor` for both, `npm test` for the ordinary user
#   newcomer.sh --tests          `npm test` for root too: the whole suite (some 20 minutes)
#   newcomer.sh --commande CMD   only that, as root
#
# SUITE (bookworm), NODE (20): the oldest that we promise. Exit status: see debian.sh.
# shellcheck source=test/machines/debian.sh
. "$(dirname "${BASH_SOURCE[0]}")/debian.sh"
PROJET=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
SUITE=${SUITE:-bookworm} NODE=${NODE:-20}

tests=non commande=''
case ${1:-} in
  '') ;;
  --tests) tests=oui ;;
  --commande) commande=${2:?} ;;
  *) echo "Usage : newcomer.sh [--tests | --commande CMD]" >&2 && exit 2 ;;
esac

exiger_machine 4000
exiger_programmes mmdebstrap=mmdebstrap git=git npm=npm
racine=''
debian nue "$SUITE" ca-certificates,git,libatomic1
nue=$racine
if [ ! -e "$nue/usr/local/bin/npm" ]; then
  node_dans "$nue" "$NODE"
  chroot "$nue" useradd --create-home --shell /bin/bash lambda || impossible useradd
fi
# What this machine trusts and where its npm looks, so must the bare one.
cp /etc/ssl/certs/ca-certificates.crt "$nue/etc/ssl/certs/ca-certificates.crt"
mkdir -p "$nue/usr/local/etc"
printf 'registry=%s\ncafile=/etc/ssl/certs/ca-certificates.crt\n' "$(npm config get registry)" >"$nue/usr/local/etc/npmrc"

essai=$(mktemp -d "$MACHINES/essai.XXXXXX") || impossible "$MACHINES"
chmod 0755 "$essai"
enfant=''
finir() {
  if [ -n "$enfant" ]; then
    kill -TERM "$enfant" 2>/dev/null
    wait "$enfant" 2>/dev/null
  fi
  rm -rf --one-file-system "$essai"
}
trap finir EXIT
trap 'exit 130' INT TERM HUP
git clone -q "$PROJET" "$essai/clone" || impossible "git clone $PROJET"
git -C "$essai/clone" remote remove origin

# A machine made new: NAME; its folder is `$essai/NAME/machine`. Where an overlay cannot lie, a copy.
machine() {
  mkdir -p "$essai/$1/"{haut,travail,machine,copie}
  chmod 0755 "$essai/$1" "$essai/$1"/*
}

# WHO COMMAND MINUTES in machine NAME; the output also goes to the log NAME. What it leaves running ends with it.
dans() {
  local nom=$1 qui=$2 quoi=$3 minutes=$4 code
  # shellcheck disable=SC2016 # for the shell inside
  nue=$nue ici=$essai/$nom clone=$essai/clone qui=$qui quoi=$quoi timeout --kill-after=10 "${minutes}m" \
    unshare --kill-child --mount --pid --ipc --uts --fork --propagation private bash -c '
      set -e
      if ! mount -t overlay overlay -o "lowerdir=$nue,upperdir=$ici/haut,workdir=$ici/travail" "$ici/machine" 2>/dev/null; then
        [ -d "$ici/copie/usr" ] || cp -a "$nue/." "$ici/copie"
        mount --bind "$ici/copie" "$ici/machine"
      fi
      cd "$ici/machine"
      mount -t proc proc proc; mount --rbind /sys sys; mount --rbind /dev dev
      mount -t tmpfs -o mode=1777 tmpfs dev/shm
      cp -L /etc/resolv.conf /etc/hosts etc/; hostname nue; echo "127.0.1.1 nue" >>etc/hosts
      maison=/root; [ "$qui" = root ] || maison=/home/$qui
      if [ ! -d ".$maison/atelier" ]; then
        cp -r "$clone" ".$maison/atelier"
        chroot . chown -R "$qui:" "$maison/atelier"
      fi
      # Not chroot alone: a program in a chroot may not make namespaces of its own, and tests do.
      mkdir -p mnt; pivot_root . mnt; umount -l mnt
      cd /; exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME="$maison" USER="$qui" \
        LANG=C.UTF-8 TERM=dumb CI="${CI:-}" setpriv --reuid="$qui" --regid="$qui" --init-groups \
        bash -c "cd ~/atelier && $quoi"' </dev/null > >(if [ "$nom" = tests ]; then tee "$MACHINES/journaux/$nom"; else cat >"$MACHINES/journaux/$nom"; fi) 2>&1 &
  code=0
  # Waited for in the background: a signal is heard at once.
  enfant=$!
  wait "$enfant" || code=$?
  enfant=''
  # What it said last may still be on its way to the log.
  sleep 1
  return "$code"
}

faux=0
# TITLE EXPECTED NAME WHO COMMAND MINUTES [TEXT that must be in the output]
verifier() {
  local titre=$1 attendu=$2 nom=$3 texte=${7:-} code=0
  dans "$nom" "$4" "$5" "$6" || code=$?
  if [ "$code" = "$attendu" ] && { [ -z "$texte" ] || grep -qE -- "$texte" "$MACHINES/journaux/$nom"; }; then
    dire "ok : $titre"
  else
    faux=$((faux + 1))
    dire "FAUX : $titre (code $code, attendu $attendu${texte:+, et « $texte »})"
    [ "$nom" = tests ] || tail -40 "$MACHINES/journaux/$nom" | sed 's/^/    /' >&2
  fi
  # Kept for whoever looks into it: the next command writes the same log anew.
  cp "$MACHINES/journaux/$nom" "$MACHINES/journaux/$nom-$((++rang))"
}
rang=0

if [ -n "$commande" ]; then
  machine root
  dans root root "$commande" 80 || code=$?
  cat "$MACHINES/journaux/root"
  exit "${code:-0}"
fi

# The README's port, unless this very machine has something there: the bare one shares its network.
demo='npm run demo' port=8000
if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
  port=$((18000 + RANDOM % 2000))
  dire "le port 8000 de cette machine est pris : npm run demo -- --port $port"
  demo="npm run demo -- --port $port"
fi
# As a reader of the README goes on: the API answers, and doctor finds nothing wrong.
suite="npm ci && $demo && node -e 'fetch(\"http://127.0.0.1:$port/health\").then((r) => process.exit(r.status === 200 ? 0 : 9), () => process.exit(9))' && npx atelier doctor"

dire "machine nue : Debian $SUITE, Node $NODE ; journaux : $MACHINES/journaux"
machine root
verifier "root : npm ci && npm run demo, puis l’API et npx atelier doctor" 0 root root "$suite" 15 '57 ajoutées'
rm -rf --one-file-system "$essai/root"
machine lambda
verifier 'sans root : npm ci && npm test dit quoi installer' 1 lambda lambda 'npm ci && npm test' 10 'sudo apt-get install .*mariadb-server-core'
verifier "sans root : npm ci && npm run demo, puis l’API et npx atelier doctor" 0 lambda lambda "$suite" 15 'sans commandes, la démonstration continue : .*apt-get install'
rm -rf --one-file-system "$essai/lambda"
if [ "$tests" = oui ]; then
  machine tests
  verifier 'root : npm ci && npm test, toute la suite' 0 tests root 'npm ci && npm test' 70
fi
dire "machine nue : $((rang - faux)) commande(s) bonnes, $faux fausse(s)"
[ "$faux" -eq 0 ]
