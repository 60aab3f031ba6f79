// OpenTelemetry: spans reach a real collector over HTTP, hang together, and their ids are in the log (O17).

import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { MOT_DE_PASSE } from '../harness/api.ts';
import { DAY, type Env } from '../harness/cli.ts';
import { type Collecteur, collecter, type SpanRecu } from '../harness/otlp.ts';
import { creerCompteHttp, installerApi, servir } from '../harness/serve.ts';

let installation: Awaited<ReturnType<typeof installerApi>>;
let collecteur: Collecteur;
let env: Env;
beforeAll(async () => {
  [installation, collecteur] = await Promise.all([installerApi(), collecter()]);
  env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `${collecteur.url}/`,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-jeton=secret%20plant%C3%A9',
    OTEL_SERVICE_NAME: 'atelier-essai',
  };
});
afterAll(async () => {
  await installation?.close();
  await collecteur?.close();
});
beforeEach(() => void collecteur.spans.splice(0));

const named = (name: string): SpanRecu[] => collecteur.spans.filter((span) => span.name === name);

/** The spans above one, from itself to the root. */
function above(span: SpanRecu): string[] {
  const parent = collecteur.spans.find(({ spanId }) => spanId === span.parentSpanId);
  return [span.name, ...(parent ? above(parent) : [])];
}

describe('jobs', () => {
  it('an import is one trace: files, registration, recomputation, statements; its log names it', async () => {
    await installation.write('DEM12/20250528.LOG', DAY);
    const { code } = await installation.run(['ingest'], { env });
    expect(code).toBe(0);
    const [task] = named('tâche ingest');
    expect(task?.ressource).toMatchObject({ 'service.name': 'atelier-essai', 'service.version': '0.1.0' });
    const [file] = named('fichier');
    expect(file?.attributs).toMatchObject({ 'atelier.centre': 'DEM12', 'file.path': 'DEM12/20250528.LOG' });
    for (const name of ['fichier', 'enregistrement', 'recalcul'])
      expect(above(named(name)[0]!), name).toEqual([name, 'tâche ingest']);
    expect(new Set(collecteur.spans.map(({ traceId }) => traceId)).size).toBe(1);
    const statements = collecteur.spans.filter(
      ({ attributs }) => attributs['db.system.name'] === 'postgresql',
    );
    expect(statements.some((span) => above(span).includes('recalcul'))).toBe(true);
    expect(statements.every(({ kind }) => kind === 3)).toBe(true);
    expect(statements.some(({ name }) => name === 'COPY')).toBe(true);

    const log = await installation.log();
    const end = log.find(({ msg }) => msg === 'import terminé');
    expect(end).toMatchObject({ tache: 'ingest', trace: task!.traceId, execution: expect.any(Number) });
    expect(log.find(({ msg }) => msg === 'fichier lu')).toMatchObject({ trace: task!.traceId });
  });

  it('a failure is a span with its reason', async () => {
    await installation.write('SU12/20250528.LOG', DAY);
    const { code } = await installation.run(['ingest', '--centre', 'ABSENT'], { env });
    expect(code).toBe(1);
    expect(named('tâche ingest')[0]!.status).toMatchObject({
      code: 2,
      message: expect.stringContaining('ABSENT'),
    });
  });

  it('a collector that is away costs nothing but its traces, and is told once', async () => {
    await installation.write('DEMALU/20250528.LOG', DAY);
    const away = { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' };
    const { code, stderr } = await installation.run(['ingest'], { env: away });
    expect(code).toBe(0);
    expect(stderr.match(/traces perdues/g)).toHaveLength(1);
  });

  it('without a collector set nothing of OpenTelemetry is loaded', async () => {
    const { code, stderr } = await installation.run(['ingest'], { env: { NODE_DEBUG: 'esm' } });
    expect(code).toBe(0);
    expect(stderr).not.toMatch(/node_modules\/@opentelemetry\/(sdk|exporter|otlp)/);
    expect(stderr).toMatch(/node_modules\/prom-client/);
    expect((await installation.log()).at(-1)).not.toHaveProperty('trace');
  });
});

describe('the API', () => {
  it('continues the trace of whoever calls, down to the statements; nothing that a client wrote is in it', async () => {
    const server = await servir(installation, env);
    try {
      expect((await creerCompteHttp(server.url, 'chef')).status).toBe(201);
      const { authorization } = await server.entete('chef');
      const traceId = '0af7651916cd43dd8448eb211c80319c';
      const ask = async (path: string, traceparent: string): Promise<string | null> => {
        const answer = await fetch(`${server.url}${path}`, { headers: { authorization, traceparent } });
        await answer.text();
        return answer.headers.get('x-request-id');
      };
      const id = await ask('/centres/?nom=CANARI-REQUETE', `00-${traceId}-b7ad6b7169203331-01`);
      await ask('/centres/?limit=1', '00-00000000000000000000000000000000-b7ad6b7169203331-01');
      await ask('/centres/?limit=2', `00-${'c'.repeat(32)}-b7ad6b7169203331-00`);
      await ask('/CANARI-CHEMIN', 'n’importe quoi'.replace('’', ''));
      const posted = await fetch(`${server.url}/token`, {
        method: 'POST',
        body: new URLSearchParams({ username: 'CANARI-NOM', password: 'CANARI-MOT' }),
      });
      expect(posted.status).toBe(401);
      await vi.waitUntil(() => named('POST /token').length === 2, { timeout: 20_000 });

      const [request] = named('GET /centres/').filter((span) => span.traceId === traceId);
      expect(request).toMatchObject({ parentSpanId: 'b7ad6b7169203331', kind: 2 });
      expect(request!.attributs).toMatchObject({
        'http.request.method': 'GET',
        'http.route': '/centres/',
        'atelier.requete': id,
      });
      expect(Number(request!.attributs['http.response.status_code'])).toBe(422);
      // Zeros are no trace: a new one begins. What the caller does not keep is not kept here.
      const others = named('GET /centres/').filter((span) => span.traceId !== traceId);
      expect(others.map(({ traceId: own }) => own)).not.toContain('c'.repeat(32));
      expect(others).toHaveLength(1);
      expect(others[0]).not.toHaveProperty('parentSpanId', 'b7ad6b7169203331');
      const below = collecteur.spans.filter((span) => span.parentSpanId === others[0]!.spanId);
      expect(below.some(({ name }) => name === 'SELECT')).toBe(true);
      // A body comes from its socket; what is done with it belongs to the request all the same.
      const inserts = collecteur.spans.filter(
        (span) => span.name === 'INSERT' && above(span).includes('POST /token'),
      );
      expect(inserts.length).toBeGreaterThan(0);
      expect(named('GET')).toHaveLength(1);

      expect(collecteur.texte()).not.toMatch(/CANARI/);
      for (const secret of [MOT_DE_PASSE, authorization, ...Object.values(installation.apiEnv).slice(0, 2)])
        expect(collecteur.texte()).not.toContain(secret);
      expect(collecteur.entetes()).toMatchObject({ 'x-jeton': expect.stringContaining('secret plant') });
    } finally {
      const { stdout, code } = await server.arreter();
      expect(code).toBe(0);
      const lines = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      const asked = lines.find(({ route, statut }) => route === '/centres/' && statut === 422);
      expect(asked).toMatchObject({ trace: '0af7651916cd43dd8448eb211c80319c', requete: expect.any(String) });
    }
  });
});
