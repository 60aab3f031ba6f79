#!/bin/sh
# Quota des dépôts SFTP : un dépôt trop plein se ferme, celui des autres machines reste ouvert. Rien n'est effacé.
#
#   surveiller-depots.sh               regarde toutes les CADENCE secondes, jusqu'à ce qu'on l'arrête
#   surveiller-depots.sh --une-fois    regarde une fois
#
# Fermé : /srv/atelier/NOM passe de 0751 à 0750 (la machine n'entre plus, atelier lit toujours) et les connexions de la
# machine sont coupées. Il se rouvre de lui-même une fois redescendu sous 90 % des deux limites.
# Se règle par QUOTA_OCTETS (place sur le disque d'un dépôt), QUOTA_FICHIERS, CADENCE, DEPOTS, PREMIER_UID.
set -eu

DEPOTS=${DEPOTS:-/srv/atelier}
QUOTA_OCTETS=${QUOTA_OCTETS:-2147483648}
QUOTA_FICHIERS=${QUOTA_FICHIERS:-20000}
CADENCE=${CADENCE:-10}
PREMIER_UID=${PREMIER_UID:-20000}

case ${1:-} in
  -h | --help)
    sed -n '2,/^set -eu/{/^#/s/^# \{0,1\}//p;}' "$0"
    exit 0
    ;;
esac
for nombre in "$QUOTA_OCTETS" "$QUOTA_FICHIERS" "$CADENCE"; do
  case $nombre in
    '' | 0* | *[!0-9]*)
      echo "surveiller-depots : QUOTA_OCTETS, QUOTA_FICHIERS et CADENCE sont des nombres entiers, reçu « $nombre »" >&2
      exit 2
      ;;
  esac
done

# « Octets fichiers » d'un dépôt : la place qu'il prend sur le disque, dossiers compris. Un fichier ôté pendant qu'on compte
# n'est pas une erreur.
mesurer() {
  { find "$1" -xdev -printf '%b\n' 2>/dev/null || true; } |
    awk '{ blocs += $1; fichiers++ } END { printf "%.0f %d\n", blocs * 512, fichiers }'
}

regarder() {
  for depot in "$DEPOTS"/*/depot; do
    [ -d "$depot" ] || continue
    uid=$(stat -c %u "$depot") || continue
    # Seulement ce qu'ajouter-centre a ouvert.
    [ "$uid" -ge "$PREMIER_UID" ] || continue
    dossier=${depot%/depot}
    nom=${dossier##*/}
    mode=$(stat -c %a "$dossier") || continue
    mesure=$(mesurer "$depot")
    octets=${mesure% *}
    fichiers=${mesure#* }
    if [ "$octets" -gt "$QUOTA_OCTETS" ] || [ "$fichiers" -gt "$QUOTA_FICHIERS" ]; then
      if [ "$mode" != 750 ]; then
        chmod 0750 "$dossier"
        echo "surveiller-depots : $nom FERMÉ : $octets octets, $fichiers fichiers (limites : $QUOTA_OCTETS, $QUOTA_FICHIERS)" >&2
      fi
      # Un fichier déjà ouvert grandirait encore ; une connexion d'avant aussi.
      pkill -KILL -U "$uid" || true
    elif [ "$mode" = 750 ] && [ "$octets" -lt $((QUOTA_OCTETS * 9 / 10)) ] &&
      [ "$fichiers" -lt $((QUOTA_FICHIERS * 9 / 10)) ]; then
      chmod 0751 "$dossier"
      echo "surveiller-depots : $nom rouvert : $octets octets, $fichiers fichiers" >&2
    fi
  done
}

case ${1:-} in
  --une-fois) regarder ;;
  '')
    while :; do
      regarder
      sleep "$CADENCE"
    done
    ;;
  *)
    echo "Usage : surveiller-depots.sh [--une-fois]" >&2
    exit 2
    ;;
esac
