import { expect, it } from 'vitest';
import { proxysCrus } from '../../src/api/proxys.ts';
import { loadConfig } from '../../src/base/config.ts';
import { passerelles } from '../../src/base/passerelle.ts';

const HEAD = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n';

it('the default gateways of a routing table, once each, as a container has them', () => {
  const table = `${HEAD}eth1\t00000000\t010014AC\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth1\t000014AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
eth2\t00000000\t010014AC\t0003\t0\t0\t1\t00000000\t0\t0\t0
eth0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n`;
  expect(passerelles(table)).toEqual(['172.20.0.1']);
  // A closed network, another system.
  for (const none of ['', HEAD]) expect(passerelles(none)).toEqual([]);
});

it('PROXYS_DE_CONFIANCE takes the word beside addresses, and no other', () => {
  const of = (value: string) => proxysCrus(loadConfig({ PROXYS_DE_CONFIANCE: value }).api);
  expect(of('')).toBe(false);
  expect(of('10.0.0.2')).toEqual(['10.0.0.2']);
  expect(of('passerelle, 10.0.0.0/8')).toEqual([...passerelles(), '10.0.0.0/8']);
  expect(() => of('gateway')).toThrow(/PROXYS_DE_CONFIANCE.*passerelle/);
});
