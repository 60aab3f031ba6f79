import { expect, test } from 'vitest';
import { loadConfig } from '../../src/base/config.ts';
import type { AtelierError } from '../../src/base/errors.ts';

function refusal(env: Record<string, string>): string {
  try {
    loadConfig(env);
  } catch (error) {
    expect((error as AtelierError).code).toBe('ATL_C101');
    return (error as AtelierError).message;
  }
  return '';
}

test.each([
  ['METRICS_JETON', 'court'],
  ['METRICS_JETON', 'avec un espace dedans'],
  ['METRICS_PORT', '65536'],
  ['JOURNAL_TAILLE', '20 Mo'],
  ['JOURNAL_FICHIERS', '0'],
  ['ARRET_PREAVIS', '61'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collecteur:4318'],
  ['OTEL_EXPORTER_OTLP_HEADERS', 'sans-egal'],
  ['OTEL_TRACES_SAMPLER_ARG', '2'],
])('O19: %s=%s is refused by name', (name, value) => {
  expect(refusal({ [name]: value })).toContain(`- ${name} :`);
});

test('a secret that is wrong is not repeated', () => {
  const env = { METRICS_JETON: 'secret plante', OTEL_EXPORTER_OTLP_HEADERS: 'secret-plante' };
  expect(refusal(env)).not.toMatch(/secret.plante/);
});

test('traces: address, headers, share; none without an address', () => {
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'https://traces.exemple.test:4318/',
    OTEL_EXPORTER_OTLP_HEADERS: 'x-a=1, authorization=Bearer%20b=c ,',
    OTEL_TRACES_SAMPLER_ARG: '0.25',
  };
  expect(loadConfig(env).observation.traces).toEqual({
    endpoint: 'https://traces.exemple.test:4318',
    headers: { 'x-a': '1', authorization: 'Bearer b=c' },
    service: 'atelier',
    part: 0.25,
  });
  expect(loadConfig({}).observation.traces).toBeUndefined();
});
