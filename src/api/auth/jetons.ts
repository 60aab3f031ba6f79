import { createHmac, randomUUID } from 'node:crypto';
import { type JWTHeaderParameters, jwtVerify, SignJWT } from 'jose';

const ALG = 'HS256';
const TYP = 'at+jwt';
const ISSUER = 'atelier';
const AUDIENCE = 'atelier-api';
/** Clocks of two servers differ; this much is forgiven (seconds). */
const TOLERANCE = 5;
/** Header parameters that our tokens have; any other (`jku`, `x5u`, `jwk`, `crit`…) is a forgery. */
const HEADER = ['alg', 'kid', 'typ'];
/** Verified tokens remembered: what stays to check of one is its end. */
const REMEMBERED = 2_000;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** What an access token says. Times are seconds since the epoch. */
export interface Jeton {
  readonly userId: string;
  /** `version_jetons` of the account when it was made: a later one makes the token worthless */
  readonly version: number;
  readonly jti: string;
  readonly iat: number;
  readonly exp: number;
}

/** Why a token is refused: it has had its time, or it is none of ours. */
export type RefusJeton = 'expire' | 'invalide';

interface Key {
  readonly kid: string;
  readonly secret: Uint8Array;
}

/**
 * Signs and checks access tokens: JWT, HS256 and nothing else, `typ: at+jwt`, issuer and audience pinned.
 * The first key signs, any verifies, so that a key can be changed without signing everybody out.
 */
export class Jetons {
  readonly #keys: readonly Key[];
  readonly #duree: number;
  readonly #maintenant: () => number;
  readonly #remembered = new Map<string, Jeton>();

  /**
   * @param cles signing keys, current one first, each at least 32 bytes
   * @param options `duree`: life of a token, seconds; `maintenant`: the clock, ms since the epoch
   */
  constructor(cles: readonly Buffer[], options: { duree: number; maintenant: () => number }) {
    if (cles.length === 0 || cles.some((cle) => cle.length < 32)) {
      throw new RangeError('signing keys have at least 32 bytes');
    }
    this.#keys = cles.map((cle) => ({ kid: keyId(cle), secret: cle }));
    this.#duree = options.duree;
    this.#maintenant = options.maintenant;
  }

  /** Life of the tokens that are made now, seconds. */
  get duree(): number {
    return this.#duree;
  }

  /** A new access token of an account. */
  async signer(compte: { id: string; version_jetons: number }): Promise<string> {
    const key = this.#keys[0]!;
    const now = Math.floor(this.#maintenant() / 1000);
    return await new SignJWT({ ver: compte.version_jetons })
      .setProtectedHeader({ alg: ALG, typ: TYP, kid: key.kid })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(compte.id)
      .setJti(randomUUID())
      .setIssuedAt(now)
      .setExpirationTime(now + this.#duree)
      .sign(key.secret);
  }

  /** What a token says, or why it is refused. Never throws, whatever the text is. */
  async verifier(token: string): Promise<Jeton | RefusJeton> {
    // A token is sent with every request. Remembering it spares the thread pool that passwords are hashed in; its
    // end is looked at every time, and its account by whoever calls.
    const known = this.#remembered.get(token);
    if (known) {
      if (this.#inTime(known)) return known;
      this.#remembered.delete(token);
      return 'expire';
    }
    const now = this.#maintenant();
    let jeton: Jeton;
    try {
      const { payload, protectedHeader } = await jwtVerify(token, (header) => this.#keyOf(header), {
        algorithms: [ALG],
        typ: TYP,
        issuer: ISSUER,
        audience: AUDIENCE,
        clockTolerance: TOLERANCE,
        currentDate: new Date(now),
        requiredClaims: ['sub', 'jti', 'iat', 'exp', 'ver'],
      });
      const { sub, jti, iat, exp, ver } = payload;
      if (
        protectedHeader.typ !== TYP ||
        payload.aud !== AUDIENCE ||
        typeof sub !== 'string' ||
        !UUID.test(sub) ||
        typeof jti !== 'string' ||
        !UUID.test(jti) ||
        !Number.isSafeInteger(iat) ||
        !Number.isSafeInteger(exp) ||
        !Number.isSafeInteger(ver)
      ) {
        return 'invalide';
      }
      jeton = { userId: sub, version: ver as number, jti, iat: iat!, exp: exp! };
    } catch (error) {
      return (error as { code?: unknown }).code === 'ERR_JWT_EXPIRED' ? 'expire' : 'invalide';
    }
    if (jeton.iat > now / 1000 + TOLERANCE || jeton.exp <= jeton.iat) return 'invalide';
    if (!this.#inTime(jeton)) return 'expire';
    if (this.#remembered.size >= REMEMBERED) {
      this.#remembered.delete(this.#remembered.keys().next().value!);
    }
    this.#remembered.set(token, jeton);
    return jeton;
  }

  /** A shorter DUREE_JETON counts at once, also for tokens that were promised a longer life. */
  #inTime({ iat, exp }: Jeton): boolean {
    return this.#maintenant() / 1000 < Math.min(exp, iat + this.#duree) + TOLERANCE;
  }

  /** `kid` chooses between our own keys by comparison; it is never a path nor a query. */
  #keyOf(header: JWTHeaderParameters): Uint8Array {
    const key = this.#keys.find(({ kid }) => kid === header.kid);
    if (!key || Object.keys(header).some((name) => !HEADER.includes(name))) {
      throw new Error('not a header of ours');
    }
    return key.secret;
  }
}

/** Name of a key in tokens: tells keys apart, tells nothing of them. */
function keyId(cle: Buffer): string {
  return createHmac('sha256', cle).update('atelier kid').digest('base64url').slice(0, 11);
}
