import type { FastifyInstance } from 'fastify';
import { parseEncoding } from '../../domain/journal/encoding.ts';
import { noter } from '../../postgres/audit.ts';
import { type LigneDOrigine, lireOrigine, type TableDeDetail } from '../../postgres/lecture/origine.ts';
import { lire, type Ressource } from '../acces.ts';
import { ligneAudit } from '../auth/trace.ts';
import type { ApiDeps } from '../deps.ts';
import { envoyerJson } from '../etag.ts';
import { type LigneLue, lireLignes } from '../lignes-archivees.ts';
import { introuvable } from '../problemes.ts';
import { archiveMuette, archivePurgee, lieuDe } from '../provenance.ts';
import { erreurs, json, parametresId } from '../schemas/commun.ts';
import { origineDeLigne } from '../schemas/explication.ts';

const RESSOURCES: readonly (readonly [nom: Ressource, table: TableDeDetail, libelle: string])[] = [
  ['pieces-production', 'piece_production', 'Une pièce'],
  ['job-profils', 'job_profil', 'Un profilé'],
  ['periodes-attente', 'periode_attente', 'Une attente'],
  ['periodes-arret', 'periode_arret', 'Un arrêt'],
];

/** `GET /noun/{id}/origine`: the lines of logs that a row comes from, as they stand in the archive. */
export function routesOrigine(app: FastifyInstance, deps: ApiDeps): void {
  for (const [nom, table, libelle] of RESSOURCES) {
    app.get(
      `/${nom}/:id/origine`,
      {
        config: { acces: lire(nom) },
        schema: {
          tags: [nom],
          operationId: `lire_origine_${table}`,
          summary: `D’où vient : ${libelle} (fichier, ligne et texte du journal)`,
          description:
            'Le texte est lu dans l’archive, à l’octet près, puis masqué (MASQUES) pour tout le monde ; /fichiers/{id}/octets, réservé aux admins, donne les octets mêmes. Une ligne saisie à la main ne vient d’aucun journal : origine vaut manuel, lignes est vide.',
          params: parametresId,
          response: {
            200: json(libelle, origineDeLigne),
            ...erreurs(304, 400, 401, 403, 404, 410, 422, 503),
          },
        },
      },
      async (request, reply) => {
        const { id } = request.params as { id: number };
        const found = await chercher(deps, table, id);
        if (!found) throw introuvable(libelle);
        const { origine, lignes } = found;
        // Text of a machine's log, in which names of operators may stand.
        if (lignes.length > 0) {
          await noter(deps.pool, ligneAudit(request, 'lignes_lues', { cible: `${nom}/${id}` }));
        }
        const note = lignes.length > 0 ? null : 'Saisie à la main : elle ne vient d’aucune ligne de journal.';
        return envoyerJson(request, reply, JSON.stringify({ ressource: nom, id, origine, note, lignes }));
      },
    );
  }
}

type Trouvee = Omit<LigneDOrigine, 'centreId' | 'fichiers' | 'purgeeLe'> &
  ReturnType<typeof lieuDe> &
  LigneLue;

/**
 * Looks a row up, then its lines. A file that grows in between takes its archive along under another name: then once
 * more, from the start.
 */
async function chercher(
  deps: ApiDeps,
  table: TableDeDetail,
  id: number,
): Promise<{ origine: 'log' | 'manuel'; lignes: Trouvee[] } | undefined> {
  for (let last = false; ; last = true) {
    const row = await lireOrigine(deps.pool, table, id);
    if (!row) return undefined;
    try {
      return { origine: row.origine, lignes: await lireToutes(deps, row.lignes) };
    } catch (error) {
      if (last) throw error;
    }
  }
}

async function lireToutes(deps: ApiDeps, lignes: readonly LigneDOrigine[]): Promise<Trouvee[]> {
  const texts = new Map<string, Map<number, LigneLue>>();
  const found: Trouvee[] = [];
  for (const { role, ligne, sha256, encodage, centreId, fichiers, purgeeLe } of lignes) {
    const lieu = lieuDe(fichiers);
    if (purgeeLe !== null) throw archivePurgee(sha256, lieu.chemin, purgeeLe, ligne);
    let read = texts.get(sha256);
    if (!read) {
      const wanted = new Set(lignes.filter((other) => other.sha256 === sha256).map((other) => other.ligne));
      try {
        read = await lireLignes(
          deps.archive.read(centreId, sha256),
          parseEncoding(encodage),
          wanted,
          deps.config.masques,
        );
      } catch (error) {
        throw archiveMuette(sha256, lieu.chemin, error);
      }
      texts.set(sha256, read);
    }
    const text = read.get(ligne);
    if (!text) throw archiveMuette(sha256, lieu.chemin, new Error(`ligne ${ligne} absente de l’archive`));
    found.push({ role, ...lieu, sha256, ligne, ...text, encodage });
  }
  return found;
}
