import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/base/config.ts';
import { lireDuree } from '../../src/base/duree.ts';
import { AtelierError } from '../../src/base/errors.ts';

const SECRET = 'un-secret-tire-au-hasard-0123456789';

function refusal(env: Record<string, string>): string {
  try {
    loadConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(AtelierError);
    return (error as AtelierError).message;
  }
  return '';
}

test('without any setting: everything is watched, nobody is told', () => {
  const { alertes } = loadConfig({});
  expect(alertes).toEqual({
    silence: { defaut: 7200, parCentre: new Map() },
    horaires: { defaut: [{ jours: [1, 2, 3, 4, 5], debut: 28_800, fin: 61_200 }], parCentre: new Map() },
    feries: { france: true, annuels: new Set(), periodes: [] },
    rejets: { taux: 0.05, minimum: 20 },
    commandesAge: 93_600,
    horloge: 3_600,
    retard: 1800,
    disque: { part: 0.1, octets: 5e9 },
    rappel: 86_400,
    webhook: undefined,
    mail: undefined,
  });
});

test.each([
  ['90 s', 90],
  ['45min', 2700],
  ['2h', 7200],
  ['2 h 30', 9000],
  ['1,5h', 5400],
  ['3j', 259_200],
  ['2', undefined],
  ['-1h', undefined],
  ['2 heures', undefined],
  ['1e9h', undefined],
  ['2h75', undefined],
])('the duration %j is %j seconds', (text, seconds) => expect(lireDuree(text)).toBe(seconds));

describe('hours', () => {
  const horaires = (value: string) => loadConfig({ HORAIRES: value }).alertes.horaires;
  test('of the workshop and of centres, over midnight and over the weekend', () => {
    expect(
      horaires(
        'lun-ven 06:00-12:00,13:00-22:00; sam 06:00-12:00; DEM12: sam-lun 22:00-06:00; SU 12: jamais; A:B: tous 00:00-24:00',
      ),
    ).toEqual({
      defaut: [
        { jours: [1, 2, 3, 4, 5], debut: 21_600, fin: 43_200 },
        { jours: [1, 2, 3, 4, 5], debut: 46_800, fin: 79_200 },
        { jours: [6], debut: 21_600, fin: 43_200 },
      ],
      parCentre: new Map([
        ['DEM12', [{ jours: [1, 6, 7], debut: 79_200, fin: 108_000 }]],
        ['SU 12', []],
        ['A:B', [{ jours: [1, 2, 3, 4, 5, 6, 7], debut: 0, fin: 86_400 }]],
      ]),
    });
  });
  test.each([
    'lundi 06:00-22:00',
    'lun-ven',
    'lun 06:00',
    'lun 25:00-26:00',
    'lun 06:00-06:00',
    'lun 24:00-06:00',
    '06:00-22:00',
  ])('%j is refused by name', (value) =>
    expect(refusal({ HORAIRES: value })).toContain(`HORAIRES : « ${value} »`),
  );
  test('of centres alone leave those of the others as they were', () => {
    const { alertes } = loadConfig({ HORAIRES: 'SU12: jamais', ALERTE_SILENCE: 'SU12: 45min' });
    expect(alertes.horaires.defaut).toEqual(loadConfig({}).alertes.horaires.defaut);
    expect(alertes.silence.defaut).toBe(7200);
    expect(horaires('jamais').defaut).toEqual([]);
  });
  test.each(['2026-02-30', '13-01', '2026-08-21..2026-08-03', 'belgique'])(
    'the holiday %j is refused',
    (value) => expect(refusal({ FERIES: value })).toContain('FERIES :'),
  );
});

test('limits, of the workshop and of centres; « non » switches off', () => {
  expect(loadConfig({ ALERTE_SILENCE: '3h; DEM12: 45min; SU12: non' }).alertes.silence).toEqual({
    defaut: 10_800,
    parCentre: new Map<string, number | undefined>([
      ['DEM12', 2700],
      ['SU12', undefined],
    ]),
  });
  const non = Object.fromEntries(
    ['SILENCE', 'REJETS', 'COMMANDES_AGE', 'RETARD', 'DISQUE', 'RAPPEL'].map((name) => [
      `ALERTE_${name}`,
      'non',
    ]),
  );
  const { alertes } = loadConfig({ ...non, FERIES: 'non' });
  const { rejets, commandesAge, retard, disque, rappel, silence } = alertes;
  expect([rejets, commandesAge, retard, disque, rappel, silence.defaut]).toEqual(Array(6).fill(undefined));
  expect(loadConfig({ ALERTE_DISQUE: '2,5 Go' }).alertes.disque).toEqual({ part: undefined, octets: 2.5e9 });
  expect(loadConfig({ ALERTE_DISQUE: '7,5 %, 800 Mo' }).alertes.disque).toEqual({ part: 0.075, octets: 8e8 });
});

