/** Links that go out of the program (databases, ERP, mail, webhooks, traces): which must be encrypted, and which are. */
import { BlockList, isIP } from 'node:net';
import type { Texte } from './nombres.ts';
import type { Setting } from './setting.ts';

/** How a link is protected: the server proves who it is, it only is encrypted, or anybody on the way can read it. */
export type Protection = 'verifie' | 'sans-verification' | 'clair';

/** Where a link goes: to this machine, to what RESEAUX_PRIVES names, or anywhere else. */
export type Lieu = 'machine' | 'prive' | 'ailleurs';

/** One outgoing link, as the settings make it. */
export interface Lien {
  /** the setting that says where it goes */
  readonly reglage: string;
  readonly hote: string;
  readonly lieu: Lieu;
  readonly protection: Protection;
}

/** Tells of a host where it is; a name is taken as it is written, never looked up. */
export type Situer = (hote: string) => Lieu;

export const LIENS_SETTINGS: readonly Setting[] = [
  {
    name: 'RESEAUX_PRIVES',
    doc: 'Hôtes et réseaux, hors de cette machine, vers lesquels une connexion en clair est permise, séparés par des virgules :\nnoms (erp, .usine.lan : tout ce qui finit ainsi), adresses, réseaux (192.168.10.0/24). Ailleurs tout lien (PostgreSQL,\nERP, courriel, webhook, traces) est chiffré et vérifié. Un nom est pris tel qu’il est écrit dans le réglage du lien.',
    default: '',
  },
];

export const POSTGRES_TLS_SETTINGS: readonly Setting[] = [
  {
    name: 'POSTGRES_TLS',
    doc: 'Chiffrement vers PostgreSQL : auto (oui, sauf vers cette machine et RESEAUX_PRIVES), oui (certificat et nom vérifiés),\nsans-verification ou non. Ce qu’une adresse dit elle-même (?sslmode=…) l’emporte.',
    default: 'auto',
  },
  {
    name: 'POSTGRES_TLS_CA',
    doc: 'Fichier PEM de l’autorité qui a signé le certificat de PostgreSQL (vide : celles du système).',
    default: '',
  },
];

/** Entries of RESEAUX_PRIVES; adds one line to `problems` for each that is wrong. */
export function readReseaux(text: Texte, problems: string[]): string[] {
  const entrees = text('RESEAUX_PRIVES').split(',').map(nu).filter(Boolean);
  for (const entree of entrees.filter((each) => !reseauDe(each) && !estNom(each)))
    problems.push(
      `RESEAUX_PRIVES : « ${entree} » n’est ni un nom d’hôte (erp, .usine.lan), ni une adresse, ni un réseau (192.168.10.0/24)`,
    );
  return entrees;
}

/** Address, bits and family of an entry that is an address or a network. */
function reseauDe(entree: string): readonly [string, number, 'ipv4' | 'ipv6'] | undefined {
  const [adresse = '', bits] = entree.split('/');
  const famille = isIP(adresse);
  if (famille === 0) return undefined;
  const tous = famille === 6 ? 128 : 32;
  if (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= tous)) return undefined;
  return [adresse, bits === undefined ? tous : Number(bits), famille === 6 ? 'ipv6' : 'ipv4'];
}

/** What is all digits and dots is an address that was mistyped: nobody's name. */
function estNom(entree: string): boolean {
  return /^\.?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/.test(entree) && /[a-z]/.test(entree);
}

/** @param reseaux entries of RESEAUX_PRIVES */
export function situerParmi(reseaux: readonly string[]): Situer {
  const adresses = new BlockList();
  for (const reseau of reseaux.map(reseauDe)) if (reseau) adresses.addSubnet(...reseau);
  const noms = reseaux.filter(estNom);
  return (hote) => {
    const host = nu(hote);
    if (estCetteMachine(host)) return 'machine';
    const famille = isIP(host);
    if (famille) return adresses.check(host, famille === 6 ? 'ipv6' : 'ipv4') ? 'prive' : 'ailleurs';
    const nomme = noms.some((nom) => (nom.startsWith('.') ? host.endsWith(nom) : host === nom));
    return nomme ? 'prive' : 'ailleurs';
  };
}

/** A host as it is compared: without brackets, the dot at its end and capitals. */
function nu(hote: string): string {
  return hote
    .trim()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase();
}

const BOUCLE = new BlockList();
BOUCLE.addSubnet('127.0.0.0', 8, 'ipv4');
BOUCLE.addAddress('::1', 'ipv6');

