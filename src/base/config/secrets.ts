import type { ProcessName } from './setting.ts';
import { SETTINGS } from './settings.ts';

/** The processes of atelier itself, which may be told their name by `PROCESSUS`. */
export const OWN_PROCESSES = ['api', 'worker', 'migrate', 'maintenance'] as const satisfies ProcessName[];
export type OwnProcess = (typeof OWN_PROCESSES)[number];

const BY_COMMAND: Readonly<Record<string, OwnProcess>> = {
  serve: 'api',
  worker: 'worker',
  migrate: 'migrate',
};

/** The process that a command is; undefined for those that people type, which take what there is. */
export function processOfCommand(command: string): OwnProcess | undefined {
  return Object.hasOwn(BY_COMMAND, command) ? BY_COMMAND[command] : undefined;
}

/** Whether a process is given a setting; nobody is refused to a command of no process (undefined). */
export function isGiven(name: string, process: ProcessName | undefined): boolean {
  if (process === undefined) return true;
  const processes = SETTINGS.find((setting) => setting.name === name)?.processes;
  return processes?.includes(process) ?? true;
}

/** Names of the secrets that a process needs. */
export function secretsOf(process: ProcessName): string[] {
  return SETTINGS.filter(({ secret, processes }) => secret && processes.includes(process)).map(
    ({ name }) => name,
  );
}

/** Names of what a process of atelier must not be given: secrets of others, and what is of no use without them. */
export function withheldFrom(process: ProcessName): string[] {
  return SETTINGS.filter(({ name }) => !isGiven(name, process)).map(({ name }) => name);
}
