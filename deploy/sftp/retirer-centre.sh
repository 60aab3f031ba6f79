#!/bin/sh
# Ferme le dépôt SFTP d'un centre : clé et compte. Ses fichiers restent, sous son dossier.
#
#   retirer-centre.sh NOM
set -eu

DEPOTS=${DEPOTS:-/srv/atelier}
MACHINES=${MACHINES:-/etc/ssh/atelier/machines}
GROUPE_DEPOTS=${GROUPE_DEPOTS:-atelier-depots}

echec() {
  echo "retirer-centre : $*" >&2
  exit 1
}

case ${1:-} in
  --help | -h)
    echo "Usage : retirer-centre.sh NOM"
    exit 0
    ;;
esac
[ "$#" -eq 1 ] || {
  echo "Usage : retirer-centre.sh NOM" >&2
  exit 2
}
[ "$(id -u)" -eq 0 ] || echec "à lancer en root (sudo)"
nom=$1
compte=$(printf '%s' "$nom" | tr '[:upper:]' '[:lower:]')
getent passwd "$compte" >/dev/null || echec "pas de compte $compte"
id -nG "$compte" | tr ' ' '\n' | grep -qxF "$GROUPE_DEPOTS" || echec "$compte n'est pas le compte d'un centre"
[ "$(getent passwd "$compte" | cut -d: -f6)" = "$DEPOTS/$nom" ] || echec "$compte n'est pas le compte de $nom"
# La clé d'abord : plus personne n'entre. Puis les connexions ouvertes, puis le compte.
rm -f "$MACHINES/$compte"
if command -v pkill >/dev/null; then pkill -KILL -u "$compte" || true; fi
userdel --force "$compte" 2>/dev/null || userdel "$compte"
echo "$nom : dépôt fermé, ses fichiers restent dans $DEPOTS/$nom"
