#!/bin/sh
# Conteneur du dépôt SFTP : clés du serveur, un compte par fichier NOM.pub de CLES_MACHINES, puis sshd au premier plan.
set -eu

HOTE=${HOTE:-/etc/ssh/atelier/hote}
CLES_MACHINES=${CLES_MACHINES:-/etc/atelier-sftp/machines}
MACHINES=${MACHINES:-/etc/ssh/atelier/machines}
GROUPE_DEPOTS=${GROUPE_DEPOTS:-atelier-depots}
CONFIG=${CONFIG:-/etc/ssh/atelier/sshd_config}

install -d -o root -g root -m 0700 "$HOTE"
install -d -o root -g root -m 0755 /run/sshd
for type in ed25519 rsa; do
  cle=$HOTE/ssh_host_${type}_key
  # Sous un autre nom d'abord : une clé à moitié écrite ne doit pas rester.
  if [ ! -s "$cle" ]; then
    rm -f "$cle.nouvelle" "$cle.nouvelle.pub"
    ssh-keygen -q -t "$type" -b 3072 -N '' -C atelier -f "$cle.nouvelle"
    mv -f "$cle.nouvelle.pub" "$cle.pub"
    mv -f "$cle.nouvelle" "$cle"
  fi
  echo "clé du serveur : $(ssh-keygen -l -f "$cle.pub")"
done

# Un conteneur relancé garde ses fichiers : une clé ôtée de CLES_MACHINES ne doit plus ouvrir.
rm -rf "$MACHINES"
centres=0
for cle in "$CLES_MACHINES"/*.pub; do
  [ -e "$cle" ] || continue
  nom=$(basename "$cle" .pub)
  # Une clé abîmée ne ferme pas la porte aux autres machines.
  if ajouter-centre "$nom" "$cle"; then
    centres=$((centres + 1))
  else
    echo "entrypoint : $nom n'a pas de dépôt (voir plus haut)" >&2
  fi
done
[ "$centres" -gt 0 ] || echo "entrypoint : aucune clé de machine dans $CLES_MACHINES (NOM.pub)" >&2
getent group "$GROUPE_DEPOTS" >/dev/null || groupadd --system "$GROUPE_DEPOTS"

/usr/sbin/sshd -t -f "$CONFIG"
# Une machine qui déborde ne remplit pas le disque des autres. Un quota mal écrit arrête ici, pas dans le dos de tous.
surveiller-depots --une-fois
(
  while :; do
    surveiller-depots || true
    sleep 5
  done
) &
exec /usr/sbin/sshd -D -e -f "$CONFIG"
