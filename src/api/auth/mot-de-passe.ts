import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { Poivre } from '../../base/cle-de-compte.ts';
import { normaliserMotDePasse } from './politique.ts';

/** What a hash costs: the first choice of OWASP (19 MiB, two passes, one lane). Memory in KiB. */
const PARAMETERS = { memory: 19_456, passes: 2, parallelism: 1 } as const;
const SALT_BYTES = 16;
const TAG_BYTES = 32;
/** KiB: a hash in the database that asks for more was not made by us. */
const MOST_MEMORY = 1_048_576;
const MOST_PASSES = 64;

/**
 * Hashes at the same time: each holds its memory and one of the four threads that files, names and compression need
 * too.
 */
const AT_ONCE = Math.max(1, Math.min(2, availableParallelism()));
/** Those that wait for a place, at most; beyond that whoever comes is sent away at once. */
const WAITING = 1_000;

/** Too many people sign in at once: try again in `attendre` seconds (503). */
export class HachageSature extends Error {
  readonly attendre = 5;

  constructor() {
    super('Trop de connexions à la fois.');
    this.name = 'HachageSature';
  }
}

let running = 0;
const waiting: (() => void)[] = [];

/** Runs `work` when there is a place, in the order of arrival. */
async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running < AT_ONCE) running++;
  else {
    if (waiting.length >= WAITING) throw new HachageSature();
    // Whoever ends hands its place over, so `running` stays as it is.
    await new Promise<void>((resolve) => waiting.push(resolve));
  }
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

/** How many hashes run and wait now. */
export function chargeDesHachages(): { enCours: number; enAttente: number; auPlus: number } {
  return { enCours: running, enAttente: waiting.length, auPlus: AT_ONCE };
}

type Cost = Pick<Argon2Parameters, 'memory' | 'passes' | 'parallelism'>;

interface Phc extends Cost {
  /** id of the pepper that it was made with */
  readonly keyid: string | undefined;
  readonly salt: Buffer;
  readonly tag: Buffer;
}

/** In the thread pool: requests go on meanwhile. */
function compute(
  password: string,
  cost: Cost,
  salt: Buffer,
  tagLength: number,
  poivre: Poivre | undefined,
): Promise<Buffer> {
  const message = Buffer.from(normaliserMotDePasse(password), 'utf8');
  const { memory, passes, parallelism } = cost;
  const pepper = poivre && { secret: poivre.secret, associatedData: poivre.donnees };
  return inTurn(
    () =>
      new Promise((resolve, reject) => {
        argon2(
          'argon2id',
          { message, nonce: salt, memory, passes, parallelism, tagLength, ...pepper },
          (error, derived) => {
            if (error) reject(error);
            else resolve(derived);
          },
        );
      }),
  );
}

/**
 * Hashes a password (after {@link normaliserMotDePasse}) with argon2id, a salt of its own, and the pepper of the account:
 * in another row, or when the account's key is gone, the hash verifies nothing.
 *
 * @returns a PHC string: `$argon2id$v=19$m=19456,t=2,p=1,keyid=…$salt$hash`; without pepper no `keyid`
 * @throws HachageSature
 */
export async function hacher(mdp: string, poivre?: Poivre): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const tag = await compute(mdp, PARAMETERS, salt, TAG_BYTES, poivre);
  return format({ ...PARAMETERS, keyid: poivre?.id, salt, tag });
}

/**
 * Whether a password is the one that was hashed, with whatever parameters. A hash that is none, or was made with the
 * pepper of another account, takes as long and answers false.
 *
 * @param phc undefined: there is none
 * @param poivre of the account whose hash it is said to be
 * @throws HachageSature
 */
export async function verifier(mdp: string, phc: string | undefined, poivre?: Poivre): Promise<boolean> {
  const hash = phc === undefined ? undefined : parse(phc);
  const fits = hash !== undefined && (hash.keyid === undefined || hash.keyid === poivre?.id);
  const { keyid, salt, tag, ...cost } = fits ? hash : DUMMY;
  const pepper = fits ? (keyid === undefined ? undefined : poivre) : (poivre ?? NOBODY);
  const derived = await compute(mdp, cost, salt, tag.length, pepper);
  // Half characters all encode to the same bytes: no password that we took has any.
  return timingSafeEqual(derived, tag) && fits && mdp.isWellFormed();
}

/**
 * The work of {@link verifier} for nobody: a name that does not exist must take as long as a wrong password.
 *
 * @returns false, always
 * @throws HachageSature
 */
export async function verifierFactice(mdp: string): Promise<false> {
  await verifier(mdp, undefined);
  return false;
}

/**
 * Whether a hash was made with other parameters than those of today, or without the pepper that the account has by now
 * (made anew at the next sign-in).
 */
export function aRehacher(phc: string, poivre?: Poivre): boolean {
  const hash = parse(phc);
  return (
    hash === undefined ||
    hash.keyid !== poivre?.id ||
    hash.memory !== PARAMETERS.memory ||
    hash.passes !== PARAMETERS.passes ||
    hash.parallelism !== PARAMETERS.parallelism ||
    hash.salt.length !== SALT_BYTES ||
    hash.tag.length !== TAG_BYTES
  );
}

/** The hash of no password: its tag is drawn, not computed. */
const DUMMY: Phc = {
  ...PARAMETERS,
  ...{ keyid: undefined, salt: randomBytes(SALT_BYTES), tag: randomBytes(TAG_BYTES) },
};
/** The pepper of nobody: what somebody's work is done with, too. */
const NOBODY: Poivre = { id: '', secret: randomBytes(32), donnees: randomBytes(16) };

function format({ memory, passes, parallelism, keyid, salt, tag }: Phc): string {
  const base64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
  const key = keyid === undefined ? '' : `,keyid=${keyid}`;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}${key}$${base64(salt)}$${base64(tag)}`;
}

function parse(phc: string): Phc | undefined {
  const match =
    /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,2})(?:,keyid=([0-9a-f]{16}))?\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})$/.exec(
      phc,
    );
  if (!match) return undefined;
  const [memory, passes, parallelism] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (passes < 1 || passes > MOST_PASSES || parallelism < 1) return undefined;
  if (memory < 8 * parallelism || memory > MOST_MEMORY) return undefined;
  const [salt, tag] = [Buffer.from(match[5]!, 'base64'), Buffer.from(match[6]!, 'base64')];
  return { memory, passes, parallelism, keyid: match[4], salt, tag };
}
