// O18: each failure of the anchors has its metric and its remedy in the documents, and neither is invented.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { registreDisques } from '../../src/base/disques.ts';
import { mesurerProcessus, registre } from '../../src/base/metrics.ts';
import { METRIQUES_ETAT } from '../../src/postgres/registre-etat.ts';

const ROOT = join(import.meta.dirname, '../..');
const DOCS = join(ROOT, 'docs');
const read = (name: string): string => readFileSync(join(DOCS, name), 'utf8');
const page = read('observabilite.md');

mesurerProcessus();
const text = `${await registre.metrics()}\n${await registreDisques({}).metrics()}`;
const known = new Set([...METRIQUES_ETAT, ...[...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!)]);
/** Prometheus' own. */
known.add('up');

/** Names of metrics in a text, without what Prometheus adds to those of histograms. */
function metricsIn(source: string): string[] {
  const found =
    source.match(/\b(?:atelier_[a-z0-9_]+|http_server_[a-z_]+|nodejs_[a-z0-9_]+|process_[a-z_]+)\b/g) ?? [];
  return [
    ...new Set(found.map((name) => (known.has(name) ? name : name.replace(/_(bucket|count|sum)$/, '')))),
  ];
}

/** `## Deux mots` as a link calls it. */
function anchors(markdown: string): Set<string> {
  const titles = [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, title]) => title!);
  return new Set(
    titles.map((title) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** Where every metric of a file must exist; names of roles and the like are not metrics. */
function sources(): string[] {
  const files = ['docs/observabilite.md', 'docs/alertes.md'];
  for (const folder of ['deploy/prometheus', 'deploy/grafana/dashboards']) {
    if (!existsSync(join(ROOT, folder))) continue;
    files.push(...readdirSync(join(ROOT, folder)).map((name) => `${folder}/${name}`));
  }
  return files.filter((file) => existsSync(join(ROOT, file)) && /\.(md|yml|yaml|json)$/.test(file));
}

it.each(sources())('%s names metrics that exist', (file) => {
  const names = metricsIn(readFileSync(join(ROOT, file), 'utf8')).filter(
    (name) => !['atelier_lecture', 'atelier_api', 'atelier_service'].includes(name),
  );
  expect(names.filter((name) => !known.has(name))).toEqual([]);
});

it('every metric of ours is explained', () => {
  const ours = [...known].filter((name) => /^(atelier|http)_/.test(name));
  expect(ours.length).toBeGreaterThan(20);
  const explained = [...page.matchAll(/^\| `([a-z_]+)[{`]/gm)].map(([, name]) => name);
  expect(ours.filter((name) => !explained.includes(name))).toEqual([]);
});

it('has the names of the anchors', () => {
  const wanted = `ingest_lines_total ingest_bytes_total ingest_lag_seconds quarantine_lines centre_last_line_timestamp_seconds
    sync_last_success_timestamp_seconds sync_rows sync_refused_total job_duration_seconds job_last_success_timestamp_seconds
    auth_failures_total purge_rows_total db_pool_clients build_info`;
  for (const name of wanted.split(/\s+/)) expect(known).toContain(`atelier_${name}`);
});

describe('from a failure to its remedy', () => {
  const section = page.slice(page.indexOf('## De la défaillance au remède'));
  const rows = [...section.matchAll(/^\| ([^|]+) \| ([FO\d ]+) \| ([^|]+) \| ([^|]+) \|$/gm)].map(
    ([, what, numbers, metrics, remedy]) => ({
      what: what!.trim(),
      numbers: numbers!.trim().split(' '),
      metrics: [...metrics!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!),
      link: /\]\(([^)]+)\)/.exec(remedy!)?.[1] ?? '',
    }),
  );

  it('every failure is there once, or is said to need nobody', () => {
    const normal = /n’est pas une défaillance[\s\S]*?\n\n/.exec(section)![0].match(/\b[FO]\d+\b/g) ?? [];
    const all = [...rows.flatMap(({ numbers }) => numbers), ...normal];
    expect(all.length).toBe(new Set(all).size);
    const wanted = [
      ...Array.from({ length: 52 }, (_, i) => `F${i + 1}`),
      ...Array.from({ length: 22 }, (_, i) => `O${i + 1}`),
    ];
    expect(wanted.filter((number) => !all.includes(number))).toEqual([]);
  });

  it.each(rows)('$what: its metric exists, its remedy is written', ({ metrics, link }) => {
    expect(metrics.length).toBeGreaterThan(0);
    for (const name of metrics) expect(known).toContain(name);
    const [file, anchor = ''] = link.split('#');
    const markdown = file === '' ? page : read(file!);
    expect(anchors(markdown)).toContain(anchor);
  });
});
