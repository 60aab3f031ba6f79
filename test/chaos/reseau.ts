// Hosts on one machine: network namespaces on a bridge, each with its own address and its own link to be cut.

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';

const run = promisify(execFile);
const ip = async (...args: string[]): Promise<void> => void (await run('ip', args));

export interface Hote {
  readonly adresse: string;
  /** words before a command that is to run there */
  readonly avant: readonly string[];
  couper(): Promise<void>;
  relier(): Promise<void>;
}

export class Reseau {
  /** of the machine itself */
  readonly adresse: string;
  /** `10.64.1.0/24` */
  readonly plage: string;
  readonly #nom: string;
  readonly #prefixe: string;
  readonly #hotes: string[] = [];

  private constructor(nom: string, prefixe: string) {
    this.#nom = nom;
    this.#prefixe = prefixe;
    this.adresse = `${prefixe}.1`;
    this.plage = `${prefixe}.0/24`;
  }

  /** Why there can be none here; undefined: there can. */
  static async manque(): Promise<string | undefined> {
    const probe = `at${randomBytes(3).toString('hex')}`;
    try {
      await ip('netns', 'add', probe);
      await ip('netns', 'delete', probe);
      return undefined;
    } catch (error) {
      return `espaces de noms réseau impossibles ici : ${(error as Error).message.split('\n')[0]}`;
    }
  }

  static async creer(): Promise<Reseau> {
    const random = randomBytes(4);
    const reseau = new Reseau(
      `at${random.toString('hex').slice(0, 6)}`,
      `10.${64 + (random[0]! % 64)}.${random[3]}`,
    );
    try {
      await ip('link', 'add', reseau.#nom, 'type', 'bridge');
      await ip('address', 'add', `${reseau.adresse}/24`, 'dev', reseau.#nom);
      await ip('link', 'set', reseau.#nom, 'up');
    } catch (error) {
      await reseau.fermer();
      throw error;
    }
    return reseau;
  }

  async hote(): Promise<Hote> {
    const n = this.#hotes.length;
    const espace = `${this.#nom}-${n}`;
    const [dehors, dedans] = [`${this.#nom}o${n}`, `${this.#nom}i${n}`];
    const adresse = `${this.#prefixe}.${10 + n}`;
    this.#hotes.push(espace);
    await ip('netns', 'add', espace);
    await ip('link', 'add', dehors, 'type', 'veth', 'peer', 'name', dedans, 'netns', espace);
    await ip('link', 'set', dehors, 'master', this.#nom);
    await ip('link', 'set', dehors, 'up');
    await ip('-n', espace, 'address', 'add', `${adresse}/24`, 'dev', dedans);
    await ip('-n', espace, 'link', 'set', dedans, 'up');
    await ip('-n', espace, 'link', 'set', 'lo', 'up');
    return {
      adresse,
      avant: ['ip', 'netns', 'exec', espace],
      couper: () => ip('link', 'set', dehors, 'down'),
      relier: () => ip('link', 'set', dehors, 'up'),
    };
  }

  /** Takes everything away again; to be called when nothing runs there any more. */
  async fermer(): Promise<void> {
    for (const espace of this.#hotes) await ip('netns', 'delete', espace).catch(() => undefined);
    await ip('link', 'delete', this.#nom).catch(() => undefined);
  }
}
