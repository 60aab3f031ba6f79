// `atelier serve` as a workshop runs it: a process of its own, on a port of its own.

import { randomBytes } from 'node:crypto';
import { vi } from 'vitest';
import { type Entete, entetesDe, MOT_DE_PASSE } from './api.ts';
import { type Env, type Finished, type Installation, install, type Running } from './cli.ts';

export interface Serveur {
  readonly url: string;
  readonly port: number;
  readonly running: Running;
  /** signs in; the headers to send */
  entete(username: string): Promise<Entete>;
  /** SIGTERM, and how it ended */
  arreter(): Promise<Finished>;
}

/** An installation with the keys of an API. */
export async function installerApi(
  options: { url?: string; migrated?: boolean } = {},
): Promise<Installation & { apiEnv: Env }> {
  const installation = await install(options);
  const apiEnv = {
    SECRET_KEY: randomBytes(48).toString('base64url'),
    CLE_CHIFFREMENT: randomBytes(32).toString('hex'),
    PORT: '0',
  };
  return { ...installation, apiEnv };
}

/** Starts the server and waits until it says where it listens. */
export async function servir(
  installation: Installation & { apiEnv: Env },
  env: Env = {},
  args: readonly string[] = [],
): Promise<Serveur> {
  const running = installation.start(['serve', ...args], { ...installation.apiEnv, ...env });
  let ended = false;
  void running.ended.then(() => {
    ended = true;
  });
  const url = await vi.waitUntil(() => (ended ? '' : /API : (http:\S+)/.exec(running.text())?.[1]), {
    timeout: 120_000,
  });
  if (url === '') throw new Error(running.text());
  return {
    ...{ url, port: Number(new URL(url).port), running },
    async entete(username) {
      const answer = await fetch(`${url}/token`, {
        method: 'POST',
        body: new URLSearchParams({ username, password: MOT_DE_PASSE }),
      });
      if (answer.status !== 200) throw new Error(await answer.text());
      const { access_token } = (await answer.json()) as { access_token: string };
      return entetesDe(access_token);
    },
    async arreter() {
      running.process.kill('SIGTERM');
      return await running.ended;
    },
  };
}

/** Makes an account: the first by nobody, who need not sign in; others by an admin. */
export async function creerCompteHttp(
  url: string,
  username: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return await fetch(`${url}/users/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ username, email: `${username}@exemple.test`, password: MOT_DE_PASSE }),
  });
}