/** A socket of this machine (an empty host, or a path), or an address that never leaves it. */
function estCetteMachine(host: string): boolean {
  if (host === '' || host.startsWith('/')) return true;
  const famille = isIP(host);
  if (famille) return BOUCLE.check(host, famille === 6 ? 'ipv6' : 'ipv4');
  return host === 'localhost' || host.endsWith('.localhost');
}

/** What a setting like POSTGRES_TLS says. */
export type ModeTls = 'auto' | 'oui' | 'sans-verification' | 'non';

/** Reads such a setting; `oui` when it is wrong, which `problems` then says. */
export function readModeTls(nom: string, text: Texte, problems: string[]): ModeTls {
  const value = text(nom);
  if (value === 'auto' || value === 'oui' || value === 'sans-verification' || value === 'non') return value;
  problems.push(`${nom} : attendu auto, oui, sans-verification ou non, reçu « ${value} »`);
  return 'oui';
}

/** The mode without `auto`: encrypted and verified wherever the way there is not ours. */
export function modeVers(mode: ModeTls, lieu: Lieu): Exclude<ModeTls, 'auto'> {
  if (mode !== 'auto') return mode;
  return lieu === 'ailleurs' ? 'oui' : 'non';
}

/** What a mode makes of a link. */
export function protectionDe(mode: Exclude<ModeTls, 'auto'>): Protection {
  return mode === 'oui' ? 'verifie' : mode === 'non' ? 'clair' : 'sans-verification';
}

/** The rule for PostgreSQL's addresses, wherever they come from. */
export interface TlsPostgres {
  readonly mode: ModeTls;
  readonly ca: string;
  /** entries of RESEAUX_PRIVES */
  readonly reseaux: readonly string[];
}

/**
 * The address of a PostgreSQL with what the rule asks of the link in it (`sslmode`), and the link that it makes. What the
 * address says itself about encryption stays.
 *
 * @param url a valid postgresql:// address
 */
export function protegerPostgres(
  url: string,
  reglage: string,
  { mode, ca, reseaux }: TlsPostgres,
): { readonly url: string; readonly lien: Lien } {
  const adresse = new URL(url);
  // As the driver: of a name that is given twice the last one counts.
  const hote = dernier(adresse.searchParams, 'host') || decode(adresse.hostname);
  const lieu = situerParmi(reseaux)(hote);
  const lien = { reglage, hote: hote || 'socket local', lieu };
  const dit = protectionDite(adresse.searchParams);
  if (dit !== undefined) return { url, lien: { ...lien, protection: dit } };
  const vers = modeVers(mode, lieu);
  // PostgreSQL does not encrypt a socket of the machine.
  if (hote === '' || hote.startsWith('/') || (mode === 'auto' && vers === 'non'))
    return { url, lien: { ...lien, protection: 'clair' } };
  const sslmode = { oui: 'verify-full', 'sans-verification': 'no-verify', non: 'disable' }[vers];
  const ajout = new URLSearchParams({ sslmode });
  if (vers === 'oui' && ca !== '') ajout.set('sslrootcert', ca);
  const [avant = '', ...apres] = url.split('#');
  return {
    url: [`${avant}${avant.includes('?') ? '&' : '?'}${ajout}`, ...apres].join('#'),
    lien: { ...lien, protection: protectionDe(vers) },
  };
}

/** What an address says of encryption, as the driver reads it; undefined when it says nothing. */
function protectionDite(params: URLSearchParams): Protection | undefined {
  const sslmode = dernier(params, 'sslmode');
  const ssl = dernier(params, 'ssl');
  if (sslmode === undefined && ssl === undefined)
    return dernier(params, 'sslnegotiation') === 'direct' ? 'verifie' : undefined;
  if (sslmode === 'disable' || (sslmode === undefined && /^(0|false|)$/.test(ssl!))) return 'clair';
  if (sslmode === 'no-verify' || ssl === 'no-verify') return 'sans-verification';
  if (dernier(params, 'uselibpqcompat') === 'true' && sslmode !== 'verify-full') return 'sans-verification';
  return 'verifie';
}

/** A host in an address may be the path of a socket, with its slashes written in %; a stray % is nobody's host. */
function decode(hostname: string): string {
  try {
    return decodeURIComponent(hostname);
  } catch {
    return hostname;
  }
}

const dernier = (params: URLSearchParams, nom: string): string | undefined => params.getAll(nom).at(-1);
