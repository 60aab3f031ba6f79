import { expect } from 'vitest';
import type { z } from 'zod';
import { type ApiDEssai, createApi } from './api.ts';
import { problemOf, requestsOf } from './api-requests.ts';
import type { Settings } from './context.ts';
import { createWorkshop, type Workshop } from './ingest.ts';

/** A workshop and an API on its tables and its archive, wherever a reset puts that. */
export interface AtelierDEssai {
  readonly workshop: Workshop;
  readonly api: ApiDEssai;
  /** GET as `lecteur`, bytes as `admin`; asserts the status */
  get(url: string, options?: { headers?: Record<string, string>; statut?: number }): Promise<Reponse>;
  close(): Promise<void>;
}

export interface Reponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  readonly rawPayload: Buffer;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely; schemas check their shape
  json<T = any>(): T;
}

export async function createAtelier(settings?: Settings): Promise<AtelierDEssai> {
  const workshop = await createWorkshop(settings);
  const api = await createApi({
    url: workshop.url,
    changer: (deps) => Object.defineProperty({ ...deps }, 'archive', { get: () => workshop.context.archive }),
  });
  const [lecteur, admin] = [requestsOf(api, 'lecteur'), requestsOf(api, 'admin')];
  return {
    workshop,
    api,
    async get(url, { headers = {}, statut = 200 } = {}) {
      const { send } = /^\/fichiers\/\d+\/octets/.test(url) ? admin : lecteur;
      const answer = await send('GET', url, undefined, headers);
      expect(answer.statusCode, `${url} : ${answer.body.slice(0, 500)}`).toBe(statut);
      if (statut >= 400) problemOf(answer, statut);
      return answer;
    },
    async close() {
      await api.close();
      await workshop.close();
    },
  };
}

/** S15: an answer fits its schema and has no field beside. */
export function conforme<T extends z.ZodType>(schema: T, body: unknown): z.infer<T> {
  const parsed = schema.parse(body);
  expect(body).toEqual(parsed);
  return parsed;
}
