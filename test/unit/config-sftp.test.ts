import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/base/config.ts';

const read = (own: Record<string, string>): ReturnType<typeof loadConfig>['sftp'] =>
  loadConfig({ SFTP_CLE: '/k', ...own }).sftp;
const refused = (own: Record<string, string>): string => {
  try {
    read(own);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('accepté');
};

describe('SFTP_CENTRES', () => {
  it('empty: no remote centre, nothing else is needed', () => {
    expect(loadConfig({}).sftp.centres).toEqual([]);
    expect(loadConfig({}).sftp.hotesConnus).toBe(join(homedir(), '.ssh', 'known_hosts'));
  });

  it('several centres, ports, IPv6, escapes, paths from the root and from the account', () => {
    const { centres } = read({
      SFTP_CENTRES:
        'DEM12=sftp://dem12@srv:2222/depot/; DEMALU (ALU)=sftp://u%40d@[fd00::1]/a%20b ;SU12=sftp://su12@Srv.Example/~/logs;' +
        'A=sftp://a@h;B=sftp://b@h/;C=sftp://c@h/~',
      SFTP_CLE: '/cles/{centre}.key',
    });
    expect(
      centres.map(({ dossier, host, port, user, chemin }) => [dossier, host, port, user, chemin]),
    ).toEqual([
      ['DEM12', 'srv', 2222, 'dem12', '/depot'],
      ['DEMALU (ALU)', 'fd00::1', 22, 'u@d', '/a b'],
      ['SU12', 'srv.example', 22, 'su12', 'logs'],
      ['A', 'h', 22, 'a', '.'],
      ['B', 'h', 22, 'b', '/'],
      ['C', 'h', 22, 'c', '.'],
    ]);
    expect(centres[0]!.cle).toBe(resolve('/cles/DEM12.key'));
  });

  it('S28: a password in the address is refused, and never repeated', () => {
    const message = refused({ SFTP_CENTRES: 'DEM12=sftp://u:motsecret@h/' });
    expect(message).toContain('SFTP_MOT_DE_PASSE');
    expect(message).not.toContain('motsecret');
    for (const entry of ['sftp://u:motsecret@h', 'DEM12=ftp://u:motsecret@h', 'u:motsecret@h=DEM12']) {
      expect(refused({ SFTP_CENTRES: entry })).not.toContain('motsecret');
    }
  });

  it('O19: whatever is wrong is said, all at once', () => {
    const message = refused({
      SFTP_CENTRES:
        'DEM12=sftp://h/x;A=sftp://u@h:0/;B=sftp://u@h/x?y;C=sftp://u@h/%;../D=sftp://u@h/;E=sftp://u@h;E=sftp://u@h',
      SFTP_DELAI: '0',
      SFTP_INTERVALLE: 'souvent',
    });
    for (const part of [
      '« DEM12 »',
      '« A » : le port',
      '« B » : rien',
      '« C » : un signe %',
      '« ../D »',
      '« E » est donné deux fois',
      'SFTP_DELAI',
      'SFTP_INTERVALLE',
    ]) {
      expect(message).toContain(part);
    }
    expect(refused({ SFTP_CENTRES: 'A=sftp://u@h', SFTP_CLE: '' })).toContain('SFTP_CLE');
  });
});
