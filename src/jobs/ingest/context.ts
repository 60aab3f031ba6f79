import type { Archive } from '../../archives/archive.ts';
import type { BaseContext } from '../../base/context.ts';
import type { Pool } from '../../postgres/pool.ts';
import type { SourceJournaux } from '../../sources/source.ts';

/** Steps of an import at which a crash must do no harm; crash tests stop the process there. */
export type Etape =
  | 'apres_lecture'
  | 'avant_enregistrement'
  | 'dans_enregistrement'
  | 'apres_enregistrement'
  | 'dans_recalcul'
  | 'avant_validation'
  | 'apres_recalcul';

export interface IngestContext extends BaseContext {
  readonly pool: Pool;
  readonly archive: Archive;
  readonly source: SourceJournaux;
  readonly onEtape?: (etape: Etape) => void;
  /** bytes come from the archive itself (a rebuild): there is nothing new to note beside it */
  readonly relecture?: boolean;
}

/** Stands before the rules of masking in {@link reglesDe}, where there are some. */
export const MASQUES = '|masques=';

/** Settings that the rows of a version depend on; when they change, versions are read again. */
export function reglesDe(ctx: BaseContext, attente: 'debut' | 'fin'): string {
  const { fuseau, journeeDebut, masques } = ctx.config;
  return `2|${fuseau}|${journeeDebut}|${attente}${masques ? `${MASQUES}${masques.empreinte}` : ''}`;
}
