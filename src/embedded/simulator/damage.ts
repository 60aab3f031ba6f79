import type { LineNoise } from './noise-kinds.ts';
import type { Random } from './random.ts';

/** Where a damage strikes: the lines that hold this text, and how many of them it takes together. */
interface Damage {
  readonly on: string;
  readonly lines: 1 | 2;
  /** Lines without their ending → text that replaces them, without the last ending. */
  readonly apply: (random: Random, first: string, second: string) => string;
}

const STAMP_LENGTH = 17;
const ACCENTS = [
  ' façade côté rue',
  ' fenêtre de l\u0092été n° 3',
  ' réf. modèle à crémone',
  ' angle ±0,5°',
  ' Größe geändert',
];

/**
 * The damages that machines really do to their logs. Texts are one character a byte (Windows-1252).
 * No damaged stamp is a valid one: an event must not slip into a day on which the machine did not work.
 */
export const DAMAGES: Readonly<Record<LineNoise, Damage>> = {
  nul: {
    on: '|@',
    lines: 1,
    apply: (random, line) => {
      const at = random.chance(0.5) ? 0 : random.int(0, line.length);
      return line.slice(0, at) + nuls(random, 1, 64) + line.slice(at);
    },
  },
  // The line being written is lost, the file is filled up with NULs, writing goes on behind them.
  coupure_courant: {
    on: '|@',
    lines: 2,
    apply: (random, first, second) =>
      first.slice(0, random.int(1, first.length - 1)) +
      nuls(random, 32, 4096) +
      (random.chance(0.5) ? '\n' : '') +
      second,
  },
  ligne_coupee: {
    on: '|@',
    lines: 1,
    apply: (random, line) => line.slice(0, random.int(1, line.length - 1)),
  },
  octets_parasites: {
    on: '|@',
    lines: 1,
    apply: (random, line) => {
      const ascii = random.chance(0.25);
      const codes = Array.from({ length: random.int(1, 12) }, () =>
        random.int(ascii ? 1 : 0xa1, ascii ? 8 : 0xff),
      );
      return String.fromCharCode(...codes) + line;
    },
  },
  horodatage_invalide: {
    on: '|@',
    lines: 1,
    apply: (random, line) => {
      const [date, time, rest] = [line.slice(0, 8), line.slice(9, STAMP_LENGTH), line.slice(STAMP_LENGTH)];
      const stamps = [
        `${date} ${random.int(24, 99)}${time.slice(2)}`,
        `${date} ${time.slice(0, 3)}6${time.slice(4)}`,
        `${date.slice(0, 4)}1${random.int(3, 9)}${date.slice(6)} ${time}`,
        `${date.slice(0, 6)}00 ${time}`,
        `${date}${time}`,
        `00000000 ${time}`,
        '',
      ];
      return random.pick(stamps) + rest;
    },
  },
  accents: { on: '|@StukUitgevoerd', lines: 1, apply: (random, line) => line + random.pick(ACCENTS) },
  arret_double: {
    on: '|@MachineStop',
    lines: 1,
    apply: (random, line) => `${line}\n${later(line, random.int(0, 15))}|@MachineStop`,
  },
  attente_dans_arret: {
    on: '|@MachineStop',
    lines: 1,
    apply: (random, line) =>
      `${line}\n${later(line, random.int(20, 90))}|@MachineWait: ${random.int(30, 1200)} sec`,
  },
  attente_sans_duree: {
    on: '|@MachineWait',
    lines: 1,
    apply: (random, line) =>
      line.slice(0, STAMP_LENGTH) +
      random.pick([
        '|@MachineWait',
        '|@MachineWait:',
        '|@MachineWait: 0 sec',
        '|@MachineWait: Wacht op bediener',
        '|@MachineWait: -5 sec',
      ]),
  },
  profil_sans_longueur: {
    on: '|@JobProfiel',
    lines: 1,
    apply: (random, line) => line.replace(/ L:\S+/, random.pick(['', ' L:', ' L:---'])),
  },
  sans_separateur: {
    on: '|@',
    lines: 1,
    apply: (random, line) => {
      const text = random.pick([
        'PLC herstart',
        'Verbinding verbroken met regelaar',
        '*** LOG START ***',
        '-----',
      ]);
      const stamp = line.slice(0, STAMP_LENGTH);
      return `${random.pick([text, `${stamp} ${text}`, `${stamp}|${text}`])}\n${line}`;
    },
  },
  evenement_vide: {
    on: '|@',
    lines: 1,
    apply: (random, line) =>
      `${line.slice(0, STAMP_LENGTH)}${random.pick(['|@', '|@ ', '|@: ', '|@: 0'])}\n${line}`,
  },
};

function nuls(random: Random, min: number, max: number): string {
  return '\0'.repeat(random.int(min, max));
}

/** The stamp of a line, some seconds later; no working day reaches midnight. */
function later(line: string, seconds: number): string {
  const [hours, minutes, rest] = line.slice(9, STAMP_LENGTH).split(':').map(Number);
  const time = hours! * 3600 + minutes! * 60 + rest! + seconds;
  const parts = [time / 3600, (time / 60) % 60, time % 60].map((n) => String(Math.floor(n)).padStart(2, '0'));
  return `${line.slice(0, 8)} ${parts.join(':')}`;
}
