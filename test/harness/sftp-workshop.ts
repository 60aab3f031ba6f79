import type { Compteurs } from '../../src/jobs/ingest/compteurs.ts';
import type { IngestContext } from '../../src/jobs/ingest/context.ts';
import type { ImportOptions } from '../../src/jobs/ingest/import.ts';
import { ingest } from '../../src/jobs/ingest.ts';
import { ouvrirSource, type SourceOuverte } from '../../src/sources/ouvrir.ts';
import type { Workshop } from './ingest.ts';

/** Imports of a workshop whose settings name remote centres, each by a process of its own as far as the source goes. */
export async function importRemote(workshop: Workshop, options?: ImportOptions): Promise<Compteurs> {
  const source = await openSource(workshop.context);
  try {
    return await ingest({ ...workshop.context, source }, options);
  } finally {
    await source.fermer();
  }
}

export function openSource(context: IngestContext): Promise<SourceOuverte> {
  return ouvrirSource(context.config, context.logger);
}
