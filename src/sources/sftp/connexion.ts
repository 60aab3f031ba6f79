import { setTimeout as sleep } from 'node:timers/promises';
import ssh2 from 'ssh2';
import type { CentreSftp, SftpConfig } from '../../base/config/sftp.ts';
import { AtelierError, messageOf } from '../../base/errors.ts';
import { type Acces, adresseDe, algorithmesHote, lireAcces, refusHote } from './acces.ts';
import { DelaiSftp, SessionSftp } from './session.ts';

/** Waits in ms before the second and the third try of a piece of work that gets nowhere. */
const ESSAIS = [250, 1_000];
/** Rest in ms after all tries have failed, longer each time. */
const REPOS = [1_000, 2_000, 5_000, 10_000, 30_000];
const KEEPALIVE = 15_000;

/**
 * The connection to one centre's server: opened when needed, kept, opened again when it breaks. A server that cannot be
 * reached is left alone for a while: then everything fails at once, with the same reason.
 */
export class Connexion {
  readonly adresse: string;
  readonly #centre: CentreSftp;
  readonly #config: SftpConfig;
  readonly #fin = new AbortController();
  #acces: Acces | undefined;
  #client: ssh2.Client | undefined;
  #session: Promise<SessionSftp> | undefined;
  #live: SessionSftp | undefined;
  #before = 0;
  #failures = 0;
  #restUntil = 0;
  #reason: Error | undefined;

  constructor(centre: CentreSftp, config: SftpConfig) {
    this.adresse = adresseDe(centre);
    this.#centre = centre;
    this.#config = config;
  }

  /** Bytes of files that came over the line since the beginning. */
  get octetsLus(): number {
    return this.#before + (this.#live?.octetsLus ?? 0);
  }

  /** Whether a conversation is open. */
  get ouverte(): boolean {
    return this.#live !== undefined;
  }

