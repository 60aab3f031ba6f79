import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { availableParallelism } from 'node:os';
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
  readonly salt: Buffer;
  readonly tag: Buffer;
}

/** In the thread pool: requests go on meanwhile. */
function compute(password: string, cost: Cost, salt: Buffer, tagLength: number): Promise<Buffer> {
  const message = Buffer.from(normaliserMotDePasse(password), 'utf8');
  const { memory, passes, parallelism } = cost;
  return inTurn(
    () =>
      new Promise((resolve, reject) => {
        argon2(
          'argon2id',
          { message, nonce: salt, memory, passes, parallelism, tagLength },
          (error, derived) => {
            if (error) reject(error);
            else resolve(derived);
          },
        );
      }),
  );
}

/**
 * Hashes a password (after {@link normaliserMotDePasse}) with argon2id and a salt of its own.
 *
 * @returns a PHC string: `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`
 * @throws HachageSature
 */
export async function hacher(mdp: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const tag = await compute(mdp, PARAMETERS, salt, TAG_BYTES);
  return format({ ...PARAMETERS, salt, tag });
}

/**
 * Whether a password is the one that was hashed, with whatever parameters. A hash that is none takes as long and
 * answers false.
 *
 * @throws HachageSature
 */
export async function verifier(mdp: string, phc: string): Promise<boolean> {
  const hash = parse(phc);
  const { salt, tag, ...cost } = hash ?? DUMMY;
  const derived = await compute(mdp, cost, salt, tag.length);
  // Half characters all encode to the same bytes: no password that we took has any.
  return timingSafeEqual(derived, tag) && hash !== undefined && mdp.isWellFormed();
}

/**
 * The work of {@link verifier} for nobody: a name that does not exist must take as long as a wrong password.
 *
 * @returns false, always
 * @throws HachageSature
 */
export async function verifierFactice(mdp: string): Promise<false> {
  await verifier(mdp, DUMMY_PHC);
  return false;
}

/** Whether a hash was made with other parameters than those of today (made anew at the next sign-in). */
export function aRehacher(phc: string): boolean {
  const hash = parse(phc);
  return (
    hash === undefined ||
    hash.memory !== PARAMETERS.memory ||
    hash.passes !== PARAMETERS.passes ||
    hash.parallelism !== PARAMETERS.parallelism ||
    hash.salt.length !== SALT_BYTES ||
    hash.tag.length !== TAG_BYTES
  );
}

/** The hash of no password: its tag is drawn, not computed. */
const DUMMY: Phc = { ...PARAMETERS, salt: randomBytes(SALT_BYTES), tag: randomBytes(TAG_BYTES) };
const DUMMY_PHC = format(DUMMY);

function format({ memory, passes, parallelism, salt, tag }: Phc): string {
  const base64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(salt)}$${base64(tag)}`;
}

function parse(phc: string): Phc | undefined {
  const match =
    /^\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})$/.exec(
      phc,
    );
  if (!match) return undefined;
  const [memory, passes, parallelism] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (passes < 1 || passes > MOST_PASSES || parallelism < 1) return undefined;
  if (memory < 8 * parallelism || memory > MOST_MEMORY) return undefined;
  const [salt, tag] = [Buffer.from(match[4]!, 'base64'), Buffer.from(match[5]!, 'base64')];
  return { memory, passes, parallelism, salt, tag };
}
