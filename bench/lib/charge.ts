import autocannon from 'autocannon';

export interface Charge {
  readonly parSeconde: number;
  /** milliseconds */
  readonly p99: number;
  readonly reponses: number;
}

/** Closed loop of 16 connections; an answer that is not 200 is thrown. */
export async function charger(
  url: string,
  headers: Readonly<Record<string, string>>,
  seconds: number,
): Promise<Charge> {
  const result = await autocannon({ url, headers, connections: 16, duration: seconds });
  const bad = result.non2xx + result.errors + result.timeouts;
  if (bad > 0) throw new Error(`${url}: ${bad} answers that are none`);
  return {
    parSeconde: result.requests.total / result.duration,
    p99: result.latency.p99,
    reponses: result.requests.total,
  };
}
