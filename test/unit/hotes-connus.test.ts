// known_hosts as OpenSSH writes and reads it.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { empreinte, HotesConnus, ligneDe, typeDe } from '../../src/sources/sftp/hotes-connus.ts';
import { makeKey, publicKey } from '../harness/sshd.ts';

const home = mkdtempSync(join(tmpdir(), 'atelier-connus-'));
afterAll(() => rmSync(home, { recursive: true }));

const [a, b, rsa] = ['a', 'b', 'rsa'].map((name) =>
  publicKey(makeKey(join(home, name), name === 'rsa' ? { type: 'rsa' } : {})),
) as [string, string, string];
const wire = (line: string): Buffer => Buffer.from(line.split(' ')[1]!, 'base64');
const verdict = (file: string, host = 'srv', port = 22, key = a): string =>
  new HotesConnus(file).verdict(host, port, wire(key));

describe('S27: known hosts', () => {
  it('known, unknown, changed, of another type, revoked', () => {
    expect(verdict(`srv ${a}`)).toBe('connue');
    expect(verdict('')).toBe('inconnue');
    expect(verdict(`autre ${a}`)).toBe('inconnue');
    expect(verdict(`srv ${b}`)).toBe('changee');
    expect(verdict(`srv ${rsa}`)).toBe('changee');
    expect(verdict(`srv ${b}\nsrv ${a}`)).toBe('connue');
    expect(verdict(`srv ${a}\n@revoked * ${a}`)).toBe('revoquee');
    expect(verdict(`@cert-authority srv ${a}`)).toBe('inconnue');
  });

  it('ports, lists, wildcards, exceptions, letters, comments, Windows line ends', () => {
    expect(verdict(`[srv]:2222 ${a}`, 'srv', 2222)).toBe('connue');
    expect(verdict(`[srv]:2222 ${a}`)).toBe('inconnue');
    expect(verdict(`[srv]:2222 ${b}`, 'srv', 2222)).toBe('changee');
    // A key under the plain name is good on other ports; another key there says nothing of this port.
    expect(verdict(`srv ${a}`, 'srv', 2222)).toBe('connue');
    expect(verdict(`srv ${b}`, 'srv', 2222)).toBe('inconnue');
    expect(verdict(`x,SRV,10.0.0.1 ${a}`, '10.0.0.1')).toBe('connue');
    expect(verdict(`x,SRV ${a}`, 'srv')).toBe('connue');
    expect(verdict(`*.usine.example ${a}`, 'dem12.usine.example')).toBe('connue');
    expect(verdict(`*.usine.example ${a}`, 'usinexexample')).toBe('inconnue');
    expect(verdict(`!dem12.usine.example,*.usine.example ${a}`, 'dem12.usine.example')).toBe('inconnue');
    expect(verdict(`# commentaire\r\n\r\n  srv ${a} un mot\r\n`)).toBe('connue');
    expect(verdict(`srv ${a.slice(0, -9)}`)).not.toBe('connue');
    expect(verdict('srv ssh-ed25519\nsrv\n| | |')).toBe('inconnue');
  });

  it('hashed by ssh-keygen -H; fingerprint and line as ssh-keygen writes them', () => {
    const file = join(home, 'connus');
    writeFileSync(file, `srv ${a}\n[srv]:2222 ${b}\n`);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' });
    const hashed = readFileSync(file, 'utf8');
    expect(hashed).not.toContain('srv');
    expect(verdict(hashed)).toBe('connue');
    expect(verdict(hashed, 'srv', 2222, b)).toBe('connue');
    expect(verdict(hashed, 'srv', 22, b)).toBe('changee');
    expect(verdict(hashed, 'autre')).toBe('inconnue');
    expect(new HotesConnus(hashed).types('srv', 22)).toEqual(['ssh-ed25519']);
    const shown = execFileSync('ssh-keygen', ['-l', '-f', join(home, 'a.pub')], { encoding: 'utf8' });
    expect(shown).toContain(empreinte(wire(a)));
    expect(typeDe(wire(rsa))).toBe('ssh-rsa');
    expect(verdict(ligneDe('srv', 2222, wire(a)), 'srv', 2222)).toBe('connue');
  });
});
