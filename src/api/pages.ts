import { SKIP_MAX } from './schemas/listes.ts';

/** The same address with other page parameters; `undefined` leaves one out. */
export function lien(
  url: string,
  rel: string,
  change: Readonly<Record<string, string | number | undefined>>,
): string {
  const [path, query = ''] = url.split('?', 2);
  const params = new URLSearchParams(query);
  for (const [name, value] of Object.entries(change)) {
    if (value === undefined) params.delete(name);
    else params.set(name, String(value));
  }
  return `<${path}?${params}>; rel="${rel}"`;
}

/** `Link` and totals of a short list that is always counted. */
export function entetesDePage(
  url: string,
  page: { readonly skip: number; readonly limit: number },
  total: number,
): Record<string, string> {
  const { skip, limit } = page;
  const links: string[] = [];
  if (skip + limit < total && skip + limit <= SKIP_MAX)
    links.push(lien(url, 'next', { skip: skip + limit, limit }));
  if (skip > 0) links.push(lien(url, 'prev', { skip: Math.max(0, skip - limit), limit }));
  return {
    'x-total-count': String(total),
    'x-total-count-kind': 'exact',
    ...(links.length > 0 ? { link: links.join(', ') } : {}),
  };
}
