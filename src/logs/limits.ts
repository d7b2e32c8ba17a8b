/**
 * Every per-tenant limit of the logs engine: one entry each. Keys, defaults and meanings are those of Loki's
 * `limits_config`; the value 0 switches a limit off unless its text says otherwise.
 */
import {
  parseBlockedQueries,
  parseMap,
  parsePolicies,
  parseRetentionRules,
  parseTextLists,
  parseTime,
  parseTimes,
} from './model/limit-values.ts'
import { defaultOtlpConfig, parseOtlpConfig } from './model/otlp-rules.ts'
import {
  bool,
  bytes,
  choice,
  custom,
  duration,
  float,
  int,
  text,
  texts,
  type ValuesOf,
} from '#/platform/config/option.ts'

const defaultServiceNameLabels = [
  'service',
  'app',
  'application',
  'app_name',
  'name',
  'app_kubernetes_io_name',
  'container',
  'container_name',
  'k8s_container_name',
  'component',
  'workload',
  'job',
  'k8s_job_name',
]
const defaultLogLevelFields = [
  'level',
  'LEVEL',
  'Level',
  'log.level',
  'severity',
  'SEVERITY',
  'Severity',
  'SeverityText',
  'lvl',
  'LVL',
  'Lvl',
  'severity_text',
  'Severity_Text',
  'SEVERITY_TEXT',
]

const ingestionLimits = {
  ingestion_rate_strategy: choice(
    ['global', 'local'],
    'global',
    'Whether the ingestion rate is shared by all distributors (global) or granted to each of them (local).',
  ),
  ingestion_rate_mb: float(4, 'Bytes of lines and structured metadata that a tenant may push, in MiB per second.'),
  ingestion_burst_size_mb: float(6, 'Bytes that a tenant may push at once, in MiB; must exceed the largest push.'),
  per_stream_rate_limit: bytes('3MB', 'Bytes that one stream may receive in a second.'),
  per_stream_rate_limit_burst: bytes('15MB', 'Bytes that one stream may receive at once.'),
  max_streams_per_user: int(0, 'Most active streams of a tenant in one ingester.'),
  max_global_streams_per_user: int(5000, 'Most active streams of a tenant in all ingesters together.'),
  use_owned_stream_count: bool(false, 'Count only the streams that the ring gives to an ingester.'),
  max_label_name_length: int(1024, 'Longest label name in bytes.'),
  max_label_value_length: int(2048, 'Longest label value in bytes.'),
  max_label_names_per_series: int(15, 'Most labels of a stream; service_name is not counted.'),
  reject_old_samples: bool(true, 'Refuse entries that are older than reject_old_samples_max_age.'),
  reject_old_samples_max_age: duration('1w', 'Age from which entries are refused.'),
  creation_grace_period: duration('10m', 'How far in the future the time of an entry may be.'),
  max_line_size: bytes('256KB', 'Longest log line that is accepted.'),
  max_line_size_truncate: bool(false, 'Cut lines that are longer than max_line_size instead of refusing them.'),
  max_line_size_truncate_identifier: text('', 'Text at the end of a line that was cut.'),
  increment_duplicate_timestamp: bool(
    false,
    'Move an entry by 1 ns when the one before it in its stream has the same time and another line.',
  ),
  allow_structured_metadata: bool(true, 'Accept structured metadata.'),
  max_structured_metadata_size: bytes('64KB', 'Most bytes of structured metadata (names and values) of an entry.'),
  max_structured_metadata_entries_count: int(128, 'Most structured metadata values of an entry.'),
  discover_service_name: texts(
    defaultServiceNameLabels,
    'Labels of which the first that a stream has becomes its service_name; an empty list switches this off.',
  ),
  discover_log_levels: bool(true, 'Give every entry the structured metadata detected_level.'),
  log_level_fields: texts(defaultLogLevelFields, 'Names under which a level is looked for.'),
  log_level_from_json_max_depth: int(2, 'How deep a level is looked for in JSON lines; 1 is the outermost object.'),
  discover_generic_fields: {
    fields: custom('map', {}, 'Structured metadata to fill from lines: name → fields to look for.', parseTextLists),
  },
  otlp_config: custom('map', defaultOtlpConfig, 'What becomes of OTLP attributes.', parseOtlpConfig),
  enforced_labels: texts([], 'Labels that every stream must have.'),
  policy_enforced_labels: custom('map', {}, 'Labels that every stream of a policy must have.', parseTextLists),
  policy_stream_mapping: custom('map', {}, 'Policies, and the selectors of their streams.', parsePolicies),
  block_ingestion_until: custom('time', 0, 'Refuse every push until this time.', parseTime),
  block_ingestion_policy_until: custom('map', {}, 'Refuse the streams of a policy until this time.', parseTimes),
  block_ingestion_status_code: int(260, 'Status of a push that was refused so; 200 drops it without an error.'),
  shard_streams: {
    enabled: bool(true, 'Split fast streams. Edda has no need to: the option is accepted and changes nothing.'),
    desired_rate: bytes('1536KB', 'Rate per second above which a stream would be split.'),
    logging_enabled: bool(false, 'Log every split.'),
    time_sharding_enabled: bool(false, 'Split streams by time.'),
    time_sharding_ignore_recent: duration('40m', 'Age below which streams are not split by time.'),
  },
  ingestion_partitions_tenant_shard_size: int(0, 'Partitions that a tenant uses.'),
  simulated_push_latency: duration('0s', 'Wait this long before every push, for tests.'),
}

