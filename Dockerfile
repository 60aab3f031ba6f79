# atelier : une image pour l’API, le worker, les migrations et le simulateur ; la commande choisit.
# La version de Node est celle du fichier package-lock.json, avec laquelle tout est essayé (un test le vérifie).
# Pour épingler aussi le contenu : docker buildx imagetools inspect node:26.10.0-trixie-slim, puis @sha256:… derrière.

# 1. Les dépendances, sans celles du développement ni les binaires facultatifs (PostgreSQL embarqué, 60 Mo), et sans
#    qu’aucun script d’un paquet s’exécute.
FROM node:26.10.0-trixie-slim AS dependances
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

# 2. Le programme : TypeScript tel quel, il n’y a rien à construire. Une commande `atelier` pour `docker compose exec`,
#    et les dossiers des volumes, seuls endroits où l’utilisateur 10001 peut écrire ; les journaux, il ne fait que les lire.
#    chmod : cloné sous umask 077, le programme ne serait lisible que de root.
FROM node:26.10.0-trixie-slim AS programme
WORKDIR /app
COPY package.json LICENSE schema.sql ./
COPY bin ./bin
COPY migrations ./migrations
COPY src ./src
RUN chmod --recursive u=rwX,go=rX . \
  && ln --symbolic atelier.mjs bin/atelier \
  && install --directory --owner=10001 --group=10001 --mode=0750 archives etat sauvegardes sync_logs \
  && install --directory --mode=0755 logs

# 3. L’image : les deux ensemble.
FROM node:26.10.0-trixie-slim
ARG VERSION=0.1.0
ARG REVISION=inconnue
LABEL org.opencontainers.image.title="atelier" \
  org.opencontainers.image.description="Les journaux des centres d’usinage en chiffres sûrs, dans PostgreSQL" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}" \
  org.opencontainers.image.base.name="docker.io/library/node:26.10.0-trixie-slim"
# HOME : l’utilisateur 10001 n’en a pas d’autre. MALLOC_ARENA_MAX : docs/decisions/0006-memoire.md.
ENV NODE_ENV=production \
  HOME=/tmp \
  MALLOC_ARENA_MAX=2 \
  PATH=/app/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  HOST=0.0.0.0 \
  LOGS_DIR=/app/logs \
  SYNC_LOGS_DIR=/app/sync_logs \
  ARCHIVES_DIR=/app/archives \
  ATELIER_DIR=/app/etat
WORKDIR /app
COPY --from=programme /app ./
COPY --from=dependances /app/node_modules ./node_modules
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# L’API ; le worker a le sien dans docker-compose.yaml.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["node", "/app/bin/atelier.mjs", "sante"]
ENTRYPOINT ["node", "--v8-pool-size=1", "--max-semi-space-size=4", "/app/bin/atelier.mjs"]
CMD ["serve"]
