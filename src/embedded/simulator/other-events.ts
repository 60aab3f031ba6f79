import { LineTemplate } from './line-template.ts';

/**
 * What a controller writes between two pieces, in the order of one machine cycle. Names and details are
 * invented; they only have the length and the look of the real thing.
 */
export const CYCLE: readonly LineTemplate[] = [
  'StaafGeladen: Magazijn={1..12} Vak={1..40} Staaf={100000..999999} Lengte={5800.0..6500.0}mm Restlengte={210.0..5400.0}mm Scanner={OK/OK/OK/HERLEZEN} Barcode={20040000..20999999} Duur={2100..9800}ms Leverancier={DKP/RHX/SCO/ALP} Charge={10000..99999} Uitlijning={-0.90..0.90}mm',
  'KlemGesloten: Klem={1..6} Druk={5.10..6.40}bar Doel=6.00bar Positie={120.0..5800.0}mm Sensor={B12.1/B12.2/B14.0/B14.3} Kracht={410..880}N Tijd={180..640}ms Status=GEKLEMD Ventiel=Y{10..38} Herhaling={0..2} Teller={100000..999999}',
  'AsPositie: X={0.000..6400.000} Y={-180.000..180.000} Z={-95.000..260.000} A={-45.00..45.00} C={0.00..359.99} Volgfout={0.001..0.048} Snelheid={4500..38000}mm/min Override={80/90/100/100}% Status=INPOS Doel={0.000..6400.000} Koppel={4.0..68.0}% Blok=N{10..4990}',
  'MotorBelasting: Spil={12.0..78.0}% Zaag={8.0..64.0}% X={3.0..41.0}% Y={2.0..37.0}% Z={2.0..29.0}% Stroom={2.10..14.80}A Temperatuur={28.5..61.0}C Trilling={0.05..1.90}mm/s Koeling={AAN/AAN/UIT} Vermogen={0.40..9.80}kW Grens=85.0%',
  'ZaagCyclus: Zaag={1..2} Hoek={45.0/90.0/90.0/135.0} Toerental={2750..3050}rpm Aanzet={900..3200}mm/min Diepte={42.0..168.0}mm Duur={1800..6400}ms Bladuren={12.0..480.0}h Koelmiddel={OK/OK/OK/LAAG} Belasting={8.0..71.0}% Program=P{1000..4999} Zijde={L/R}',
  'FreesCyclus: Spil={1..4} Gereedschap=T{1..24} Toerental={12000..24000}rpm Aanzet={1200..6800}mm/min Bewerking={Afwatering/Slotgat/Waterkering/Boring/Sponning} Vlak={1..4} Duur={900..7400}ms Standtijd={4.0..98.0}% X={0.0..3400.0} Y={-90.0..90.0} Program=P{1000..4999} Status=GEREED',
  'BoorCyclus: Spil={1..8} Diameter={3.0/4.2/5.0/6.5/8.0/12.0}mm Diepte={8.0..64.0}mm Aantal={1..9} Toerental={4000..9000}rpm Positie={34.0..3300.0}mm Koppel={0.4..6.2}Nm Duur={400..2600}ms Status=GEREED Gereedschap=T{30..48} Standtijd={4.0..98.0}% Program=P{1000..4999}',
  'ServoStatus: As={X1/X2/Y1/Z1/Z2/A1} Modus=AUTO Regelaar={AX51/AX52/AX58} Spanning={318..331}V Stroom={1.10..11.90}A Temperatuur={31.0..58.0}C Referentie=JA Encoder={100000..9999999} Fout=0 Waarschuwing={0/0/0/0/W3310} Sleepfout={0.001..0.060}mm Bedrijf={100.0..28000.0}h',
  'MetingLengte: Gemeten={240.00..3400.00}mm Afwijking={-0.38..0.38}mm Tolerantie=0.40mm Sensor=LASER{1..2} Temperatuur={16.5..31.0}C Correctie={-0.20..0.20}mm Oordeel={GOED/GOED/GOED/GRENS} Stuk={100000..999999} Gewicht={0.120..9.800}kg Meting={1..3}/3',
  'Transportband: Band={1..3} Snelheid={12..58}m/min Positie={0.0..8200.0}mm Stukken={0..14} Fotocel={L1/L2/L3/L4} Bezet={JA/NEE} Wachtrij={0..8} Volgende={Afvoer/Reiniging/Etiket} Motor=M{20..29} Stroom={0.60..3.40}A Druk={5.10..6.40}bar Vertraging={0..900}ms',
  'EtiketGedrukt: Printer={1..2} Etiket={1000000..9999999} Formaat={100x50/70x35} Rol={3..98}% Barcode={30040000..30999999} Gelezen={JA/JA/JA/NEE} Poging={1..2} Duur={350..1900}ms Status=OK Stuk={100000..999999} Lint={3..98}% Temperatuur={24.0..51.0}C',
  'KlemGeopend: Klem={1..6} Druk={0.00..0.40}bar Positie={120.0..5800.0}mm Sensor={B12.1/B12.2/B14.0/B14.3} Tijd={140..520}ms Status=VRIJ Spaanafzuiging={AAN/AAN/UIT} Onderdruk={18.0..26.0}mbar Ventiel=Y{10..38} Teller={100000..999999}',
].map((source) => new LineTemplate(source));

/** Now and then, after any cycle. */
export const ALARM = new LineTemplate(
  'Alarm: Code={E1042/E1107/E2031/W3310/W3318/E4005} Groep={KLEM/ZAAG/LUCHT/AS/DEUR} Prioriteit={1..3} Tekst={Luchtdruk te laag/Restlengte te kort/Klem niet bereikt/Veiligheidsdeur open/Spaanbak vol} Duur={800..45000}ms Bevestigd={JA/JA/NEE}',
);

/** The details of `StukUitgevoerd` after the number of the piece. */
export const PIECE = new LineTemplate(
  'Order={2501..2552}-{1000..9899} Pos={1..48} {Lamel/Onderlat/Geleider links/Geleider rechts/Kastdeel/Kozijn/Vleugel/Tussenstijl} L={240.0..3400.0}',
);
