import { describe, expect, test } from 'vitest';
import { CollecteCommandes } from '../../src/domain/commandes/commande.ts';
import { parPointsDeCode } from '../../src/domain/commandes/ordre.ts';
import {
  estCoffre,
  estEnStock,
  estNoteDePlanification,
  estStatutRetenu,
} from '../../src/domain/commandes/selection.ts';

describe('règles', () => {
  test.each([
    ['cde Planifiée', true],
    ['CDE PLANIFIEE', true],
    ['accord, cde planifiée sem. 12', true],
    ['recde planifiéeee', true],
    ['cde PlanifiÃ©e', true],
    ['cde PlanifiÃƒÂ©e', true],
    ['é : cde PlanifiÃ©e', true],
    ['Ã§de planifiee', true],
    ['cde Planifie\u0301e', true],
    ['cde  Planifiée', false],
    ['cde\u00a0Planifiée', false],
    ['cde Planifi\0ée', false],
    ['cde Planifié', false],
    ['cde Planif%e', false],
    ['', false],
  ])('note %j : %s', (text, expected) => expect(estNoteDePlanification(text)).toBe(expected));

  test.each([
    ['Planifiée', true],
    ['A LANCER EN PRÔD', true],
    ['Attente vitrage', true],
    ['VITRAGÃ‰', true],
    ['Planifié', false],
    ['lancer  en prod', false],
    ['', false],
  ])('statut %j : %s', (text, expected) => expect(estStatutRetenu(text)).toBe(expected));

  test.each([
    ['SOP', true],
    ['sop 12', true],
    ['SÖP', true],
    ['S P ', true],
    ['S P 200', true],
    ['S D 1', true],
    ['S Q 1', true],
    ['S T 1', true],
    ['S TAB 1', true],
    ['S TN 1', true],
    ['S P', false],
    ['SP 200', false],
    [' SOP', false],
    ['S  P 2', false],
    ['S TAB', false],
    ['S TABLIER', false],
    ['S TNX', false],
    ['S Q\u00a01', false],
    ['', false],
  ])('coffre %j : %s', (text, expected) => expect(estCoffre(text)).toBe(expected));

  test.each([
    ['VR', true],
    ['x12vr3', true],
    ['V R', false],
    ['RV', false],
  ])('stock %j : %s', (text, expected) => expect(estEnStock(text)).toBe(expected));
});

function one(): CollecteCommandes {
  const collecte = new CollecteCommandes();
  collecte.entete('004B', 'K1', '100', null, ' PlanifiÃ©e\0 ');
  return collecte;
}

