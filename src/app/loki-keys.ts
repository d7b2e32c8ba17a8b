/**
 * What a Loki configuration file may hold that has no effect here. Each key, with everything below it, is accepted with one
 * warning that says what Edda does instead; keys that this table and ./config.ts do not know are errors. A limit that is declared
 * (its value is checked) but changes nothing is listed too.
 *
 * The second table gives the flags whose names in Loki do not follow from the YAML path.
 */
import type { ForeignKey } from '#/platform/config/read-yaml.ts'

/** It can mean nothing here. */
const ignored = (instead: string, ...paths: readonly string[]): ForeignKey[] =>
  paths.map((path) => ({ path, fate: 'ignored', instead }))

/** It will mean something. */
const notYet = (instead: string, ...paths: readonly string[]): ForeignKey[] =>
  paths.map((path) => ({ path, fate: 'not yet', instead }))

/** Paths of one section. */
const inside = (section: string, keys: string): string[] =>
  keys
    .trim()
    .split(/\s+/)
    .map((key) => `${section}.${key}`)

const oneProcess = 'this process is a cluster of one and needs no ring'
const ownFormat = 'blocks of all streams of a tenant take the place of chunks, and choose their encoding themselves'
const ownIndex = 'every block carries its own index; there is no schema and no index to ship'
const localStore = 'blocks are kept in a directory, see `storage_config.filesystem.directory`'
const noCaches = 'there is one cache in memory, inside `memory_limit`'
const noRpc = 'all parts run in one process and call each other directly'

const topLevel: readonly ForeignKey[] = [
  ...ignored('memory is bounded by `memory_limit`', 'ballast_bytes'),
  ...ignored('metrics keep the names that dashboards know, `loki_*`', 'metrics_namespace'),
  ...ignored(ownIndex, 'schema_config', 'chunk_store_config.cache_lookups_older_than', 'table_manager'),
  ...ignored(noCaches, 'chunk_store_config', 'query_range.results_cache'),
  ...ignored(
    'labels, series, volumes and statistics come from indexes in memory; see `query_range.cache_results` for the rest',
    ...inside(
      'query_range',
      `cache_index_stats_results cache_volume_results cache_series_results cache_label_results
       cache_instant_metric_results instant_metric_query_split_align index_stats_results_cache volume_results_cache
       series_results_cache label_results_cache instant_metric_results_cache`,
    ),
  ),
  ...ignored('metric queries are aligned to their step', 'query_range.align_queries_with_step'),
  ...ignored(
    'a query is divided among the threads of the process, and not run again',
    ...inside('query_range', 'max_retries parallelise_shardable_queries shard_aggregations'),
  ),
  ...ignored('nothing is reported to anyone', 'analytics'),
  ...ignored('use the profiler of Node', 'profiling'),
  ...ignored('queries have one engine', 'query_engine', 'dataobj'),
  ...ignored('pages carry filters of their own', 'bloom_build', 'bloom_gateway', 'bloom_compactor'),
  ...ignored(ownIndex, 'index_gateway'),
  ...ignored('the WAL takes the place of a queue in front', 'kafka_config', 'partition_ring'),
  ...ignored(
    'limits are kept by the distributor',
    'ingest_limits',
    'ingest_limits_frontend',
    'ingest_limits_frontend_client',
  ),
  ...notYet('access is by tenant alone', 'lbac'),
  ...notYet('there is no user interface yet', 'ui'),
  ...notYet('own traces are not written', 'tracing'),
  ...notYet(
    oneProcess,
    'compactor_grpc_client',
    ...inside('compactor', 'compactor_ring horizontal_scaling_mode jobs_config'),
  ),
  ...ignored(
    'delete requests and what is left to do are kept with the blocks',
    ...inside(
      'compactor',
      `working_directory delete_request_store delete_request_store_key_prefix delete_request_store_db_type
       backup_delete_request_store_file shared_store shared_store_key_prefix deletion_marker_object_store_prefix`,
    ),
  ),
  ...ignored(
    'blocks are merged and removed a few at a time',
    ...inside(
      'compactor',
      `retention_delete_worker_count retention_table_timeout retention_backoff_config delete_batch_size
       max_compaction_parallelism upload_parallelism tables_to_compact skip_latest_n_tables deletion_mode
       run_once`,
    ),
  ),
  ...ignored(
    'patterns are found as `limits_config.pattern_mining` says, and kept with the entries',
    'pattern_ingester',
  ),
  ...notYet(oneProcess, 'memberlist'),
  ...notYet(noRpc, 'ingester_client', 'frontend_worker'),
  ...notYet('queries wait in the queue of the frontend, see `frontend.max_outstanding_per_tenant`', 'query_scheduler'),
  ...notYet('requests are logged as `server.log_level` says', 'operational_config'),
]

