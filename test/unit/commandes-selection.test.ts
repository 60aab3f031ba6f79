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
  collecte.entete('K1', '100', null, ' PlanifiÃ©e\0 ');
  return collecte;
}

describe('assemblage', () => {
  test('une ligne complète : coffres distincts et triés, dernière date valide, statut réparé et rogné', () => {
    const collecte = one();
    for (const code of ['SOP 2', 'S D 1', 'SOP 2', 'MOT', null]) collecte.accessoire('k1 ', code);
    collecte.note('K1', '2025-02-01 08:00:00', 'cde planifiée');
    collecte.note('K1', '2025-01-01 08:00:00', 'cde planifiée');
    collecte.note('K1', '0000-00-00 00:00:00', 'cde planifiée');
    collecte.note('K1', '2025-09-01 08:00:00', 'autre');
    collecte.operation('K1', 'P-VR');
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
      collecte.accessoire('K1', 'SOP');
      collecte.note('K1', date, 'cde planifiee');
      expect(collecte.resultat()).toEqual([]);
      expect(collecte.rejets).toEqual([{ id: 'K1', motif: 'date_invalide' }]);
    },
  );

  test('F33 : une commande que la base refuserait est rejetée et nommée, les autres restent', () => {
    const collecte = one();
    const long = 'x'.repeat(3_000);
    collecte.entete('K2', long, null, 'planifiee');
    collecte.entete('K3', '3', long, 'planifiee');
    collecte.entete('K4', '4', null, `planifiee ${long}`);
    for (const id of ['K1', 'K2', 'K3', 'K4']) {
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
      for (const [id] of rows) collecte.entete(id, '7', 'A', `planifiee ${id}`);
      for (const [id] of rows) collecte.accessoire(id, 'SOP');
      for (const [id, , date] of rows) collecte.note(id, date, 'cde planifiee');
      for (const [id, stock] of rows) collecte.operation(id, stock ? 'VR' : 'X');
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
    expect(() => collecte.entete('k1', '101', null, 'vitrage')).toThrow(RangeError);
  });

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
