#!/usr/bin/env bash
# What the proofs on machines of their own share: a Debian made from nothing by mmdebstrap, Node as npm ships it, and a
# place to keep both. To be sourced.
#
# Exit status of the proofs: 0 everything holds; 1 something does not; 77 this machine cannot make such a machine (no root,
# no Debian, no network, no room): nothing was proved, and nothing is wrong for all that.
set -uo pipefail

# Made once, used again by the next proof. Outside the repository, on a disk that an overlay can lie on.
MACHINES=${ATELIER_MACHINES:-/var/tmp/atelier-machines}
readonly IMPOSSIBLE=77

dire() { printf '[%3d s] %s\n' "$SECONDS" "$*" >&2; }

# Said loudly: a proof that did not take place must not look like one that did.
impossible() {
  {
    echo '######################################################################'
    echo "# NON PROUVÉ : $*"
    echo '######################################################################'
  } >&2
  exit "$IMPOSSIBLE"
}

exiger_machine() { # MIO : root, Debian, and so much room
  [ "$(uname -s)" = Linux ] || impossible 'il faut Linux'
  [ "$(id -u)" = 0 ] || impossible 'il faut root pour faire une machine nue'
  if ! command -v apt-get >/dev/null || [ ! -e /etc/debian_version ]; then impossible 'il faut Debian (apt-get, mmdebstrap)'; fi
  mkdir -p "$MACHINES/journaux" || impossible "$MACHINES ne peut pas être créé"
  local place
  place=$(df --output=avail -m "$MACHINES" | tail -1)
  [ "$place" -ge "$1" ] || impossible "$place Mio libres dans $MACHINES, il en faut $1"
  unshare --mount --pid --fork --propagation private true 2>/dev/null ||
    impossible 'pas le droit de faire des espaces de noms (unshare)'
}

# PROGRAM=PACKAGE … : installs on this machine what makes machines.
exiger_programmes() {
  local besoin manque=()
  for besoin in "$@"; do command -v "${besoin%%=*}" >/dev/null || manque+=("${besoin#*=}"); done
  [ "${#manque[@]}" -eq 0 ] && return
  dire "paquets de cette machine : ${manque[*]}"
  {
    apt-get -q update
    DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends -o DPkg::Lock::Timeout=300 "${manque[@]}"
  } >"$MACHINES/journaux/apt" 2>&1 </dev/null ||
    { tail -5 "$MACHINES/journaux/apt" >&2; impossible "apt-get install ${manque[*]}"; }
}

# Where apt of this machine has its packages from.
# shellcheck disable=SC2016 # apt's own words
miroir() { apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -1; }

# A Debian, made once: NAME SUITE PACKAGES; sets `racine` to its folder.
debian() {
  local nom=$1 suite=$2 paquets=$3
  racine=$MACHINES/$nom-$(printf '%s' "$suite $paquets" | sha256sum | cut -c1-8)
  if [ ! -d "$racine" ]; then
    dire "Debian $suite : $nom"
    # Older ones of this name, and what a proof that was ended left half made.
    rm -rf --one-file-system "$MACHINES/$nom"-????????*
    mmdebstrap --quiet --variant=minbase --include="$paquets" --aptopt='Acquire::Languages "none"' \
      --aptopt='Acquire::Check-Valid-Until "false"' --dpkgopt='path-exclude=/usr/share/doc/*' \
      --dpkgopt='path-exclude=/usr/share/man/*' "$suite" "$racine.neuf" "$(miroir)" \
      >"$MACHINES/journaux/$nom" 2>&1 </dev/null ||
      { tail -5 "$MACHINES/journaux/$nom" >&2; impossible "mmdebstrap $suite ($nom)"; }
    mv "$racine.neuf" "$racine"
  fi
}

# Node and npm below FOLDER/usr/local, as npm ships them: FOLDER VERSION.
node_dans() {
  local ou=$1/usr/local version=$2 paquets arch
  case $(uname -m) in
    x86_64) arch=x64 ;;
    aarch64) arch=arm64 ;;
    *) impossible "pas de Node de npm pour $(uname -m)" ;;
  esac
  paquets=$(mktemp -d "$MACHINES/npm.XXXXXX")
  mkdir -p "$ou/bin" "$ou/lib/node_modules/npm"
  {
    (cd "$paquets" && npm pack --silent "node-linux-$arch@$version" npm@11) &&
      tar xzf "$paquets/node-linux-$arch"-*.tgz -C "$ou" --strip-components=1 package/bin/node &&
      tar xzf "$paquets"/npm-11*.tgz -C "$ou/lib/node_modules/npm" --strip-components=1
  } >"$MACHINES/journaux/npm" 2>&1 </dev/null || { rm -rf "$paquets"; impossible "npm pack (journal : $MACHINES/journaux/npm)"; }
  rm -rf "$paquets"
  chmod 0755 "$ou/bin/node" "$ou"/lib/node_modules/npm/bin/*.js
  for nom in npm npx; do ln -sf "../lib/node_modules/npm/bin/$nom-cli.js" "$ou/bin/$nom"; done
}