const queryLimits = {
  max_entries_limit_per_query: int(5000, 'Most entries that a log query may return.'),
  max_query_series: int(500, 'Most series that a metric query may return.'),
  max_query_length: duration('721h', 'Longest time range of a query.'),
  max_query_lookback: duration('0s', 'How far back a query may look; its start is moved silently.'),
  max_query_range: duration('0s', 'Longest range in brackets of a metric query.'),
  max_query_parallelism: int(32, 'Most parts of a query that run at once; 0 forbids queries.'),
  tsdb_max_query_parallelism: int(128, 'Most parts of a query over an index that run at once.'),
  tsdb_max_bytes_per_shard: bytes('600MB', 'Bytes that one part of a query should read.'),
  tsdb_sharding_strategy: choice(['power_of_two', 'bounded'], 'power_of_two', 'How a query is split into parts.'),
  tsdb_precompute_chunks: bool(false, 'Plan the chunks of all parts at once.'),
  max_query_bytes_read: bytes('0', 'Most bytes that a query may read.'),
  max_querier_bytes_read: bytes('150GB', 'Most bytes that one part of a query may read.'),
  max_chunks_per_query: int(2_000_000, 'Most pages that a query may read.'),
  cardinality_limit: int(100_000, 'Most index entries that a query may touch.'),
  max_streams_matchers_per_query: int(1000, 'Most matchers in a query.'),
  max_concurrent_tail_requests: int(10, 'Most live tails of a tenant.'),
  query_timeout: duration('1m', 'Longest run of a query.'),
  split_queries_by_interval: duration('1h', 'Time range of one part of a query.'),
  split_metadata_queries_by_interval: duration('24h', 'Time range of one part of a labels or series request.'),
  split_recent_metadata_queries_by_interval: duration('1h', 'The same for the recent_metadata_query_window.'),
  recent_metadata_query_window: duration('0s', 'How far back labels and series requests count as recent.'),
  split_instant_metric_queries_by_interval: duration('1h', 'Time range of one part of an instant metric query.'),
  split_ingester_queries_by_interval: duration('0s', 'Time range of one part that ingesters answer.'),
  min_sharding_lookback: duration('0s', 'Age from which queries are split into parts by stream.'),
  max_cache_freshness_per_query: duration('10m', 'Age from which answers are cached.'),
  max_metadata_cache_freshness: duration('24h', 'Age from which labels and series answers are cached.'),
  max_stats_cache_freshness: duration('10m', 'Age from which statistics are cached.'),
  max_queriers_per_tenant: float(0, 'Most queriers that work for a tenant; below 1 a share of them.'),
  max_query_capacity: float(0, 'Share of all queriers that work for a tenant.'),
  volume_enabled: bool(true, 'Answer volume requests.'),
  volume_max_series: int(1000, 'Most series in the answer to a volume request.'),
  required_labels: texts([], 'Labels that every selector must have.'),
  minimum_labels_number: int(0, 'Fewest matchers of a selector.'),
  blocked_queries: custom('list', [], 'Queries that are refused.', parseBlockedQueries),
  shard_aggregations: texts([], 'Aggregations that may be computed approximately in parts, e.g. approx_topk.'),
  deletion_mode: choice(
    ['filter-and-delete', 'filter-only', 'disabled'],
    'filter-and-delete',
    'Whether delete requests hide entries, also erase them, or are refused.',
  ),
  query_ready_index_num_days: int(0, 'Days of which index files are fetched ahead.'),
  index_gateway_shard_size: int(0, 'Index gateways that a tenant uses.'),
  index_gateway_max_capacity: float(1, 'Share of all index gateways that a tenant uses.'),
}

