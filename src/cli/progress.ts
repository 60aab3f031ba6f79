import { bytes, printable } from './text.ts';

const EVERY = 100;

/** One line on a terminal that says how far an import is: files, speed, time left. Says nothing elsewhere. */
export class Progress {
  readonly #write: ((text: string) => void) | undefined;
  readonly #totalBytes: number;
  readonly #totalFiles: number;
  /** when the first bytes came: what was opened before does not count as slow reading */
  #started = 0;
  #last = 0;
  #shown = false;

  /** @param total zeros when it is not known: then neither a share nor the time left is shown */
  constructor(write: ((text: string) => void) | undefined, total: { bytes: number; files: number }) {
    this.#write = write;
    this.#totalBytes = total.bytes;
    this.#totalFiles = total.files;
  }

  update(state: { octetsLus: number; fichiersVus: number }): void {
    const now = performance.now();
    if (!this.#write || now - this.#last < EVERY) return;
    if (this.#started === 0) this.#started = now - EVERY;
    this.#last = now;
    const seconds = (now - this.#started) / 1000;
    const speed = state.octetsLus / seconds;
    const share = this.#totalBytes > 0 ? Math.min(1, state.octetsLus / this.#totalBytes) : 0;
    if (this.#totalFiles === 0) {
      this.#write(`\r\x1b[K${state.fichiersVus} fichiers  ${bytes(state.octetsLus)} lus  ${bytes(speed)}/s`);
      this.#shown = true;
      return;
    }
    const left = speed > 0 ? Math.ceil((this.#totalBytes - state.octetsLus) / speed) : 0;
    const bar = '█'.repeat(Math.round(share * 20)).padEnd(20, '░');
    this.#write(
      `\r\x1b[K${bar} ${String(Math.round(share * 100)).padStart(3)} %  ${state.fichiersVus}/${this.#totalFiles} fichiers  ` +
        `${bytes(speed)}/s  reste ${duration(left)}`,
    );
    this.#shown = true;
  }

  /** Wipes the line, so that something else can be written. */
  clear(): void {
    if (this.#shown) this.#write?.('\r\x1b[K');
    this.#shown = false;
  }

  /** A log line (JSON) for people: only what needs attention. */
  log(line: string, err: (text: string) => void): void {
    const entry = JSON.parse(line) as Record<string, unknown>;
    if (entry['level'] !== 'warn' && entry['level'] !== 'error') return;
    this.clear();
    const details = ['centre', 'dossier', 'fichier', 'raison', 'erreur', 'id', 'motif']
      .filter((key) => entry[key] !== undefined)
      .map((key) => printable(String(entry[key])));
    err(`${entry['level'] === 'error' ? '✖' : '⚠'} ${String(entry['msg'])} : ${details.join(' · ')}`);
  }
}

function duration(seconds: number): string {
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