const server: readonly ForeignKey[] = [
  ...notYet('gRPC has the certificates of `http_tls_config`', 'server.grpc_tls_config'),
  ...ignored(
    'gRPC serves small calls, and keeps its connections open as long as their clients answer',
    ...inside(
      'server',
      `grpc_listen_network grpc_server_max_send_msg_size
       grpc_server_max_connection_idle grpc_server_max_connection_age grpc_server_max_connection_age_grace
       grpc_server_keepalive_time grpc_server_keepalive_timeout grpc_server_min_time_between_pings
       grpc_server_ping_without_stream_allowed grpc_server_num_workers grpc_server_stats_tracking_enabled
       grpc_server_recv_buffer_pools_enabled`,
    ),
  ),
  ...notYet('the address of the connection is taken', ...inside('server', 'proxy_protocol_enabled')),
  ...ignored('TCP over IPv4 and IPv6 is served', ...inside('server', 'http_listen_network')),
  ...ignored('it is the same as `http_server_read_timeout`', ...inside('server', 'http_server_read_header_timeout')),
  ...ignored('`/metrics` is always there', ...inside('server', 'register_instrumentation')),
  ...ignored(
    'requests are logged at level debug, refused ones at info, failed ones at warn',
    ...inside(
      'server',
      `log_source_ips_enabled log_source_ips_full log_source_ips_header log_source_ips_regex log_request_headers
       log_request_exclude_headers_list log_request_at_info_level_enabled`,
    ),
  ),
]

const cloudStores = 's3 gcs azure alibabacloud bos swift cos'

const shared: readonly ForeignKey[] = [
  ...notYet(localStore, ...inside('common.storage', `${cloudStores} object_store`)),
  ...notYet('requests to the store are not hedged', ...inside('common.storage', 'hedging congestion_control')),
  ...notYet(
    oneProcess,
    ...inside(
      'common',
      'persist_tokens replication_factor ring instance_interface_names instance_addr compactor_address compactor_grpc_address',
    ),
  ),
  ...ignored('temporary files lie beside what they become', 'common.scratch_path'),
]

const rules: readonly ForeignKey[] = [
  ...ignored('rules are kept with the blocks, or in the files of `ruler.storage.local.directory`', 'ruler_storage'),
  ...ignored('rules are kept in memory', 'ruler.rule_path'),
  ...ignored('alerts are sent with version 2 of the API', 'ruler.enable_alertmanager_v2'),
  ...notYet(
    'addresses are resolved for each connection',
    ...inside('ruler', 'enable_alertmanager_discovery alertmanager_refresh_interval'),
  ),
  ...notYet(
    'use tokens or passwords',
    ...inside('ruler.alertmanager_client', 'credentials_file'),
    ...tlsKeys('ruler.alertmanager_client'),
  ),
  ...notYet(
    oneProcess,
    ...inside('ruler', `enable_sharding sharding_strategy sharding_algo ring flush_period search_pending_for client`),
  ),
  ...ignored('groups are told apart in metrics', 'ruler.disable_rule_group_label'),
  ...notYet('samples wait in memory', 'ruler.wal', 'ruler.wal_cleaner'),
  ...notYet(
    'name receivers in `ruler.remote_write.clients`',
    ...inside('ruler.remote_write', 'client config_refresh_period'),
  ),
  ...ignored('rules are evaluated as other queries are', 'ruler.evaluation'),
  ...notYet(localStore, ...inside('ruler.storage', 's3 gcs azure swift cos bos alibabacloud backend')),
]

function tlsKeys(section: string): string[] {
  return inside(
    section,
    'tls_cert_path tls_key_path tls_ca_path tls_server_name tls_insecure_skip_verify tls_cipher_suites tls_min_version',
  )
}

