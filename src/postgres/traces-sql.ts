import type pg from 'pg';
import { filEnCours } from '../base/fil.ts';
import { commencer } from '../base/traces.ts';
import type { Etendue } from '../base/traceur.ts';

/** Characters of a statement that go into its span; values are not in it, they travel beside. */
const TEXTE = 500;

/** What `query` is given: text, or an object with it, or something that reads its answer itself (COPY, cursors). */
type Query =
  | string
  | { readonly text?: string; once?: (event: string, listener: (error?: Error) => void) => unknown };

/**
 * Makes a span of each statement of each connection of a pool, below the work that asks for it; statements outside of
 * any are none. For pools that are made while traces are on: others are left as they are.
 */
export function tracerRequetes(pool: pg.Pool): void {
  pool.on('connect', (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    Object.defineProperty(client, 'query', {
      configurable: true,
      writable: true,
      value: (...args: unknown[]): unknown => {
        const span = filEnCours().trace === undefined ? undefined : begin(args[0] as Query);
        return span ? watch(span, query, args) : query(...args);
      },
    });
  });
}

function begin(query: Query): Etendue | undefined {
  const text = (typeof query === 'string' ? query : (query.text ?? 'COPY')).trim();
  const verb = /^\w+/.exec(text)?.[0].toUpperCase() ?? 'SQL';
  return commencer(
    verb,
    { 'db.system.name': 'postgresql', 'db.operation.name': verb, 'db.query.text': text.slice(0, TEXTE) },
    { genre: 'client' },
  );
}

/** Ends the span when the statement has ended, in whichever of its three ways the driver was called. */
function watch(span: Etendue, query: (...args: unknown[]) => unknown, args: unknown[]): unknown {
  const callback = args.at(-1);
  if (typeof callback === 'function') {
    const done = (error: unknown, ...rest: unknown[]): unknown => {
      span.finir(error ?? undefined);
      return callback(error, ...rest);
    };
    return query(...args.slice(0, -1), done);
  }
  const result = query(...args);
  if (result instanceof Promise) {
    result.then(
      () => span.finir(),
      (error: unknown) => span.finir(error),
    );
    return result;
  }
  const stream = args[0] as Query;
  if (typeof stream === 'object' && stream.once) {
    // A stream that fails says so before it closes; a span ends once.
    stream.once('error', (error) => span.finir(error));
    stream.once('close', () => span.finir());
  } else span.finir();
  return result;
}