test('O19 every problem at once, by name', () => {
  const message = refusal({
    ...{
      ALERTE_SILENCE: '2',
      ALERTE_REJETS: '0%',
      ALERTE_REJETS_MINIMUM: '0',
      ALERTE_COMMANDES_AGE: '10 ans',
    },
    ...{
      ALERTE_RETARD: '1s',
      ALERTE_DISQUE: '10',
      ALERTE_RAPPEL: '1s',
      ALERTE_WEBHOOK_URL: 'ftp://x',
      SMTP_TLS: 'si',
    },
    ALERTE_MAIL_A: 'personne',
  });
  for (const name of [
    ...['SILENCE', 'REJETS', 'REJETS_MINIMUM', 'COMMANDES_AGE', 'RETARD', 'DISQUE', 'RAPPEL', 'WEBHOOK_URL'],
    ...['WEBHOOK_SECRET', 'MAIL_A', 'MAIL_DE'],
  ]) {
    expect(message).toContain(`- ALERTE_${name} :`);
  }
  expect(message).toContain('- SMTP_TLS :');
});

describe('S28, R24 webhook', () => {
  const webhook = (url: string, secret = SECRET): string =>
    refusal({ ALERTE_WEBHOOK_URL: url, ALERTE_WEBHOOK_SECRET: secret });
  test.each(['https://hooks.exemple.test/x', 'http://127.0.0.1:9', 'http://[::1]:9/'])('%s is taken', (url) =>
    expect(webhook(url)).toBe(''),
  );
  test.each([
    'http://hooks.exemple.test/jeton-plante',
    'http://8.8.8.8/jeton-plante',
    // Near, but not said to be private: test/unit/config-liens.test.ts says it.
    'http://n8n:5678/jeton-plante',
    'http://192.168.1.4/jeton-plante',
    'http://172.32.0.1/',
    'file:///jeton-plante',
    'jeton-plante',
  ])('%s is refused and not repeated', (url) => {
    expect(webhook(url)).toContain('- ALERTE_WEBHOOK_URL :');
    expect(webhook(url)).not.toContain('jeton-plante');
  });
  test('a short secret is refused and not repeated', () => {
    for (const secret of ['', 'court', 'a'.repeat(40), 'whsec_AAAA']) {
      const message = webhook('https://hooks.exemple.test', secret);
      expect(message).toContain('- ALERTE_WEBHOOK_SECRET :');
      if (secret) expect(message).not.toContain(secret);
    }
    const bytes = Buffer.from('0123456789abcdefghijklmnopqrstuv');
    const { alertes } = loadConfig({
      ALERTE_WEBHOOK_URL: 'https://hooks.exemple.test',
      ALERTE_WEBHOOK_SECRET: `whsec_${bytes.toString('base64')}`,
    });
    expect(alertes.webhook?.secret).toEqual(bytes);
  });
});

describe('S28, R24 mail', () => {
  const A = { ALERTE_MAIL_A: 'a@exemple.test, b@exemple.test', ALERTE_MAIL_DE: 'atelier@exemple.test' };
  test('an address, or its parts', () => {
    const common = { a: ['a@exemple.test', 'b@exemple.test'], de: 'atelier@exemple.test', tls: 'oui' };
    expect(loadConfig({ ...A, SMTP_URL: 'smtps://moi%40x:p%3Aq@smtp.exemple.test' }).alertes.mail).toEqual({
      ...common,
      ...{ host: 'smtp.exemple.test', port: 465, secure: true, user: 'moi@x', password: 'p:q' },
    });
    expect(loadConfig({ ...A, SMTP_HOST: 'smtp.exemple.test', SMTP_PASSWORD: 'x' }).alertes.mail).toEqual({
      ...common,
      ...{ host: 'smtp.exemple.test', port: 587, secure: false, user: undefined, password: 'x' },
    });
  });
  test('plain text leaves this machine and named networks never', () => {
    expect(refusal({ ...A, SMTP_TLS: 'non', SMTP_HOST: 'smtp.exemple.test' })).toContain('- SMTP_TLS :');
    expect(refusal({ ...A, SMTP_TLS: 'non', SMTP_HOST: 'localhost' })).toBe('');
  });
  test.each([
    'http://u:mot-plante@h',
    'smtp://u:mot-plante@h/x?tls=1',
    'smtp://u:mot-plante%@h',
    'mot-plante',
  ])('the server %s is refused and not repeated', (SMTP_URL) => {
    expect(refusal({ ...A, SMTP_URL })).toContain('- SMTP_URL :');
    expect(refusal({ ...A, SMTP_URL })).not.toContain('mot-plante');
  });
  test('recipients without a server are a mistake', () => {
    expect(refusal(A)).toContain('- SMTP_HOST :');
  });
});