  /** Milliseconds to wait before trying again makes sense. */
  get repos(): number {
    return Math.max(0, this.#restUntil - performance.now());
  }

  /**
   * Does a piece of work, again when the connection breaks in the middle of it, up to three times without `progres`.
   *
   * @param options `tenace: false`: one try, on a connection that is open already
   * @throws RefusSftp when the server refuses; AtelierError ATL_L210 to ATL_L215 when it cannot be reached or trusted
   */
  async faire<T>(
    work: (session: SessionSftp, progres: () => void) => Promise<T>,
    options: { tenace: boolean } = { tenace: true },
  ): Promise<T> {
    if (!options.tenace && !this.#live)
      throw this.#reason ?? this.#unreachable(new Error('pas de connexion'));
    let tries = 0;
    for (;;) {
      let session: SessionSftp | undefined;
      try {
        session = await this.#open();
        const result = await work(session, () => {
          tries = 0;
        });
        this.#failures = 0;
        return result;
      } catch (error) {
        // A refusal of the server, or the disk here: trying again would change nothing.
        if (session && this.#live === session) throw error;
        if (this.#fin.signal.aborted) throw new Error('arrêt demandé');
        if (error instanceof AtelierError && error !== this.#reason) throw this.#rest(error);
        if (error === this.#reason) throw error;
        const wait = options.tenace ? ESSAIS[tries++] : undefined;
        if (wait === undefined) throw this.#rest(this.#unreachable(error));
        await sleep(wait, undefined, { signal: this.#fin.signal }).catch(() => undefined);
      }
    }
  }

  /** Ends the connection and everything under way on it; nothing opens it again. */
  fermer(): void {
    this.#fin.abort();
    this.#live?.terminer(new Error('arrêt demandé'));
    this.#client?.destroy();
  }

  #unreachable(error: unknown): AtelierError {
    const code = error instanceof DelaiSftp ? 'ATL_L214' : 'ATL_L210';
    const reason = this.#explain(error);
    return new AtelierError(code, `SFTP ${this.adresse} : ${reason}`, { cause: error });
  }

  #explain(error: unknown): string {
    const text = messageOf(error);
    if (/ECONNREFUSED/.test(text))
      return `connexion refusée (${text}) : le serveur SFTP ne tourne pas, ou pas sur ce port`;
    if (/ENOTFOUND|EAI_AGAIN/.test(text)) return `nom d’hôte introuvable (${text})`;
    return text;
  }

  /** Leaves the server alone for a while. */
  #rest(error: Error): Error {
    this.#reason = error;
    this.#restUntil = performance.now() + REPOS[Math.min(this.#failures++, REPOS.length - 1)]!;
    return error;
  }

  #open(): Promise<SessionSftp> {
    if (this.#fin.signal.aborted) return Promise.reject(new Error('arrêt demandé'));
    if (!this.#session && this.#reason && this.repos > 0) return Promise.reject(this.#reason);
    this.#session ??= this.#connect().catch((error: unknown) => {
      this.#session = undefined;
      throw error;
    });
    return this.#session;
  }

  async #connect(): Promise<SessionSftp> {
    const { delai } = this.#config;
    this.#reason = undefined;
    const acces = await lireAcces(this.#centre, this.#config, this.#acces);
    this.#acces = acces;
    if (this.#fin.signal.aborted) throw new Error('arrêt demandé');
    const client = new ssh2.Client();
    this.#client = client;
    let distrusted: AtelierError | undefined;
    let deadline: NodeJS.Timeout | undefined;
    try {
      return await new Promise<SessionSftp>((resolve, reject) => {
        deadline = setTimeout(() => reject(new DelaiSftp(delai)), delai);
        client.on('error', (error) => reject(distrusted ?? this.#authentication(error)));
        client.on('close', () => reject(distrusted ?? new Error('connexion coupée')));
        client.on('ready', () => {
          client.subsys('sftp', (error, channel) => {
            if (error) reject(new Error(`le serveur n’ouvre pas SFTP : ${messageOf(error)}`));
            else this.#start(client, channel).then(resolve, reject);
          });
        });
        client.connect({
          host: this.#centre.host,
          port: this.#centre.port,
          username: this.#centre.user,
          authHandler: this.#methods(acces),
          algorithms: {
            serverHostKey: algorithmesHote(acces.hotes.types(this.#centre.host, this.#centre.port)),
          },
          hostVerifier: (key: Buffer) => {
            distrusted = refusHote(this.#centre, this.#config, acces.hotes, key);
            return distrusted === undefined;
          },
          // The deadline above is for all of it.
          readyTimeout: 0,
          keepaliveInterval: KEEPALIVE,
          keepaliveCountMax: 3,
        });
      });
    } catch (error) {
      client.destroy();
      throw error;
    } finally {
      clearTimeout(deadline);
    }
  }

  async #start(client: ssh2.Client, channel: ssh2.ClientChannel): Promise<SessionSftp> {
    const session: SessionSftp = new SessionSftp(channel, this.#config.delai, () => {
      if (this.#live === session) {
        this.#before += session.octetsLus;
        this.#live = undefined;
        this.#session = undefined;
      }
      client.destroy();
    });
    // A connection that dies without a word to the channel.
    client.on('error', (error) => session.terminer(error));
    client.on('close', () => session.terminer(new Error('connexion coupée')));
    await session.init();
    if (session.finie) throw new Error('connexion coupée');
    this.#live = session;
    return session;
  }

  #methods({ cle }: Acces): ssh2.AnyAuthMethod[] {
    const { user: username } = this.#centre;
    const { motDePasse: password } = this.#config;
    const methods: ssh2.AnyAuthMethod[] = [];
    if (cle !== undefined) methods.push({ type: 'publickey', username, key: cle.ouverte });
    if (password !== undefined) {
      methods.push({ type: 'password', username, password });
      // Some servers ask for the password in a dialogue.
      methods.push({
        type: 'keyboard-interactive',
        username,
        prompt: (_name, _instructions, _lang, prompts, finish) => finish(prompts.map(() => password)),
      });
    }
    return methods;
  }

  #authentication(error: Error & { level?: string }): Error {
    if (error.level !== 'client-authentication') return error;
    const tried = [
      ...(this.#centre.cle === undefined ? [] : [`clé ${this.#centre.cle}`]),
      ...(this.#config.motDePasse === undefined ? [] : ['mot de passe']),
    ];
    return new AtelierError(
      'ATL_L213',
      `SFTP ${this.adresse} : le serveur refuse l’utilisateur ${this.#centre.user} (${tried.join(', ')})`,
    );
  }
}
