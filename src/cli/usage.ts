import { codeOf, messageOf } from '../base/errors.ts';

/**
 * What `parseArgs` refuses, for people: the runtime's sentence is English and long.
 *
 * @returns the word and what is wrong with it, or undefined when something else was thrown
 */
export function refusDesMots(error: unknown): string | undefined {
  const code = codeOf(error);
  if (!code?.startsWith('ERR_PARSE_ARGS')) return undefined;
  const message = messageOf(error);
  // `'--dir <value>'`, `'-c, --command <value>'`, `'extra'`
  const [, quoted = ''] = /'(.+?)'(?:\.| argument| does not|$)/.exec(message) ?? [];
  const word = quoted.replace(/ <value>$/, '');
  switch (code) {
    case 'ERR_PARSE_ARGS_UNKNOWN_OPTION':
      return `${word} : option inconnue`;
    case 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL':
      return `${word} : argument en trop`;
    default:
      if (message.includes('does not take')) return `${word} : ne prend pas de valeur`;
      if (message.includes('ambiguous'))
        return `${word} : il manque sa valeur (si elle commence par un tiret : ${word}=-…)`;
      return `${word} : il manque sa valeur`;
  }
}
