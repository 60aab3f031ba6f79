import { expect, test } from 'vitest';
import { loadConfig } from '../../src/base/config.ts';

test('the seed’s hours are the defaults', () => {
  const { horaires, ...rest } = loadConfig({}).planification;
  expect(Object.fromEntries(Object.entries(horaires).map(([nom, h]) => [nom, h?.texte]))).toEqual({
    ingest: '11:00',
    sync: '09:00,14:00',
    purge: '03:30',
    sauvegarde: undefined,
  });
  expect(horaires.ingest).toEqual({ texte: '11:00', crons: ['0 11 * * *'], fuseau: 'Europe/Paris' });
  expect(rest).toEqual({
    ...{ rattrapage: 'un', rattrapageMax: 86_400, essais: 5, pause: 30, pauseMax: 900 },
    ...{ delaiMax: 7_200, delaiArret: 25 },
  });
});

test('each can be switched off, and is in the factory’s zone', () => {
  const { horaires } = loadConfig({
    CRON_LOGS: 'non',
    CRON_SAUVEGARDE: '1:30',
    FUSEAU: 'America/Montreal',
  }).planification;
  expect(horaires.ingest).toBeUndefined();
  expect(horaires.sauvegarde).toEqual({ texte: '1:30', crons: ['30 1 * * *'], fuseau: 'America/Montreal' });
});

test('O19: whatever is wrong is told, all at once, by name', () => {
  const env = {
    CRON_LOGS: '25:00',
    CRON_COMMANDES: '* * *',
    CRON_PURGE: '0 0 30 2 *',
    RATTRAPAGE: 'peut-être',
    RATTRAPAGE_MAX: '0',
    TACHE_ESSAIS: '21',
    TACHE_PAUSE: '1.5',
    TACHE_DELAI_MAX: '1441',
    ARRET_DELAI: '',
  };
  let message = '';
  try {
    loadConfig(env);
  } catch (error) {
    message = (error as Error).message;
  }
  const named = Object.keys(env).filter((name) => new RegExp(`- ${name} : `).test(message));
  expect(named).toEqual(Object.keys(env).filter((name) => name !== 'ARRET_DELAI'));
});