describe('assemblage', () => {
  test('une ligne complète : coffres distincts et triés, dernière date valide, statut réparé et rogné', () => {
    const collecte = one();
    for (const code of ['SOP 2', 'S D 1', 'SOP 2', 'MOT', null]) collecte.accessoire('004B', code);
    collecte.note('004B', '2025-02-01 08:00:00', 'cde planifiée');
    collecte.note('004B', '2025-01-01 08:00:00', 'cde planifiée');
    collecte.note('004B', '0000-00-00 00:00:00', 'cde planifiée');
    collecte.note('004B', '2025-09-01 08:00:00', 'autre');
    collecte.operation('004B', 'P-VR');
    expect(collecte.resultat()).toEqual([
      {
        numero_commande: '100',
        extension: '',
        status: 'Planifiée',
        date_modification: '2025-02-01',
        coffre: 'S D 1',
        coffres: ['S D 1', 'SOP 2'],
        gestion_en_stock: 1,
      },
    ]);
    expect(collecte.compteurs).toMatchObject({ entetes: 1, statuts_repares: 1, commandes: 1, rejetees: 0 });
  });

  test.each(['0000-00-00 00:00:00', '2025-02-30', '2025-00-10', null])(
    'date %j : rejetée et comptée',
    (date) => {
      const collecte = one();
      collecte.accessoire('004B', 'SOP');
      collecte.note('004B', date, 'cde planifiee');
      expect(collecte.resultat()).toEqual([]);
      expect(collecte.rejets).toEqual([{ id: 'K1', motif: 'date_invalide' }]);
    },
  );

  test('F33 : une commande que la base refuserait est rejetée et nommée, les autres restent', () => {
    const collecte = one();
    const long = 'x'.repeat(3_000);
    collecte.entete('K2', 'K2', long, null, 'planifiee');
    collecte.entete('K3', 'K3', '3', long, 'planifiee');
    collecte.entete('K4', 'K4', '4', null, `planifiee ${long}`);
    for (const id of ['004B', 'K2', 'K3', 'K4']) {
      collecte.accessoire(id, 'SOP');
      collecte.note(id, '2025-02-01 08:00:00', 'cde planifiee');
    }
    expect(collecte.resultat().map((commande) => commande.numero_commande)).toEqual(['100']);
    const motif = 'valeur_trop_longue';
    expect(collecte.rejets).toEqual(['K2', 'K3', 'K4'].map((id) => ({ id, motif })));
  });

  test('à numéro et extension égaux : stock, puis date, puis plus petit ID', () => {
    const winner = (rows: [id: string, stock: boolean, date: string][]): string => {
      const collecte = new CollecteCommandes();
      for (const [id] of rows) collecte.entete(`0${id}`, id, '7', 'A', `planifiee ${id}`);
      for (const [id] of rows) collecte.accessoire(`0${id}`, 'SOP');
      for (const [id, , date] of rows) collecte.note(`0${id}`, date, 'cde planifiee');
      for (const [id, stock] of rows) collecte.operation(`0${id}`, stock ? 'VR' : 'X');
      const [row, ...others] = collecte.resultat();
      expect(others).toEqual([]);
      expect(collecte.compteurs.doublons).toBe(rows.length - 1);
      return row!.status.slice('planifiee '.length);
    };
    expect(
      winner([
        ['B', true, '2025-01-01'],
        ['A', false, '2025-12-31'],
      ]),
    ).toBe('B');
    expect(
      winner([
        ['B', false, '2025-01-02'],
        ['A', false, '2025-01-01'],
      ]),
    ).toBe('B');
    expect(
      winner([
        ['B', true, '2025-01-01'],
        ['A', true, '2025-01-01'],
        ['C', true, '2025-01-01'],
      ]),
    ).toBe('A');
  });

  test('une clé donnée deux fois est une erreur', () => {
    const collecte = one();
    expect(() => collecte.entete('004B', 'k1', '101', null, 'vitrage')).toThrow(RangeError);
  });

  test('les clés ne sont pas comparées ici : ce que l’ERP ne dit pas égal ne l’est pas', () => {
    const collecte = one();
    for (const other of ['004b', '004B ', '4B', '', null]) collecte.accessoire(other, 'SOP');
    expect(collecte.compteurs.enfants_ignores).toBe(5);
    expect(collecte.resultat()).toEqual([]);
  });

  test.each([
    ['5001', '5001'],
    ['0000005001', '5001'],
    ['5001.00', '5001'],
    ['5001.', '5001'],
    ['-0', '0'],
    ['0.00', '0'],
    ['-0012.0', '-12'],
    ['000', '0'],
    ['9007199254740993', '9007199254740993'],
    ['A-0012', 'A-0012'],
    ['12.5.3', '12.5.3'],
  ])('le numéro %s est %s', (given, expected) => {
    const collecte = new CollecteCommandes();
    collecte.entete('1', 'K1', given, null, 'vitrage');
    collecte.accessoire('1', 'SOP');
    collecte.note('1', '2025-01-01', 'cde planifiee');
    expect(collecte.resultat()[0]!.numero_commande).toBe(expected);
  });

  test.each(['5001.50', '.5', '0005.010'])(
    'le numéro %s n’est pas entier : une erreur qui nomme la ligne',
    (given) => {
      const collecte = new CollecteCommandes();
      collecte.entete('1', 'K1', given, null, 'vitrage');
      expect(collecte.resultat()).toEqual([]);
      collecte.accessoire('1', 'SOP');
      collecte.note('1', '2025-01-01', 'cde planifiee');
      expect(() => collecte.resultat()).toThrow(`A_Kopf.AuNummer « ${given} » de la commande d’ID « K1 »`);
    },
  );

  test('ordre des points de code', () => {
    expect(['\ufffd', '😀', 'b', 'B', 'é', 'ab'].sort(parPointsDeCode)).toEqual([
      'B',
      'ab',
      'b',
      'é',
      '\ufffd',
      '😀',
    ]);
  });
});
