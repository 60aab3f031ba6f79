// The page of `/docs`, as a person uses it, in Debian's Chromium.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type ConsoleMessage, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MOT_DE_PASSE } from '../harness/api.ts';
import { type ApiAvecDonnees, createApiAvecDonnees } from '../harness/api-donnees.ts';

const program = ['chromium', 'chromium-browser', 'google-chrome']
  .flatMap((name) => (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, name)))
  .find((file) => existsSync(file));

/** Runs in the page before anything of it: what its policy forbids is a complaint too. */
const VIOLATIONS = `document.addEventListener('securitypolicyviolation', (event) =>
  console.error('CSP : ' + event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sourceFile));`;

let donnees: ApiAvecDonnees;
let address: string;
let browser: Browser;
beforeAll(async () => {
  if (program === undefined) {
    throw new Error('Chromium manque : `node test/prepare.ts chromium`, ou sudo apt-get install chromium');
  }
  donnees = await createApiAvecDonnees();
  address = await donnees.api.app.listen({ host: '127.0.0.1', port: 0 });
  browser = await chromium.launch({
    executablePath: program,
    args: [
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-dev-shm-usage',
      // Its sandbox does not start for root, as whom containers run.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ],
  });
});
afterAll(async () => {
  await browser?.close();
  await donnees?.close();
});

describe('/docs', () => {
  let page: Page;
  /** everything that the browser complained of */
  let complaints: string[];
  /** requests that left for anywhere but this server */
  let strangers: string[];

  beforeEach(async () => {
    complaints = [];
    strangers = [];
    page = await browser.newPage({ locale: 'fr-FR', viewport: { width: 1280, height: 1000 } });
    page.on('console', (message: ConsoleMessage) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (url.origin !== address && url.protocol !== 'data:') strangers.push(request.url());
    });
    await page.addInitScript({ content: VIOLATIONS });
    await page.goto(`${address}/docs`);
    await page.getByRole('heading', { name: /^atelier/ }).waitFor();
  });
  afterEach(async () => page?.close());

  it('S21, S30: loads without a complaint of the browser, from this server alone', async () => {
    const title = await page.title();
    expect(title).toBe('API d’atelier');
    for (const { name } of (donnees.api.app.swagger() as { tags?: { name: string }[] }).tags ?? []) {
      await page.locator(`[data-tag="${name}"]`).waitFor();
    }
    expect(complaints).toEqual([]);
    expect(strangers).toEqual([]);
  });

  it('Authorize takes name and password; then « Execute » answers the rows', async () => {
    await seConnecter(page);
    await deplier(page, 'centres', 'lister_centre_usinage');
    const operation = page.locator('#operations-centres-lister_centre_usinage');
    await operation.getByRole('button', { name: 'Execute' }).click();
    const live = operation.locator('.live-responses-table');
    await live.locator('.response-col_status', { hasText: '200' }).first().waitFor();
    const body = await live.locator('.highlight-code pre').first().innerText();
    const rows = JSON.parse(body) as { nom: string }[];
    expect(rows.map(({ nom }) => nom)).toEqual(expect.arrayContaining(['DEM12', 'SU12']));
    expect(complaints).toEqual([]);
    expect(strangers).toEqual([]);
  });

  it('« Execute » on a list of many filters sends none that nobody filled in', async () => {
    await seConnecter(page);
    await deplier(page, 'sessions', 'lister_session_production');
    const operation = page.locator('#operations-sessions-lister_session_production');
    const [request] = await Promise.all([
      page.waitForRequest((asked) => asked.url().includes('/sessions/')),
      operation.getByRole('button', { name: 'Execute' }).click(),
    ]);
    expect(new URL(request.url()).search).toBe('');
    expect((await request.response())?.status()).toBe(200);
  });

  it('a wrong password is said in the dialog, and nobody is signed in', async () => {
    await page.getByRole('button', { name: 'Authorize' }).first().click();
    const dialog = page.locator('.modal-ux');
    await dialog.locator('#oauth_username').fill('lecteur');
    await dialog.locator('#oauth_password').fill('faux');
    await dialog.getByRole('button', { name: 'Apply given OAuth2 credentials' }).click();
    await dialog.locator('.errors', { hasText: /Nom ou mot de passe incorrect|invalid_grant/i }).waitFor();
  });

  it('works with the keyboard alone', async () => {
    // To the button by Tab, through the dialog by Tab, and back.
    await tabulerJusqua(page, '.btn.authorize');
    await page.keyboard.press('Enter');
    await page.locator('.modal-ux #oauth_username').waitFor();
    await tabulerJusqua(page, '#oauth_username');
    await page.keyboard.type('lecteur');
    await tabulerJusqua(page, '#oauth_password');
    await page.keyboard.type(MOT_DE_PASSE);
    await tabulerJusqua(page, '[aria-label="Apply given OAuth2 credentials"]');
    await page.keyboard.press('Enter');
    await page.locator('.modal-ux').getByRole('button', { name: 'Remove authorization' }).waitFor();
    await tabulerJusqua(page, '.btn-done');
    await page.keyboard.press('Enter');
    await page.locator('.modal-ux').waitFor({ state: 'detached' });
    expect(complaints).toEqual([]);
  });
});

async function seConnecter(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Authorize' }).first().click();
  const dialog = page.locator('.modal-ux');
  await dialog.locator('#oauth_username').fill('lecteur');
  await dialog.locator('#oauth_password').fill(MOT_DE_PASSE);
  await dialog.getByRole('button', { name: 'Apply given OAuth2 credentials' }).click();
  await dialog.getByRole('button', { name: 'Remove authorization' }).waitFor();
  await dialog.getByRole('button', { name: 'Close' }).last().click();
}

async function deplier(page: Page, tag: string, operation: string): Promise<void> {
  const section = page.locator(`#operations-tag-${tag}`);
  await section.waitFor();
  if ((await section.getAttribute('data-is-open')) === 'false') await section.click();
  await page.locator(`#operations-${tag}-${operation} .opblock-summary-control`).click();
}

/** Presses Tab until what has the focus is what a selector names. */
async function tabulerJusqua(page: Page, selecteur: string): Promise<void> {
  for (let i = 0; i < 60; i++) {
    if (await page.evaluate(`document.activeElement?.matches(${JSON.stringify(selecteur)}) ?? false`)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`${selecteur} : jamais atteint par Tab`);
}
