import { ANY_HOST } from '../../base/hosts.ts';
import { nomsConnus } from '../../postgres/centres.ts';
import type { Pool } from '../../postgres/pool.ts';
import type { Cli } from '../cli.ts';
import { attention, bien, type Constat, type Controle } from './constat.ts';

/** Whether anybody is told when something goes wrong. Nothing is sent: `atelier alertes tester` does. */
export const canaux: Controle = {
  quoi: 'Alertes',
  async faire({ config: { alertes, api, observation } }) {
    const ways = [
      alertes.webhook && 'webhook',
      alertes.mail && `courriel (${alertes.mail.a.length} destinataire(s))`,
    ];
    const set = ways.filter(Boolean).join(', ');
    const constats = [
      bien(
        'Alertes',
        set === ''
          ? 'notées et montrées, envoyées à personne (ALERTE_WEBHOOK_URL, SMTP_URL)'
          : `envoyées par ${set}`,
      ),
    ];
    if (!isLocal(observation.metricsHost) && observation.metricsJeton === undefined) {
      constats.push(
        attention(
          'METRICS_JETON',
          `absent, et METRICS_HOST (${observation.metricsHost}) est joignable d’ailleurs : /metrics n’y répond pas`,
          'Donnez METRICS_JETON si Prometheus doit le lire.',
        ),
      );
    }
    if (!isLocal(api.host) && api.proxys.length === 0) {
      constats.push(
        attention(
          'TLS',
          `l’API écoute sur ${api.host} en HTTP clair`,
          'Mettez devant un proxy qui parle TLS, et son adresse dans PROXYS_DE_CONFIANCE.',
        ),
      );
    }
    if (api.hotes.includes(ANY_HOST) || (api.hotes.length === 0 && api.proxys.length > 0)) {
      constats.push(
        attention(
          'HOTES',
          api.hotes.length === 0
            ? 'vide : par le proxy, l’API répond à n’importe quel nom'
            : 'vaut * : l’API répond à n’importe quel nom, la page d’un autre site peut s’en servir (DNS rebinding)',
          'Mettez dans HOTES le nom par lequel on l’appelle : HOTES=atelier.usine.lan',
        ),
      );
    }
    return constats;
  },
};

/** A centre that nobody knows, in the settings of the alerts, is one whose own hours or silence are never applied. */
export async function centresDesAlertes({ config }: Cli, pool: Pool): Promise<Constat[]> {
  const { horaires, silence } = config.alertes;
  const known = await nomsConnus(pool, config.centres);
  return (
    [
      ['HORAIRES', horaires.parCentre],
      ['ALERTE_SILENCE', silence.parCentre],
    ] as const
  ).flatMap(([quoi, parCentre]) => {
    const strange = [...parCentre.keys()].filter((nom) => !known.includes(nom));
    if (strange.length === 0) return [];
    return [
      attention(
        quoi,
        `centre inconnu : ${strange.join(', ')}`,
        `Corrigez ${quoi} ; les centres connus : ${known.join(', ')}.`,
      ),
    ];
  });
}

function isLocal(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
