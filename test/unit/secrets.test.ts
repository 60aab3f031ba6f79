// S28: no secret is in what is tracked; R23: no address of somebody who may exist.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Texts of tracked files, by path; what is no text is left out. */
const files = execFileSync('git', ['-C', ROOT, 'ls-files', '-z'], { encoding: 'utf8', maxBuffer: 1 << 26 })
  .split('\0')
  .filter((path) => path !== '' && path !== 'package-lock.json')
  .flatMap((path) => {
    const bytes = readFileSync(join(ROOT, path));
    return bytes.includes(0) ? [] : [{ path, text: bytes.toString('utf8') }];
  });

/** What secrets look like; written in pieces, so that this file is not one of its findings. */
const FORMES: readonly (readonly [string, RegExp])[] = [
  ['private key', new RegExp(`-----BEGIN (?:[A-Z]+ )*${'PRIVATE'} KEY-----\\s*[A-Za-z0-9+/=\\s]{200,}`)],
  ['signed token', /\beyJ[\w-]{20,}\.eyJ[\w-]{20,}\.[\w-]{20,}/],
  ['cloud access key', /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/],
  ['repository token', /\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_\w{22,}/],
  ['registry token', /\bnpm_[A-Za-z0-9]{36}\b|_authToken\s*=/],
  ['chat token', /\bxox[abprs]-[\w-]{10,}/],
  ['age key', /\bAGE-SECRET-KEY-1[0-9A-Z]{50,}/],
];

/** Names of domains that nobody can own (RFC 2606, RFC 6761). */
const RESERVES = /(?:^|\.)(?:test|example|invalid|localhost|local|exemple|example\.(?:com|org|net))$/;
/** What has the shape of an address and is none: algorithms of SSH, and names of LOG files. */
const AUTRES = /@(?:openssh\.com|libssh\.org|\w+\.LOG)$/;

test('S28: no tracked file holds a secret', () => {
  expect(files.length).toBeGreaterThan(300);
  const found = files.flatMap(({ path, text }) =>
    FORMES.filter(([, form]) => form.test(text)).map(([name]) => `${path} : ${name}`),
  );
  expect(found).toEqual([]);
});

test('S28: the search knows a secret when it sees one', () => {
  const planted = ['AKIA', 'ABCDEFGHIJKLMNOP'].join('');
  expect(FORMES.some(([, form]) => form.test(`key=${planted}`))).toBe(true);
});

test('R23: addresses of mail are those of nobody', () => {
  const found = files.flatMap(({ path, text }) =>
    [...text.matchAll(/\b[\w.+-]{1,64}@((?:[a-z0-9-]{1,63}\.){1,6}[a-z]{2,24})\b/gi)]
      .filter(([, domain]) => !RESERVES.test(domain!.toLowerCase()))
      .filter(([address]) => !AUTRES.test(address))
      .map(([address]) => `${path} : ${address}`),
  );
  expect(found).toEqual([]);
});
