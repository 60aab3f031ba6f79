import { attention, bien, type Controle } from './constat.ts';

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
    return constats;
  },
};

function isLocal(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
