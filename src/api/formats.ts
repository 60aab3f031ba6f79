import type { FastifyRequest } from 'fastify';
import { Probleme } from './problemes.ts';

export type Format = 'json' | 'csv' | 'xlsx';

export const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
const MEDIA: readonly (readonly [string, Format])[] = [
  ['application/json', 'json'],
  ['text/csv', 'csv'],
  [XLSX, 'xlsx'],
];

/**
 * The form asked for: by `format`, else by `Accept` (RFC 9110, 12.5.1), JSON among equals.
 *
 * @throws Probleme 406 when `Accept` wants nothing of what there is
 */
export function formatDemande(request: FastifyRequest, format: Format | undefined): Format {
  if (format !== undefined) return format;
  const { accept } = request.headers;
  if (accept === undefined || accept === '*/*') return 'json';
  let best: Format | undefined;
  let quality = 0;
  const ranges = accept.split(',').map(parseRange);
  for (const [media, form] of MEDIA) {
    // The most precise range that fits a media type says its quality.
    const fitting = ranges
      .filter(({ type }) => fits(type, media))
      .sort((a, b) => precision(b.type) - precision(a.type));
    const q = fitting[0]?.q ?? 0;
    if (q > quality) [best, quality] = [form, q];
  }
  if (best) return best;
  throw new Probleme(
    406,
    'Les formes possibles sont application/json, text/csv et XLSX (en-tête Accept, ou format=).',
  );
}

function parseRange(text: string): { type: string; q: number } {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const q = parameters.find((part) => part.startsWith('q='))?.slice(2);
  const number = q === undefined ? 1 : Number(q);
  return { type, q: Number.isFinite(number) ? number : 0 };
}

function fits(range: string, media: string): boolean {
  return range === '*/*' || range === media || range === `${media.split('/')[0]}/*`;
}

function precision(range: string): number {
  if (range === '*/*') return 0;
  return range.endsWith('/*') ? 1 : 2;
}
