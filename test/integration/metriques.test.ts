// Section E of the anchors: the metrics, their names, and that they tell the truth. S30: nobody else reads them.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { lignesImportees } from '../../src/base/metrics.ts';
import { createApiPool } from '../../src/postgres/pool.ts';
import { type ApiDEssai, createApi } from '../harness/api.ts';
import { createWorkshop, type Workshop } from '../harness/ingest.ts';
import { ProxyDePanne } from '../harness/proxy.ts';

const JETON = 'jeton-de-prometheus-0123';
let workshop: Workshop;
let api: ApiDEssai;

beforeAll(async () => {
  workshop = await createWorkshop();
  api = await createApi({ url: workshop.url, env: { METRICS_JETON: JETON } });
});
afterAll(async () => {
  await api?.close();
  await workshop?.close();
});

/** Samples of `/metrics`, by name with labels. */
async function lire(of: ApiDEssai = api): Promise<Map<string, number>> {
  const answer = await of.app.inject({ url: '/metrics', headers: { authorization: `Bearer ${JETON}` } });
  expect(answer.statusCode, answer.body).toBe(200);
  expect(answer.headers['content-type']).toContain('text/plain; version=0.0.4');
  return samplesOf(answer.body);
}

function samplesOf(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  const described = new Set<string>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const help = /^# (HELP|TYPE) (\S+) ./.exec(line);
    if (help) {
      // A metric described twice is refused by Prometheus as a whole.
      expect(described, line).not.toContain(`${help[1]} ${help[2]}`);
      described.add(`${help[1]} ${help[2]}`);
      continue;
    }
    const sample = /^([a-z_][a-z0-9_]*(?:\{.*\})?) (\S+)$/i.exec(line);
    expect(sample, line).not.toBeNull();
    expect(samples, line).not.toContain(sample![1]);
    samples.set(sample![1]!, Number(sample![2]));
  }
  return samples;
}

/** Until the measures of five seconds ago are forgotten. */
const FRESH = { timeout: 30_000, interval: 500 };

describe('S30: /metrics', () => {
  it('is there for whoever has METRICS_JETON: no account, no key', async () => {
    for (const authorization of [undefined, 'Bearer faux', api.comptes.admin.entete.authorization]) {
      const answer = await api.app.inject({
        url: '/metrics',
        headers: authorization ? { authorization } : {},
      });
      expect([answer.statusCode, answer.headers['www-authenticate']]).toEqual([
        401,
        'Bearer realm="atelier"',
      ]);
      expect(answer.body).not.toContain('atelier_');
    }
    await lire();
  });

  it('is not there without one', async () => {
    const own = await createApi({ url: workshop.url, comptes: false, env: cles() });
    try {
      const answer = await own.app.inject({ url: '/metrics', headers: { authorization: 'Bearer ' } });
      expect(answer.statusCode).toBe(404);
    } finally {
      await own.close();
    }
  });

  it('shows no secret', async () => {
    const text = JSON.stringify([...(await lire()).keys()]);
    for (const secret of [JETON, api.deps.config.api.secretKey!, api.deps.config.api.cleChiffrement!])
      expect(text).not.toContain(secret);
  });
});

function cles(): Record<string, string> {
  const { secretKey, cleChiffrement } = api.deps.config.api;
  return { SECRET_KEY: secretKey!, CLE_CHIFFREMENT: cleChiffrement! };
}

describe('requests', () => {
  it('are counted by method, route as declared, and status; what strangers make up is one label', async () => {
    const { authorization } = api.comptes.lecteur.entete;
    await api.app.inject({ url: '/centres/987654321', headers: { authorization } });
    await api.app.inject({ url: '/centres/987654322', headers: { authorization } });
    for (let n = 0; n < 30; n++) await api.app.inject(`/nulle-part-${n}`);
    await api.app.inject({ method: 'PROPFIND' as 'GET', url: '/centres/' }).catch(() => undefined);
    const samples = await lire();
    const name = 'http_server_request_duration_seconds_count';
    expect(
      samples.get(
        `${name}{http_request_method="GET",http_route="/centres/:id",http_response_status_code="404"}`,
      ),
    ).toBe(2);
    expect(
      samples.get(`${name}{http_request_method="GET",http_route="inconnue",http_response_status_code="404"}`),
    ).toBeGreaterThanOrEqual(30);
    const keys = [...samples.keys()].join('\n');
    expect(keys).not.toMatch(/nulle-part|98765432|PROPFIND/);
    const bounds = [
      ...keys.matchAll(/_bucket\{le="([^"]+)",http_request_method="GET",http_route="\/centres\/:id"/g),
    ];
    expect(bounds.map(([, le]) => le)).toEqual([
      ...'0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1 2.5 5 7.5 10'.split(' '),
      '+Inf',
    ]);
  });

  it('refusals are counted by reason', async () => {
    const before = await lire();
    await api.app.inject('/centres/');
    await api.app.inject({ url: '/centres/', headers: { authorization: 'Bearer faux' } });
    await api.app.inject({ url: '/users/', headers: api.comptes.lecteur.entete });
    const after = await lire();
    const more = (reason: string): number => {
      const name = `atelier_auth_failures_total{reason="${reason}"}`;
      return (after.get(name) ?? 0) - (before.get(name) ?? 0);
    };
    expect([more('absent'), more('invalide'), more('interdit')]).toEqual([1, 1, 1]);
  });
});

