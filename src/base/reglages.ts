import { SETTINGS } from './config/settings.ts';
import { readEnv } from './config.ts';

/**
 * The settings that this installation gives, without the secret ones: what somebody who sets it up again must know.
 * Addresses of databases count as secret, since a password may be in them.
 */
export function reglagesSansSecrets(env = readEnv()): Record<string, string> {
  const given: Record<string, string> = {};
  for (const { name, secret } of SETTINGS) {
    const value = env[name]?.trim();
    if (!secret && value) given[name] = value;
  }
  return given;
}

/** Names of the secret settings that this installation gives: they are to be kept apart. */
export function secretsDonnes(env = readEnv()): string[] {
  return SETTINGS.filter(({ name, secret }) => secret && env[name]?.trim()).map(({ name }) => name);
}
