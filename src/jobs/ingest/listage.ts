/** The same entries; at their end `onEnd` is told how long they were waited for, in ms. */
export async function* chronometrer<T>(
  entries: AsyncIterable<T>,
  onEnd: (ms: number) => void,
): AsyncGenerator<T> {
  let spent = 0;
  let since = performance.now();
  for await (const entry of entries) {
    spent += performance.now() - since;
    yield entry;
    since = performance.now();
  }
  onEnd(spent + performance.now() - since);
}
