// Reads a stream of server-sent events as a browser would, from a real socket.

import type { FastifyInstance } from 'fastify';

export interface EvenementRecu {
  readonly id: number;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** A stream that is open; events wait until they are asked for. */
export interface Flux {
  readonly headers: Headers;
  /** comments that came so far */
  readonly commentaires: () => number;
  /** the next event, or undefined at the end of the stream; throws when the stream breaks */
  suivant(): Promise<EvenementRecu | undefined>;
  /** the next event that fits; those before it are passed over; throws at the end of the stream */
  jusqua(fits: (e: EvenementRecu) => boolean): Promise<EvenementRecu>;
  /** what came and was not asked for yet */
  recus(): readonly EvenementRecu[];
  fermer(): void;
}

/** Listens on a free port of the loopback; returns the address. */
export async function ecouterApp(app: FastifyInstance): Promise<string> {
  return await app.listen({ host: '127.0.0.1', port: 0 });
}

/** Opens a stream. @throws when it is refused */
export async function suivre(base: string, headers: Record<string, string>, query = ''): Promise<Flux> {
  const abort = new AbortController();
  const answer = await fetch(`${base}/evenements${query}`, { headers, signal: abort.signal });
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
  const waiting: EvenementRecu[] = [];
  let comments = 0;
  let ended = false;
  let broken: unknown;
  let wake = Promise.withResolvers<void>();
  const read = async (): Promise<void> => {
    let rest = '';
    for await (const piece of answer.body!.pipeThrough(new TextDecoderStream())) {
      const blocks = (rest + piece).split('\n\n');
      rest = blocks.pop()!;
      for (const block of blocks) {
        if (block.startsWith(':')) comments++;
        const event = parse(block);
        if (event) waiting.push(event);
      }
      wake.resolve();
      wake = Promise.withResolvers();
    }
  };
  void read()
    .catch((error: unknown) => {
      broken = error;
    })
    .finally(() => {
      ended = true;
      wake.resolve();
    });
  const suivant = async (): Promise<EvenementRecu | undefined> => {
    while (waiting.length === 0 && !ended) await wake.promise;
    const event = waiting.shift();
    if (event === undefined && broken !== undefined) throw broken;
    return event;
  };
  return {
    headers: answer.headers,
    commentaires: () => comments,
    suivant,
    async jusqua(fits) {
      for (;;) {
        const event = await suivant();
        if (event === undefined) throw new Error('the stream ended');
        if (fits(event)) return event;
      }
    },
    recus: () => [...waiting],
    fermer: () => abort.abort(),
  };
}

function parse(block: string): EvenementRecu | undefined {
  const fields = Object.fromEntries(
    block.split('\n').map((line) => {
      const colon = line.indexOf(': ');
      return [line.slice(0, colon), line.slice(colon + 2)];
    }),
  );
  if (fields['event'] === undefined) return undefined;
  return { id: Number(fields['id']), event: fields['event'], data: JSON.parse(fields['data']!) };
}
