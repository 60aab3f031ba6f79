// Prometheus and Grafana: configuration and rules by promtool (alerts are tried out on made-up series), every metric
// that a rule or a panel names exists in the program. The SQL of the panels is run in deploy-roles.test.ts.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { mesurerProcessus, registre } from '../../src/base/metrics.ts';
import { METRIQUES_ETAT } from '../../src/postgres/registre-etat.ts';
import { cibles, lireTableau } from '../harness/grafana.ts';

const DEPLOY = join(import.meta.dirname, '../../deploy');
const read = (path: string): string => readFileSync(join(DEPLOY, path), 'utf8');
const RULES = join(DEPLOY, 'prometheus/alertes.yml');

let work: string;
beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'atelier-mesures-'));
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

function promtool(args: readonly string[]): { code: number | null; text: string } {
  const done = spawnSync('promtool', args, { encoding: 'utf8' });
  return { code: done.status, text: done.stdout + done.stderr };
}

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly gravite: string };
  readonly annotations: { readonly resume: string; readonly conseil: string };
}
const alerts = (parse(read('prometheus/alertes.yml')) as { groups: { rules: Alert[] }[] }).groups.flatMap(
  (g) => g.rules,
);

/** Names that this program exports; a histogram has three. */
function exported(): Set<string> {
  mesurerProcessus();
  const own = registre.getMetricsAsArray().map((metric) => metric.name);
  return new Set(
    [...own, ...METRIQUES_ETAT].flatMap((name) => [name, `${name}_bucket`, `${name}_sum`, `${name}_count`]),
  );
}

function metricsOf(expr: string): string[] {
  return expr.match(/\b(atelier|http_server|nodejs|process)_[a-z0-9_]+/g) ?? [];
}

