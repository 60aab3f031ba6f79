import { hostname } from 'node:os';
import {
  type Context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import paquet from '../../package.json' with { type: 'json' };
import type { TracesConfig } from './config/observation.ts';
import { messageOf } from './errors.ts';
import { filEnCours } from './fil.ts';
import { messageSansValeurs } from './log-redaction.ts';
import type { Attributs, Etendue, Genre, OptionsEtendue, Traceur } from './traceur.ts';

/** How long the collector may take over one delivery, and we over the last one (ms). */
const DELAI = 3_000;
const KINDS: Readonly<Record<Genre, SpanKind>> = {
  interne: SpanKind.INTERNAL,
  serveur: SpanKind.SERVER,
  client: SpanKind.CLIENT,
};

/** Spans sent in batches to the collector as OTLP over HTTP, in JSON. A collector that is away costs them, nothing else. */
export function creerTraceur(config: TracesConfig, avertir: (message: string) => void): Traceur {
  const exporter = new OTLPTraceExporter({
    url: `${config.endpoint}/v1/traces`,
    headers: { ...config.headers },
    timeoutMillis: DELAI,
  });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': config.service,
      'service.version': paquet.version,
      'service.instance.id': `${hostname()}-${process.pid}`,
    }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(config.part) }),
    spanLimits: { attributeValueLengthLimit: 1_000 },
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: watched(exporter, config.endpoint, avertir),
        scheduledDelayMillis: 1_000,
        exportTimeoutMillis: DELAI,
      }),
    ],
  });
  const tracer = provider.getTracer('atelier', paquet.version);
  return {
    commencer(nom, attributs, options = {}) {
      const kind = KINDS[options.genre ?? 'interne'];
      return etendue(tracer.startSpan(nom, { kind, attributes: defined(attributs) }, parentOf(options)));
    },
    async fermer() {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, DELAI);
      });
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
      clearTimeout(timer);
    },
  };
}

function etendue(span: Span): Etendue {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    fil: { trace: traceId, span: spanId, drapeaux: traceFlags },
    preciser(nom, attributs) {
      if (nom !== undefined) span.updateName(nom);
      span.setAttributes(defined(attributs));
    },
    finir(erreur) {
      if (erreur !== undefined)
        span.setStatus({ code: SpanStatusCode.ERROR, message: messageSansValeurs(erreur) });
      span.end();
    },
  };
}

/** Whoever called us, else the work that this is a part of, else nobody. */
function parentOf({ parent }: OptionsEtendue): Context {
  const remote = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(parent ?? '');
  if (remote && !/^0+$/.test(remote[1]!) && !/^0+$/.test(remote[2]!)) {
    return trace.setSpanContext(ROOT_CONTEXT, {
      traceId: remote[1]!,
      spanId: remote[2]!,
      traceFlags: Number.parseInt(remote[3]!, 16) & TraceFlags.SAMPLED,
      isRemote: true,
    });
  }
  const { trace: traceId, span: spanId, drapeaux: traceFlags } = filEnCours();
  if (traceId === undefined || spanId === undefined || traceFlags === undefined) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags });
}

function defined(attributs: Attributs): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(attributs).filter(
      (pair): pair is [string, string | number | boolean] => pair[1] !== undefined,
    ),
  );
}

/** The library keeps failed deliveries to itself: they are told once, and once when they succeed again. */
function watched(exporter: SpanExporter, where: string, avertir: (message: string) => void): SpanExporter {
  let away = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const failed = result.code !== 0;
        if (failed && !away) avertir(`traces perdues, ${where} : ${messageOf(result.error ?? 'refus')}`);
        if (!failed && away) avertir(`traces reçues de nouveau par ${where}`);
        away = failed;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}