const write: readonly ForeignKey[] = [
  ...notYet(oneProcess, 'distributor.ring', 'distributor.rate_store'),
  ...notYet('refused lines are counted by reason, not logged', 'distributor.write_failures_logging'),
  ...notYet('policies are set by tenant', 'distributor.default_policy_stream_mappings'),
  ...ignored('one event loop serves all pushes', 'distributor.push_worker_count', 'distributor.circuit_breaker'),
  ...ignored(
    'the WAL takes the place of a queue in front',
    ...inside('distributor', 'kafka_writes_enabled ingester_writes_enabled kafka_config tenant_topic'),
  ),
  ...notYet(oneProcess, ...inside('ingester', 'lifecycler autoforget_unhealthy owned_streams_check_interval')),
  ...ignored(
    ownFormat,
    ...inside(
      'ingester',
      `chunk_idle_period chunk_target_size chunk_block_size chunk_encoding chunk_retain_period sync_period
       sync_min_utilization index_shards`,
    ),
  ),
  ...ignored(
    'heads are flushed at `ingester.flush_bytes` and `ingester.flush_age`',
    ...inside('ingester', 'max_chunk_age concurrent_flushes flush_check_period flush_op_backoff flush_op_timeout'),
  ),
  ...ignored('entries in any order are accepted', ...inside('ingester', 'unordered_writes')),
  ...ignored(
    'one answer names every refused entry, up to its own limit',
    ...inside('ingester', 'max_returned_stream_errors'),
  ),
  ...ignored('a query sees the head and all blocks', ...inside('ingester', 'query_store_max_look_back_period')),
  ...ignored('at most 1,000 dropped entries are reported', ...inside('ingester', 'max_dropped_streams')),
  ...ignored('the WAL takes the place of a queue in front', ...inside('ingester', 'kafka_ingestion')),
  ...ignored('what is acknowledged is in the WAL, always', 'ingester.wal.enabled'),
  ...ignored('flushed segments are dropped; there is nothing to check-point', 'ingester.wal.checkpoint_duration'),
  ...ignored('a stop flushes everything', 'ingester.wal.flush_on_shutdown'),
  ...ignored('a replay keeps inside `memory_limit`', 'ingester.wal.replay_memory_ceiling'),
  ...ignored('pushes get 503 while the disk is full, and go on by themselves', 'ingester.wal.disk_full_threshold'),
]

const storage: readonly ForeignKey[] = [
  ...notYet(localStore, ...inside('storage_config', `aws ${cloudStores} named_stores object_store object_prefix`)),
  ...notYet('requests to the store are not hedged', ...inside('storage_config', 'hedging congestion_control')),
  ...ignored(
    'reads are coalesced and bounded by the querier',
    ...inside('storage_config', 'max_parallel_get_chunk max_chunk_batch_size'),
  ),
  ...ignored('there is one store client', ...inside('storage_config', 'use_thanos_objstore')),
  ...ignored(
    ownIndex,
    ...inside(
      'storage_config',
      `tsdb_shipper boltdb_shipper boltdb bloom_shipper cassandra grpc_store bigtable aws_dynamodb
       index_queries_cache_config index_cache_validity disable_broad_index_queries`,
    ),
  ),
]

const read: readonly ForeignKey[] = [
  ...ignored('live tails are served by the process itself', 'frontend.tail_proxy_url'),
  ...ignored(
    'a query sees the heads and all blocks in one consistent view',
    ...inside(
      'querier',
      'query_ingesters_within extra_query_delay query_store_only query_ingester_only query_partition_ingesters',
    ),
  ),
  ...notYet('limits are set by tenant', 'querier.per_request_limits_enabled'),
  ...ignored('queries have one engine', 'querier.engine', 'querier.engine_v2'),
  ...ignored('every query is logged with its figures', 'frontend.log_queries_longer_than'),
  ...notYet('figures are in the answer', 'frontend.query_stats_enabled'),
  ...ignored(
    noRpc,
    ...inside('frontend', 'encoding scheduler_worker_concurrency graceful_shutdown_timeout address port'),
  ),
  ...notYet(
    noRpc,
    ...inside(
      'frontend',
      'downstream_url scheduler_address scheduler_dns_lookup_period instance_addr instance_interface_names',
    ),
  ),
  ...notYet('answers are JSON', 'frontend.support_parquet_encoding'),
]