const otherLimits = {
  retention_period: duration('0s', 'Age at which entries are removed; 0 keeps them for ever.'),
  retention_bytes: bytes(
    '0',
    'Edda: stored bytes of the tenant beyond which its oldest blocks are removed; 0: no limit.',
  ),
  retention_stream: custom('list', [], 'Other retention periods, by selector.', parseRetentionRules),
  ruler_max_rules_per_rule_group: int(0, 'Most rules in a rule group.'),
  ruler_max_rule_groups_per_tenant: int(0, 'Most rule groups of a tenant.'),
  ruler_tenant_shard_size: int(0, 'Rulers that a tenant uses.'),
  ruler_remote_write_disabled: bool(false, 'Do not send the results of recording rules.'),
  ruler_remote_write_config: custom(
    'map',
    {},
    'Receivers of recorded series by name, besides or instead of those of `ruler.remote_write.clients`.',
    parseMap,
  ),
  ruler_alertmanager_config: custom(
    'map',
    {},
    'Alertmanagers of the tenant: `alertmanager_url` and `alert_relabel_configs`, instead of those of `ruler`.',
    parseMap,
  ),
  ruler_enable_wal_replay: bool(true, 'Replay the log of recording rules at start.'),
  ruler_remote_evaluation_timeout: duration('0s', 'Longest evaluation of a rule by the query frontend.'),
  ruler_remote_evaluation_max_response_size: bytes('0', 'Largest answer to the evaluation of a rule.'),
  pattern_mining: bool(
    true,
    'Find patterns in lines when blocks are written, and answer requests for them. Takes two to four CPU-seconds per GB of lines.',
  ),
  pattern_ingester_tokenizable_json_fields_default: texts(
    ['log', 'message', 'msg', 'msg_', '_msg', 'content'],
    'Fields of JSON lines in which patterns are looked for.',
  ),
  pattern_ingester_tokenizable_json_fields_append: texts([], 'Fields added to that list.'),
  pattern_ingester_tokenizable_json_fields_delete: texts([], 'Fields taken from that list.'),
  metric_aggregation_enabled: bool(false, 'Keep counts of bytes and lines as streams of their own.'),
  pattern_persistence_enabled: bool(false, 'Keep patterns as streams of their own.'),
  pattern_rate_threshold: float(1, 'Lines per second from which a pattern is kept.'),
  pattern_persistence_granularity: duration('0s', 'Time range of one stored count of a pattern.'),
  bloom_gateway_enable_filtering: bool(false, 'Filter by bloom gateways. Blocks carry their own filters instead.'),
  bloom_creation_enabled: bool(false, 'Build blooms. Blocks carry their own filters instead.'),
  s3_sse_type: text('', 'Server-side encryption: SSE-KMS or SSE-S3.'),
  s3_sse_kms_key_id: text('', 'Key of server-side encryption.'),
  s3_sse_kms_encryption_context: text('', 'Context of server-side encryption, as JSON.'),
}

export const limits = { ...ingestionLimits, ...queryLimits, ...otherLimits }

/** The limits of one tenant. */
export type Limits = ValuesOf<typeof limits>
/** A query that an operator has blocked. */
export type BlockedQuery = Limits['blocked_queries'][number]
/**
 * Limits by tenant, as they are now; the runtime file may change them at any time. As long as they do not change, the same
 * object comes back.
 */
export type LimitsOf = (tenant: string) => Limits
