// F22, O12: a network share whose server is gone answers nothing, for ever: whoever looks at it must not wait as long.

import { expect, it } from 'vitest';
import { aTemps, placeDe } from '../../src/base/disques.ts';

it('a look that hangs ends, is not made a second time meanwhile, and is made again once it came back', async () => {
  let answer = Promise.withResolvers<number>();
  let looks = 0;
  const look = aTemps(() => {
    looks++;
    return answer.promise;
  }, 20);
  expect(await Promise.all([look('/a'), look('/a')])).toEqual([undefined, undefined]);
  expect(await look('/a')).toBeUndefined();
  expect(looks).toBe(1);
  answer.resolve(7);
  expect(await look('/a')).toBe(7);
  answer = Promise.withResolvers<number>();
  answer.resolve(8);
  expect(await look('/a')).toBe(8);
  expect(looks).toBe(2);
});

it('a failure is told as it is, each time', async () => {
  const look = aTemps(() => Promise.reject(new Error('ENOENT')), 1000);
  await expect(look('/a')).rejects.toThrow('ENOENT');
  await expect(look('/a')).rejects.toThrow('ENOENT');
  await expect(placeDe('/n/existe/pas')).rejects.toThrow('ENOENT');
  expect(await placeDe('/')).toMatchObject({ total: expect.any(Number) });
});