const limits: readonly ForeignKey[] = [
  ...ignored('a stream may be as fast as the tenant: blocks hold many streams each', 'limits_config.shard_streams'),
  ...ignored('entries in any order are accepted', 'limits_config.unordered_writes'),
  ...ignored(
    ownIndex,
    ...inside(
      'limits_config',
      `tsdb_max_query_parallelism tsdb_max_bytes_per_shard tsdb_sharding_strategy tsdb_precompute_chunks
       query_ready_index_num_days index_gateway_shard_size index_gateway_max_capacity min_sharding_lookback
       max_chunks_per_query cardinality_limit`,
    ),
  ),
  ...ignored(
    'pages carry filters of their own',
    ...inside(
      'limits_config',
      `bloom_gateway_enable_filtering bloom_creation_enabled bloom_gateway_shard_size bloom_compactor_shard_size
       bloom_build_max_builders bloom_build_task_max_retries bloom_build_builder_response_timeout bloom_block_encoding
       bloom_ngram_length bloom_ngram_skip bloom_false_positive_rate bloom_max_block_size bloom_max_bloom_size
       bloom_prefetch_blocks bloom_planning_strategy bloom_split_series_keyspace_by bloom_task_target_series_chunk_size`,
    ),
  ),
  ...ignored(
    'the WAL takes the place of a queue in front',
    ...inside('limits_config', 'ingestion_partitions_tenant_shard_size simulated_push_latency'),
  ),
  ...ignored('`deletion_mode` says it', ...inside('limits_config', 'allow_deletes')),
  ...notYet(
    'receivers of a tenant are named by `ruler_remote_write_config` and `ruler_alertmanager_config`',
    ...inside(
      'limits_config',
      `ruler_tenant_shard_size ruler_remote_write_url ruler_remote_write_timeout
       ruler_remote_write_headers ruler_remote_write_relabel_configs ruler_remote_write_queue_capacity
       ruler_remote_write_queue_max_shards ruler_remote_write_queue_min_shards ruler_remote_write_sigv4_config
       ruler_enable_wal_replay ruler_remote_evaluation_timeout
       ruler_remote_evaluation_max_response_size ruler_evaluation_delay_duration`,
    ),
  ),
  ...notYet(
    'patterns are kept in blocks, not as streams; fields of messages are known by common names',
    ...inside(
      'limits_config',
      `pattern_ingester_tokenizable_json_fields_default pattern_ingester_tokenizable_json_fields_append
       pattern_ingester_tokenizable_json_fields_delete metric_aggregation_enabled pattern_persistence_enabled
       pattern_rate_threshold pattern_persistence_granularity`,
    ),
  ),
  ...ignored(
    'only what blocks hold is kept, which never grows old',
    ...inside('limits_config', 'max_cache_freshness_per_query max_metadata_cache_freshness max_stats_cache_freshness'),
  ),
  ...notYet('volumes are not served', ...inside('limits_config', 'volume_enabled volume_max_series')),
  ...notYet(
    oneProcess,
    ...inside('limits_config', 'max_queriers_per_tenant max_query_capacity use_owned_stream_count'),
  ),
  ...notYet(localStore, ...inside('limits_config', 's3_sse_type s3_sse_kms_key_id s3_sse_kms_encryption_context')),
  ...ignored(
    'use the runtime file',
    ...inside('limits_config', 'per_tenant_override_config per_tenant_override_period'),
  ),
]

export const lokiKeys: readonly ForeignKey[] = [
  ...topLevel,
  ...server,
  ...shared,
  ...rules,
  ...write,
  ...storage,
  ...read,
  ...limits,
]

/** `limits_config` as a runtime file has it, below a tenant. */
export const lokiLimits: readonly ForeignKey[] = lokiKeys
  .filter(({ path }) => path.startsWith('limits_config.'))
  .map((key) => ({ ...key, path: key.path.slice('limits_config.'.length) }))