describe('what the process and the installation are', () => {
  it('version, connections, event loop (O20)', async () => {
    const samples = await lire();
    expect(samples.get(`atelier_build_info{version="0.1.0",node="${process.version}"}`)).toBe(1);
    for (const state of ['active', 'idle', 'waiting'])
      expect(samples.get(`atelier_db_pool_clients{state="${state}"}`)).toBeGreaterThanOrEqual(0);
    expect(samples.get('nodejs_eventloop_utilization_ratio')).toBeLessThanOrEqual(1);
    expect(samples.has('nodejs_eventloop_lag_p99_seconds')).toBe(true);
    expect(samples.has('process_cpu_seconds_total')).toBe(true);
  });

  it('lines, quarantine, last line, last success: of whatever process imported', async () => {
    const centre = join(workshop.logs, 'DEM12');
    const day = [
      '20250528 06:00:00|@MachineStart',
      'sans separateur',
      '20250528 07:00:10|@StukUitgevoerd: A',
      '',
    ];
    const { mkdir } = await import('node:fs/promises');
    await mkdir(centre, { recursive: true });
    await writeFile(join(centre, '20250528.LOG'), day.join('\r\n'));
    const lines = async (): Promise<Record<string, number>> => {
      const { values } = await lignesImportees.get();
      const own = values.filter(({ labels }) => labels.centre === 'DEM12');
      return Object.fromEntries(own.map(({ labels, value }) => [labels.outcome, value]));
    };
    await workshop.import();
    expect(await lines()).toMatchObject({ evenement: 2, rejetee: 1 });
    await expect
      .poll(async () => (await lire()).get('atelier_quarantine_lines{centre="DEM12"}'), FRESH)
      .toBe(1);
    const samples = await lire();
    expect(samples.get('atelier_centre_last_line_timestamp_seconds{centre="DEM12"}')).toBe(
      Date.parse('2025-05-28T07:00:10+02:00') / 1000,
    );
    const success = samples.get('atelier_job_last_success_timestamp_seconds{job="ingest"}')!;
    expect(Math.abs(success - Date.now() / 1000)).toBeLessThan(600);
    expect(samples.get('atelier_pending_days{centre="DEM12"}')).toBe(0);
    expect(samples.get('atelier_sync_rows')).toBe(0);
    expect(samples.get('atelier_database_up')).toBe(1);
    // Never succeeded: there is no sample, not a zero that would be 1970.
    expect([...samples.keys()].filter((key) => key.startsWith('atelier_sync_last_success'))).toEqual([]);
    expect(samples.get('atelier_ingest_bytes_total')).toBeGreaterThan(0);
    expect(samples.get('atelier_ingest_lag_seconds{centre="DEM12"}')).toBeGreaterThan(0);

    // A file that grows: what is new is counted, not all of it again.
    await writeFile(
      join(centre, '20250528.LOG'),
      [...day.slice(0, 3), '20250528 07:01:00|@MachineStop', ''].join('\r\n'),
    );
    await workshop.import();
    expect(await lines()).toMatchObject({ evenement: 3, rejetee: 1 });
  });

  it('F25: a machine that dates its lines in the future does not hide that it is silent', async () => {
    await writeFile(join(workshop.logs, 'DEM12/20990101.LOG'), '20990101 06:00:00|@MachineStart\r\n');
    await workshop.import();
    await expect
      .poll(
        async () => (await lire()).get('atelier_centre_last_line_timestamp_seconds{centre="DEM12"}'),
        FRESH,
      )
      .toBe(Date.parse('2025-05-28T07:01:00+02:00') / 1000);
  });

  it('O10: with the database away, what the process counts is still told, and that it is away', async () => {
    const target = new URL(workshop.url);
    const proxy = await ProxyDePanne.devant(Number(target.port || 5432), target.hostname || '127.0.0.1');
    const url = new URL(workshop.url);
    [url.hostname, url.port] = ['127.0.0.1', String(proxy.port)];
    const pool = createApiPool(url.href, { logger: silentLogger(), max: 2, fuseau: 'Europe/Paris' });
    const env = { ...cles(), METRICS_JETON: JETON };
    const changer = (deps: ApiDEssai['deps']): ApiDEssai['deps'] => ({
      ...deps,
      pool,
      accesPool: pool,
      readPool: pool,
    });
    const own = await createApi({ url: workshop.url, comptes: false, env, changer });
    try {
      expect((await lire(own)).get('atelier_database_up')).toBe(1);
      proxy.remettreAZero({ trouNoirApres: 0 });
      await expect.poll(async () => (await lire(own)).get('atelier_database_up'), FRESH).toBe(0);
      const away = await lire(own);
      expect([...away.keys()].filter((key) => key.startsWith('atelier_sync_rows'))).toEqual([]);
      expect(away.get(`atelier_build_info{version="0.1.0",node="${process.version}"}`)).toBe(1);
      proxy.remettreAZero();
      proxy.toutCouper();
      await expect.poll(async () => (await lire(own)).get('atelier_database_up'), FRESH).toBe(1);
    } finally {
      await own.close();
      await pool.end();
      await proxy.fermer();
    }
  });
});