describe('Prometheus', () => {
  it('takes the configuration and the rules', () => {
    const jeton = join(work, 'jeton');
    writeFileSync(jeton, 'x');
    const config = join(work, 'prometheus.yml');
    const text = read('prometheus/prometheus.yml');
    expect(text).toContain('/etc/prometheus/alertes.yml');
    writeFileSync(
      config,
      text.replaceAll('/etc/prometheus/alertes.yml', RULES).replaceAll('/tmp/jeton', jeton),
    );
    expect(promtool(['check', 'config', config])).toMatchObject({
      code: 0,
      text: expect.stringContaining(`${alerts.length} rules found`),
    });
  });

  it('is told of metrics that exist, and says of each alert what to do (O18)', () => {
    const known = exported();
    for (const { alert, expr, annotations, labels } of alerts) {
      expect([alert, metricsOf(expr).filter((name) => !known.has(name))]).toEqual([alert, []]);
      expect(annotations.resume.length).toBeGreaterThan(5);
      expect(annotations.conseil.length).toBeGreaterThan(10);
      expect(labels.gravite).toMatch(/^(critique|avertissement)$/);
    }
  });

  const fine = [
    ['up{job="atelier-api",instance="api:8000"}', '1x400'],
    ['up{job="atelier-worker",instance="w:9464"}', '1x400'],
    ['atelier_database_up{instance="api:8000"}', '1x400'],
    ['atelier_alerts{rule="silence"}', '0x400'],
    ['atelier_pending_days{centre="DEM12"}', '0x400'],
    ['atelier_ingest_lag_seconds{centre="DEM12"}', '0.5x400'],
    ['atelier_job_last_success_timestamp_seconds{job="ingest"}', '0+300x400'],
    ['atelier_sync_last_success_timestamp_seconds{source="erp"}', '0+300x400'],
    ['http_server_request_duration_seconds_count{http_response_status_code="200"}', '0+600x400'],
    ['http_server_request_duration_seconds_count{http_response_status_code="503"}', '0+6x400'],
  ] as const;

  it.each<[string, Record<string, string>]>([
    ['', {}],
    ['AtelierInjoignable', { 'up{job="atelier-api",instance="api:8000"}': '1x100 0x300' }],
    ['AtelierSansWorker,AtelierInjoignable', { 'up{job="atelier-worker",instance="w:9464"}': '1x100 0x300' }],
    ['AtelierSansWorker', { 'up{job="atelier-worker",instance="w:9464"}': '_x400' }],
    ['AtelierSansBase', { 'atelier_database_up{instance="api:8000"}': '0x400' }],
    ['AtelierAlerteOuverte', { 'atelier_alerts{rule="silence"}': '1x400' }],
    ['AtelierJourneesEnAttente', { 'atelier_pending_days{centre="DEM12"}': '2x400' }],
    ['AtelierImportEnRetard', { 'atelier_ingest_lag_seconds{centre="DEM12"}': '120x400' }],
    ['AtelierImportArrete', { 'atelier_job_last_success_timestamp_seconds{job="ingest"}': '60x400' }],
    ['AtelierCommandesPerimees', { 'atelier_sync_last_success_timestamp_seconds{source="erp"}': '60x400' }],
    [
      'AtelierErreursApi',
      { 'http_server_request_duration_seconds_count{http_response_status_code="503"}': '0+60x400' },
    ],
  ])('fires %j, and no other alert', (firing, changes) => {
    const series = Object.entries({ ...Object.fromEntries(fine), ...changes }).map(([name, values]) => ({
      series: name,
      values,
    }));
    const names = firing.split(',').filter((name) => name !== '');
    for (const name of names) expect(alerts.map(({ alert }) => alert)).toContain(name);
    const test = join(work, 'essai.yml');
    const expr = 'count by (alertname) (ALERTS{alertstate="firing"})';
    const samples = names.map((name) => ({ labels: `{alertname="${name}"}`, value: 1 }));
    writeFileSync(
      test,
      JSON.stringify({
        rule_files: [RULES],
        evaluation_interval: '5m',
        tests: [
          {
            interval: '5m',
            input_series: series,
            promql_expr_test: [{ expr, eval_time: '1800m', exp_samples: samples }],
          },
        ],
      }),
    );
    expect(promtool(['test', 'rules', test])).toMatchObject({ code: 0 });
  });
});

describe('Grafana', () => {
  const panels = lireTableau().panels;

  it('shows metrics that exist, from sources that are provisioned', () => {
    const known = exported();
    const sources = parse(read('grafana/provisioning/datasources/atelier.yaml')) as {
      datasources: { uid: string; type: string; user?: string }[];
    };
    for (const { panneau, expr, rawSql, datasource } of cibles()) {
      const source = sources.datasources.find(({ uid }) => uid === datasource.uid);
      expect([panneau, source?.type]).toEqual([panneau, datasource.type]);
      expect([panneau, metricsOf(expr ?? '').filter((name) => !known.has(name))]).toEqual([panneau, []]);
      if (rawSql === undefined) expect([panneau, metricsOf(expr!)]).not.toEqual([panneau, []]);
    }
    expect(sources.datasources.find(({ uid }) => uid === 'atelier-postgres')!.user).toBe('atelier_lecture');
  });

  it('has the PromQL of its panels understood by Prometheus', () => {
    const rules = cibles().flatMap(({ expr }, index) =>
      expr ? [{ record: `essai:panneau_${index}`, expr }] : [],
    );
    const file = join(work, 'panneaux.yml');
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'panneaux', rules }] }));
    expect(promtool(['check', 'rules', file])).toMatchObject({ code: 0 });
  });

  it('lays panels side by side, each with a title and an explanation', () => {
    const cells = new Set<string>();
    for (const { gridPos, title, type, description } of panels) {
      if (type !== 'row') expect([title, (description ?? '').length]).not.toEqual([title, 0]);
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect([title, cells.has(`${x},${y}`)]).toEqual([title, false]);
          cells.add(`${x},${y}`);
        }
      }
    }
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });
});
