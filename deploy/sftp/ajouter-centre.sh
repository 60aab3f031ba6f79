#!/bin/sh
# Ouvre le dépôt SFTP d'un centre d'usinage : compte, dossier fermé, clé. Se relance sans dommage (la clé est remplacée).
#
#   ajouter-centre.sh NOM CLE.pub        NOM : le dossier du centre, comme dans CENTRES (DEM12)
#
# Fait : /srv/atelier/NOM (à root), /srv/atelier/NOM/depot (à la machine, lisible par le groupe d'atelier),
# /etc/ssh/atelier/machines/nom (à root). Se règle par DEPOTS, MACHINES, GROUPE_DEPOTS, GROUPE_LECTURE, GID_LECTURE.
set -eu
umask 022

DEPOTS=${DEPOTS:-/srv/atelier}
MACHINES=${MACHINES:-/etc/ssh/atelier/machines}
GROUPE_DEPOTS=${GROUPE_DEPOTS:-atelier-depots}
GROUPE_LECTURE=${GROUPE_LECTURE:-atelier}
GID_LECTURE=${GID_LECTURE:-10001}
PREMIER_UID=${PREMIER_UID:-20000}

echec() {
  echo "ajouter-centre : $*" >&2
  exit 1
}

case ${1:-} in
  --help | -h)
    echo "Usage : ajouter-centre.sh NOM CLE.pub"
    exit 0
    ;;
esac
[ "$#" -eq 2 ] || {
  echo "Usage : ajouter-centre.sh NOM CLE.pub" >&2
  exit 2
}
nom=$1
cle=$2
[ "$(id -u)" -eq 0 ] || echec "à lancer en root (sudo)"
case $nom in
  [A-Za-z]*) ;;
  *) echec "« $nom » : le nom commence par une lettre" ;;
esac
case $nom in
  *[!A-Za-z0-9_-]*) echec "« $nom » : lettres sans accent, chiffres, - et _ seulement" ;;
esac
[ "${#nom}" -le 31 ] || echec "« $nom » : 31 caractères au plus"
compte=$(printf '%s' "$nom" | tr '[:upper:]' '[:lower:]')

# La clé d'abord : rien n'est créé pour une clé qui ne servirait pas.
[ -r "$cle" ] || echec "$cle : fichier introuvable ou illisible"
if grep -q 'PRIVATE KEY' "$cle"; then
  echec "$cle est une clé privée : donnez la clé publique (.pub), et gardez celle-ci sur la machine"
fi
cles=$(mktemp)
trap 'rm -f "$cles"' EXIT
while IFS= read -r ligne || [ -n "$ligne" ]; do
  ligne=$(printf '%s' "$ligne" | tr -d '\r')
  case $ligne in
    '' | '#'*) continue ;;
    ssh-ed25519\ * | ssh-rsa\ * | ecdsa-sha2-nistp*\ * | sk-ssh-ed25519@openssh.com\ *) ;;
    *) echec "$cle : une ligne n'est pas une clé publique OpenSSH (PuTTYgen : « Public key for pasting »)" ;;
  esac
  printf '%s\n' "$ligne" | ssh-keygen -l -f - >/dev/null 2>&1 || echec "$cle : clé abîmée"
  printf 'restrict %s\n' "$ligne" >>"$cles"
done <"$cle"
[ -s "$cles" ] || echec "$cle : aucune clé"

getent group "$GROUPE_DEPOTS" >/dev/null || groupadd --system "$GROUPE_DEPOTS"
getent group "$GROUPE_LECTURE" >/dev/null || groupadd --gid "$GID_LECTURE" "$GROUPE_LECTURE"

dossier=$DEPOTS/$nom
if getent passwd "$compte" >/dev/null; then
  id -nG "$compte" | tr ' ' '\n' | grep -qxF "$GROUPE_DEPOTS" ||
    echec "le compte $compte existe déjà et n'est pas celui d'un centre"
  [ "$(getent passwd "$compte" | cut -d: -f6)" = "$dossier" ] ||
    echec "le compte $compte est déjà celui de $(getent passwd "$compte" | cut -d: -f6)"
else
  # Un dossier d'avant (volume gardé, conteneur refait) garde son propriétaire.
  if [ -d "$dossier/depot" ]; then
    uid=$(stat -c %u "$dossier/depot")
    [ "$uid" -ge "$PREMIER_UID" ] || echec "$dossier/depot appartient à l'utilisateur $uid : ce n'est pas celui d'un centre"
    if getent passwd "$uid" >/dev/null; then
      echec "$dossier/depot appartient à un autre compte : $(getent passwd "$uid" | cut -d: -f1)"
    fi
  else
    uid=$PREMIER_UID
    while getent passwd "$uid" >/dev/null || [ -n "$(find "$DEPOTS" -mindepth 2 -maxdepth 2 -name depot -uid "$uid" 2>/dev/null)" ]; do
      uid=$((uid + 1))
    done
  fi
  # « * » : aucun mot de passe ne va, sans que sshd tienne le compte pour fermé.
  useradd --uid "$uid" --user-group --groups "$GROUPE_DEPOTS" --home-dir "$dossier" --no-create-home \
    --shell /usr/sbin/nologin --password '*' --comment "Dépôt du centre $nom" "$compte"
fi

# sshd n'enferme que dans un dossier qui est à root, tous ses parents aussi. 0751 : la machine entre sans lister.
install -d -o root -g root -m 0755 "$DEPOTS" "$MACHINES"
install -d -o root -g "$GROUPE_LECTURE" -m 0751 "$dossier"
# setgid : ce que la machine dépose est au groupe d'atelier, qui le lit ; elle-même n'en est pas.
install -d -o "$compte" -g "$GROUPE_LECTURE" -m 2750 "$dossier/depot"
install -o root -g root -m 0644 "$cles" "$MACHINES/.$compte.nouveau"
mv -f "$MACHINES/.$compte.nouveau" "$MACHINES/$compte"

echo "$nom : compte $compte, dépôt $dossier/depot, $(grep -c . "$cles") clé(s)"
