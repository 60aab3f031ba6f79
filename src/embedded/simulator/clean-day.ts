import { formatDay } from '../../base/time.ts';
import { ByteWriter } from './byte-writer.ts';
import { CATALOGUES } from './catalogue.ts';
import type { SimulatedCentre } from './centres.ts';
import { type DayPlan, planDay } from './day-plan.ts';
import { ALARM, CYCLE, PIECE } from './other-events.ts';
import { Random } from './random.ts';

/** Waits take at most this share of the time that the machine runs. */
const LARGEST_WAIT_SHARE = 0.18;
const LF = 0x0a;

/** Kept between two days: nothing here is asynchronous. */
const writer = new ByteWriter();

/**
 * The log that a centre would write on a day if nothing ever went wrong: ASCII, LF, every line well-formed.
 * Decided by seed, name and type of the centre, and day alone.
 *
 * @returns undefined on a Sunday
 */
export function cleanDay(
  seed: number,
  centre: SimulatedCentre,
  day: number,
): { bytes: Buffer; pieces: number } | undefined {
  const random = new Random('day', seed, centre.nom, centre.type, day);
  const plan = planDay(random, day, CATALOGUES[centre.type].pieces);
  if (!plan) return undefined;
  writer.clear();
  new DayPen(random, plan, centre, day).write();
  return { bytes: writer.copy(), pieces: plan.pieces };
}

/** Writes one day, line after line, along the time that the machine runs. */
class DayPen {
  readonly #random: Random;
  readonly #plan: DayPlan;
  readonly #centre: SimulatedCentre;
  readonly #date: string;
  /** the running span that the pen is in, and the running time before it */
  #span = 0;
  #before = 0;
  #serial: number;
  #barLeft = 0;

  constructor(random: Random, plan: DayPlan, centre: SimulatedCentre, day: number) {
    this.#random = random;
    this.#plan = plan;
    this.#centre = centre;
    this.#date = formatDay(day).replaceAll('-', '');
    this.#serial = random.int(100_000, 899_999);
  }

  write(): void {
    const { pieces, running } = this.#plan;
    const total = running.reduce((sum, span) => sum + span.to - span.from, 0);
    const { waits, sum } = this.#drawWaits(pieces, total);
    const weights = Float64Array.from({ length: pieces }, () => this.#random.between(0.45, 1.55));
    // The last piece falls a little before the end of the day.
    const unit = (total - sum - 20) / weights.reduce((all, weight) => all + weight, 0);
    let time = 0;
    this.#bare('MachineStart', running[0]!.from);
    for (let i = 0; i < pieces; i++) {
      if (this.#barLeft-- === 0) this.#profile(time);
      if (waits[i]! > 0) {
        this.#wait(time, waits[i]!);
        time += waits[i]!;
      }
      this.#piece(time, weights[i]! * unit);
      time += weights[i]! * unit;
    }
    this.#clock(total - 1);
    this.#bare('MachineStop', running.at(-1)!.to);
  }

  /** Most waits last seconds, some minutes; together they never eat up the day. */
  #drawWaits(pieces: number, total: number): { waits: Float64Array; sum: number } {
    const random = this.#random;
    const often = random.between(0.05, 0.12);
    const waits = Float64Array.from({ length: pieces }, () => {
      if (!random.chance(often)) return 0;
      const kind = random.unit();
      if (kind < 0.7) return random.between(4, 60);
      return kind < 0.95 ? random.between(60, 240) : random.between(240, 900);
    });
    const sum = waits.reduce((all, wait) => all + wait, 0);
    const factor = Math.min(1, (LARGEST_WAIT_SHARE * total) / sum);
    return { waits: waits.map((wait) => wait * factor), sum: sum * factor };
  }

  #profile(time: number): void {
    const { references, colours } = CATALOGUES[this.#centre.type];
    const random = this.#random;
    this.#barLeft = random.int(5, 40) - 1;
    this.#begin(this.#clock(time));
    writer.ascii('JobProfiel: R:');
    writer.ascii(random.pick(references));
    writer.ascii(' L:');
    writer.scaled(random.int(18_000, 65_000), 1);
    if (random.chance(0.97)) {
      writer.ascii(' C:');
      writer.ascii(random.pick(colours));
    }
    writer.byte(LF);
  }

  #wait(time: number, duration: number): void {
    const at = this.#clock(time);
    // A wait ends when the machine is stopped.
    const tenths = Math.floor(Math.min(duration, this.#plan.running[this.#span]!.to - at) * 10);
    if (tenths < 10) return;
    const form = this.#random.unit();
    this.#begin(at);
    writer.ascii('MachineWait: ');
    if (form < 0.5) {
      writer.scaled(Math.floor(tenths / 10), 0);
      writer.ascii(' sec');
    } else if (form < 0.75) {
      writer.ascii('Wacht op bediener ');
      writer.scaled(Math.floor(tenths / 10), 0);
      writer.ascii(`,${tenths % 10} sec`);
    } else {
      writer.scaled(tenths, 1);
      if (form < 0.92) writer.ascii(' sec');
    }
    writer.byte(LF);
  }

  #piece(time: number, duration: number): void {
    const random = this.#random;
    const others = random.int(4, 8);
    for (let i = 0; i < others; i++) {
      this.#begin(this.#clock(time + (duration * (i + 0.5)) / (others + 1)));
      CYCLE[Math.floor(((i + random.unit()) * CYCLE.length) / others)]!.write(writer, random);
      writer.byte(LF);
    }
    const at = this.#clock(time + duration);
    if (random.chance(0.012)) {
      this.#begin(at);
      ALARM.write(writer, random);
      writer.byte(LF);
    }
    this.#begin(at);
    writer.ascii('StukUitgevoerd: S');
    writer.scaled(this.#serial++, 0);
    writer.byte(0x20);
    PIECE.write(writer, random);
    writer.byte(LF);
  }

  /** The clock at a running time that never goes back; writes the stops that lie before it. */
  #clock(time: number): number {
    const { running } = this.#plan;
    for (;;) {
      const span = running[this.#span]!;
      const inside = time - this.#before;
      if (inside < span.to - span.from || this.#span === running.length - 1) {
        return Math.floor(span.from + inside);
      }
      this.#bare('MachineStop', span.to);
      this.#before += span.to - span.from;
      this.#span++;
      this.#bare('MachineStart', running[this.#span]!.from);
    }
  }

  #begin(secondOfDay: number): void {
    writer.reserve(200);
    writer.stamp(this.#date, secondOfDay);
  }

  #bare(event: string, secondOfDay: number): void {
    this.#begin(secondOfDay);
    writer.ascii(event);
    writer.byte(LF);
  }
}
