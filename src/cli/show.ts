import { parseArgs } from 'node:util';
import { AtelierError } from '../base/errors.ts';
import { FactoryTime } from '../base/time.ts';
import { divide, type PeriodeCalculee } from '../domain/session/session.ts';
import {
  findSession,
  loadSessionDetail,
  type PeriodeLue,
  type SessionDetail,
} from '../postgres/production/session-detail.ts';
import type { Cli } from './cli.ts';
import { UsageError } from './cli.ts';
import { openPool } from './open.ts';
import { isDateText } from './table.ts';
import { printable } from './text.ts';
import { timeline } from './timeline.ts';

export const summary = 'montre une journée : chiffres, frise, périodes, et d’où elles viennent';
export const usage = `Usage : npx atelier show SESSION [--tout] [--json]

SESSION est un identifiant (12) ou CENTRE/AAAA-MM-JJ (DEM12/2025-05-28).
Les périodes au-delà de 20 ne sont montrées qu’avec --tout.`;

const SHOWN = 20;

export async function run(args: string[], cli: Cli): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { tout: { type: 'boolean' }, json: { type: 'boolean' } },
  });
  const [key] = positionals;
  if (key === undefined || positionals.length > 1)
    throw new UsageError('attendu une SESSION (12 ou DEM12/2025-05-28)');
  const pool = await openPool(cli);
  const day = /\/(\d{4}-\d\d-\d\d)$/.exec(key)?.[1];
  // A date that no calendar has is a day without a session, not a query that fails.
  const possible = day === undefined || isDateText(day);
  const id = possible ? await findSession(pool, key) : undefined;
  if (id === undefined) throw new AtelierError('ATL_S601', `Aucune session « ${key} ».`);
  const detail = await loadSessionDetail(pool, id);
  if (values.json) cli.out(JSON.stringify(detail, null, 2));
  else print(cli, detail, values.tout ? Number.POSITIVE_INFINITY : SHOWN);
  return 0;
}

function print(
  cli: Cli,
  { session, attentes, arrets, profils, sources }: SessionDetail,
  shown: number,
): void {
  const time = new FactoryTime(cli.config.fuseau);
  const hour = (instant: number | null): string =>
    instant === null ? '—' : time.formatTime(Math.floor(instant));
  cli.out(
    `Session ${session.id} · ${printable(session.centre)} · ${session.date_production} · ${session.total_pieces} pièces`,
  );
  if (session.details_purges_le !== null) {
    const le = time.format(Math.floor(session.details_purges_le)).slice(0, 10);
    cli.out(
      `Journée gelée : ses pièces et périodes ont été effacées par la purge le ${le} ; ses chiffres ne changent plus.`,
    );
  }
  cli.out('');
  const figures: [string, string, string][] = [
    [
      'Fenêtre',
      session.duree_production_totale,
      `${hour(session.heure_premiere_piece)} → ${hour(session.heure_derniere_piece)}`,
    ],
    ['Effectif', session.temps_production_effectif, `${session.taux_occupation} %`],
    ['Attente', session.temps_attente, `${session.taux_attente} %`],
    ['Arrêt', session.temps_arret_volontaire, `${session.taux_arret_volontaire} %`],
  ];
  for (const [name, hours, note] of figures) cli.out(`  ${name.padEnd(10)} ${hours.padStart(8)} h   ${note}`);
  cli.out(
    `  Premier MachineStart ${hour(session.heure_premier_machine_start)}, dernier MachineStop ${hour(session.heure_dernier_machine_stop)}`,
  );
  const { heure_premiere_piece: first, heure_derniere_piece: last } = session;
  if (first !== null && last !== null && last > first) {
    const parts = divide(first, last, arrets.map(toPeriod), attentes.map(toPeriod));
    cli.out('');
    cli.out(`  ${timeline(parts, Math.max(20, Math.min(cli.columns, 140) - 4))}`);
    cli.out(`  ${hour(first)} … ${hour(last)}    █ production  ▒ attente  _ arrêt`);
  }
  section(cli, 'Arrêts', arrets, shown, (p) => `${span(hour, p)}  lignes ${p.ligne} à ${p.ligne_fin}`);
  section(cli, 'Attentes', attentes, shown, (p) => `${span(hour, p)}  ligne ${p.ligne}`);
  section(cli, 'Profilés', profils, shown, (p) => {
    const what = `${p.reference} · ${p.longueur} mm · ${p.couleur ?? 'sans couleur'}`;
    return `${hour(p.timestamp_debut)}  ${printable(what)} · ${p.pieces} pièces  ligne ${p.ligne}`;
  });
  section(cli, 'Vient de', sources, shown, (s) => {
    return `${s.chemins.map(printable).join(', ')}  (${s.lignes} lignes ; sha256 ${s.sha256.slice(0, 16)}…)`;
  });
}

function section<T>(
  cli: Cli,
  title: string,
  items: readonly T[],
  shown: number,
  text: (item: T) => string,
): void {
  if (items.length === 0) return;
  cli.out('');
  cli.out(`${title} (${items.length})`);
  for (const item of items.slice(0, shown)) cli.out(`  ${text(item)}`);
  if (items.length > shown) cli.out(`  … et ${items.length - shown} autres (--tout)`);
}

function span(
  hour: (instant: number) => string,
  { timestamp_debut, timestamp_fin, duree_secondes }: PeriodeLue,
): string {
  return `${hour(timestamp_debut)} → ${hour(timestamp_fin)}  ${String(Number(duree_secondes)).padStart(7)} s`;
}

function toPeriod({ timestamp_debut, duree_secondes }: PeriodeLue): PeriodeCalculee {
  const debut = Math.floor(timestamp_debut);
  return {
    debut,
    decalage: Math.round((timestamp_debut - debut) * 1e6),
    duree: Math.round(Number(duree_secondes) * 1e6),
    provenance: { version: 0, ligne: 0 },
    provenanceFin: undefined,
  };
}
