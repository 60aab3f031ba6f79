#!/bin/sh
# Le dépôt SFTP va-t-il bien ? sshd vit, n'est pas arrêté (SIGSTOP), et tient son port. Se lit dans /proc, sans connexion :
# une connexion sans session ferait à chaque fois des lignes de journal, et sshd (9.8 et plus) punit l'adresse qui en fait.
set -eu

PID_SSHD=${PID_SSHD:-/run/sshd-atelier.pid}
PORT=${PORT:-22}

echec() {
  echo "sante : $*" >&2
  exit 1
}

[ -s "$PID_SSHD" ] || echec "sshd n'a pas démarré ($PID_SSHD)"
pid=$(cat "$PID_SSHD")
# « 12 (sshd) S … » : l'état suit le nom. T : arrêté ; Z, X : mort.
etat=$(sed 's/^.*) //; s/ .*//' "/proc/$pid/stat" 2>/dev/null) || etat=X
case $etat in
  R | S | D | I) ;;
  *) echec "sshd ($pid) ne tourne pas" ;;
esac
# 0A : en écoute.
grep -qE "^ *[0-9]+: [0-9A-F]+:$(printf %04X "$PORT") [0-9A-F]+:0000 0A " /proc/net/tcp /proc/net/tcp6 ||
  echec "personne n'écoute sur le port $PORT"