/** Loki's flags → paths of options (or of keys above). */
export const flagAliases: Readonly<Record<string, string>> = {
  'auth.enabled': 'auth_enabled',
  'auth.no-auth-tenant': 'no_auth_tenant',
  'log.level': 'server.log_level',
  'log.format': 'server.log_format',
  'server.path-prefix': 'server.http_path_prefix',
  'server.http-conn-limit': 'server.http_listen_conn_limit',
  'server.http-read-timeout': 'server.http_server_read_timeout',
  'server.http-write-timeout': 'server.http_server_write_timeout',
  'server.http-idle-timeout': 'server.http_server_idle_timeout',
  'server.http-tls-cert-path': 'server.http_tls_config.cert_file',
  'server.http-tls-key-path': 'server.http_tls_config.key_file',
  'server.http-tls-client-auth': 'server.http_tls_config.client_auth_type',
  'server.http-tls-ca-path': 'server.http_tls_config.client_ca_file',
  'server.grpc-max-recv-msg-size-bytes': 'server.grpc_server_max_recv_msg_size',
  'server.grpc-max-concurrent-streams': 'server.grpc_server_max_concurrent_streams',
  'server.grpc-conn-limit': 'server.grpc_listen_conn_limit',
  'server.grpc-max-send-msg-size-bytes': 'server.grpc_server_max_send_msg_size',
  'ingester.wal-dir': 'ingester.wal.dir',
  'ingester.wal-enabled': 'ingester.wal.enabled',
  'ingester.checkpoint-duration': 'ingester.wal.checkpoint_duration',
  'ingester.flush-on-shutdown': 'ingester.wal.flush_on_shutdown',
  'ingester.wal-replay-memory-ceiling': 'ingester.wal.replay_memory_ceiling',
  'ingester.chunks-idle-period': 'ingester.chunk_idle_period',
  'ingester.chunks-block-size': 'ingester.chunk_block_size',
  'local.chunk-directory': 'storage_config.filesystem.directory',
  'memberlist.join': 'memberlist.join_members',
  'reporting.enabled': 'analytics.reporting_enabled',
  'runtime-config.reload-period': 'runtime_config.period',
  'querier.max-outstanding-requests-per-tenant': 'frontend.max_outstanding_per_tenant',
  'querier.compress-http-responses': 'frontend.compress_responses',
  'frontend.max-body-size': 'frontend.max_body_size',
  'distributor.ingestion-rate-limit-strategy': 'limits_config.ingestion_rate_strategy',
  'distributor.ingestion-rate-limit-mb': 'limits_config.ingestion_rate_mb',
  'distributor.ingestion-burst-size-mb': 'limits_config.ingestion_burst_size_mb',
  'distributor.max-line-size': 'limits_config.max_line_size',
  'distributor.max-line-size-truncate': 'limits_config.max_line_size_truncate',
  'ingester.per-stream-rate-limit': 'limits_config.per_stream_rate_limit',
  'ingester.per-stream-rate-limit-burst': 'limits_config.per_stream_rate_limit_burst',
  'ingester.max-streams-per-user': 'limits_config.max_streams_per_user',
  'ingester.max-global-streams-per-user': 'limits_config.max_global_streams_per_user',
  'validation.max-length-label-name': 'limits_config.max_label_name_length',
  'validation.max-length-label-value': 'limits_config.max_label_value_length',
  'validation.max-label-names-per-series': 'limits_config.max_label_names_per_series',
  'validation.reject-old-samples': 'limits_config.reject_old_samples',
  'validation.reject-old-samples.max-age': 'limits_config.reject_old_samples_max_age',
  'validation.create-grace-period': 'limits_config.creation_grace_period',
  'validation.increment-duplicate-timestamps': 'limits_config.increment_duplicate_timestamp',
  'validation.allow-structured-metadata': 'limits_config.allow_structured_metadata',
  'validation.discover-service-name': 'limits_config.discover_service_name',
  'validation.discover-log-levels': 'limits_config.discover_log_levels',
  'validation.max-entries-limit': 'limits_config.max_entries_limit_per_query',
  'limits.max-structured-metadata-size': 'limits_config.max_structured_metadata_size',
  'limits.max-structured-metadata-entries-count': 'limits_config.max_structured_metadata_entries_count',
  'limits.volume-enabled': 'limits_config.volume_enabled',
  'querier.max-query-series': 'limits_config.max_query_series',
  'querier.max-query-lookback': 'limits_config.max_query_lookback',
  'querier.max-query-range': 'limits_config.max_query_range',
  'querier.max-query-parallelism': 'limits_config.max_query_parallelism',
  'querier.max-streams-matcher-per-query': 'limits_config.max_streams_matchers_per_query',
  'querier.max-concurrent-tail-requests': 'limits_config.max_concurrent_tail_requests',
  'querier.query-timeout': 'limits_config.query_timeout',
  'querier.split-queries-by-interval': 'limits_config.split_queries_by_interval',
  'store.max-query-length': 'limits_config.max_query_length',
  'store.retention': 'limits_config.retention_period',
}
