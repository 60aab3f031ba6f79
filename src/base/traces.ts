import type { TracesConfig } from './config/observation.ts';
import { dansFil } from './fil.ts';
import type { Attributs, Etendue, OptionsEtendue, Traceur } from './traceur.ts';

let traceur: Traceur | undefined;

/** Whether traces are on. While they are off nothing of OpenTelemetry is loaded. */
export function tracesActives(): boolean {
  return traceur !== undefined;
}

/**
 * Turns traces on.
 *
 * @param avertir told once when the collector goes away, and once when it is back
 * @returns sends what is left, waiting for three seconds at most, and turns them off
 */
export async function demarrerTraces(
  config: TracesConfig,
  avertir: (message: string) => void,
): Promise<() => Promise<void>> {
  const { creerTraceur } = await import('./traces-otel.ts');
  const made = creerTraceur(config, avertir);
  traceur = made;
  return async () => {
    if (traceur === made) traceur = undefined;
    await made.fermer();
  };
}

/** Begins a span that somebody else ends; undefined while traces are off. */
export function commencer(nom: string, attributs: Attributs, options?: OptionsEtendue): Etendue | undefined {
  return traceur?.commencer(nom, attributs, options);
}

/** Runs `work` as a span of that name; while traces are off it just runs. */
export function tracer<T>(nom: string, attributs: Attributs, work: () => Promise<T>): Promise<T> {
  return traceur ? traced(traceur, nom, attributs, work) : work();
}

async function traced<T>(on: Traceur, nom: string, attributs: Attributs, work: () => Promise<T>): Promise<T> {
  const span = on.commencer(nom, attributs);
  try {
    const result = await dansFil(span.fil, work);
    span.finir();
    return result;
  } catch (error) {
    span.finir(error);
    throw error;
  }
}
