/*
 * What may stand before a bracket in the expressions of a schema (defaults, checks, indexes, views) that comes from a
 * backup. Whatever is not here may reach a file, a program or another server, and is refused.
 */

/** Words of the language. */
const LANGUE =
  'primary key unique check foreign references exclude include using with where and or not in any all some exists as identity ' +
  'over filter values row coalesce greatest least nullif cast extract substring trim position overlay case when then else ' +
  'select from join on by having union intersect except lateral distinct like default generated null set column nulls return ' +
  'numeric decimal varchar varying character char bpchar bit time timestamp timestamptz interval double float ' +
  'btree hash gin gist brin spgist enum order partition within group array between is limit offset statistics';

/** Functions that only compute. */
const FONCTIONS =
  'abs ceil ceiling floor round trunc sign mod div power sqrt exp ln log random length char_length octet_length bit_length lower ' +
  'upper initcap btrim ltrim rtrim left right lpad rpad replace translate substr split_part strpos starts_with concat concat_ws ' +
  'format reverse chr ascii encode decode md5 sha224 sha256 sha384 sha512 to_char to_date to_timestamp to_number date_part ' +
  'date_trunc date_bin age make_date make_time make_interval make_timestamp make_timestamptz justify_days justify_hours ' +
  'justify_interval isfinite timezone now clock_timestamp statement_timestamp transaction_timestamp gen_random_uuid uuid_send uuidv4 uuidv7 ' +
  'uuid_extract_timestamp nextval cardinality unnest generate_series generate_subscripts to_json to_jsonb row_to_json count sum ' +
  'avg min max bool_and bool_or every string_agg percentile_cont percentile_disc mode rank dense_rank row_number percent_rank ' +
  'cume_dist ntile lag lead first_value last_value nth_value stddev stddev_pop stddev_samp variance var_pop var_samp corr ' +
  'width_bucket num_nulls num_nonnulls int4range int8range numrange tsrange tstzrange daterange isempty lower_inc upper_inc ' +
  'range_agg range_merge to_tsvector to_tsquery plainto_tsquery hashtext int4 int8 text date float8 bool ' +
  'pg_current_xact_id txid_current current_setting';

const ADMIS = new Set(`${LANGUE} ${FONCTIONS}`.split(' '));
const FAMILLES = /^(jsonb?_|array_|regexp_|string_to_)/;

/** Whether a word may stand before an opening bracket. */
export function motAdmis(mot: string): boolean {
  return ADMIS.has(mot) || FAMILLES.test(mot);
}
