/**
 * All options of the process, in the sections and under the keys of a Loki configuration file; what Loki does not know is
 * marked as Edda's own in its text. Keys of Loki that mean nothing here are in ./loki-keys.ts.
 */
import { compactorOptions } from '#/logs/compactor/options.ts'
import { limits } from '#/logs/limits.ts'
import { defaultIndexLabelAttributes } from '#/logs/model/otlp-rules.ts'
import { type Credential, parseCredentials } from '#/platform/auth/credential.ts'
import {
  bool,
  bytes,
  choice,
  custom,
  duration,
  int,
  type Option,
  text,
  texts,
  type ValuesOf,
} from '#/platform/config/option.ts'
import { rulerOptions } from '#/ruler/config.ts'
import { clientAuthTypes, tlsVersions } from '#/platform/tls/server-tls.ts'

const publishedLimits = [
  'discover_log_levels',
  'discover_service_name',
  'log_level_fields',
  'max_entries_limit_per_query',
  'max_line_size_truncate',
  'max_query_bytes_read',
  'max_query_length',
  'max_query_lookback',
  'max_query_range',
  'max_query_series',
  'metric_aggregation_enabled',
  'otlp_config',
  'pattern_persistence_enabled',
  'query_timeout',
  'retention_period',
  'retention_stream',
  'volume_enabled',
  'volume_max_series',
]

/** Never shown, though it holds hashes only. */
const credentials: Option<readonly Credential[]> = {
  ...custom<readonly Credential[]>(
    'credentials',
    [],
    'Edda: users and tokens, besides those of `auth.file`; see docs/operate/security.md.',
    parseCredentials,
  ),
  format: (value) => (value.length === 0 ? '' : `${value.length} credentials`),
  isSecret: true,
}

export const sections = {
  target: texts(['all'], 'Parts of Edda that this process runs: `all`, or names of targets.'),
  auth_enabled: bool(
    true,
    'Whether requests must name their tenant in `X-Scope-OrgID`. Off when Edda starts without a file.',
  ),
  no_auth_tenant: text('fake', 'The tenant of every request while `auth_enabled` is off.'),
  shutdown_delay: duration('0s', 'How long to wait, not ready any more, before a stop begins.'),
  shutdown_timeout: duration(
    '110s',
    'Edda: how long a stop may take; whatever is not flushed by then stays in the WAL.',
  ),
  memory_limit: bytes(
    '96MB',
    'Edda: bytes for heads, caches and queries together. Beyond it: flush early, then push back.',
  ),
  tenant_limits_allow_publish: texts(publishedLimits, 'Keys of `limits_config` that a tenant may see of its limits.'),
  self_logs: bool(
    false,
    'Edda: whether the process stores its own log lines, as stream `{app="edda"}` of tenant `no_auth_tenant`.',
  ),
  agent_paths: texts([], 'Edda: globs of log files that an agent inside this process ships into it.'),

  auth: {
    file: text(
      '',
      'Edda: file of users and tokens, re-read while running. Callers must be in it, or in `auth.credentials`; when both are empty, everybody may do everything.',
    ),
    period: duration('10s', 'Edda: time between two looks at the file.'),
    credentials,
    open_paths: texts(['/ready'], 'Edda: which of `/ready` and `/metrics` need no credentials.'),
    max_password_checks: int(
      1,
      'Edda: passwords that are checked at once; each check takes 16 MB and 0.2 s of a core.',
    ),
  },

  server: {
    http_listen_address: text('', 'Address to listen on; empty: all interfaces.'),
    http_listen_port: int(3100, 'Port of the HTTP server; 0: any free one.'),
    http_server_read_timeout: duration('30s', 'Longest time to receive a request.'),
    http_server_write_timeout: duration('5m', 'Longest time to answer a request.'),
    http_server_idle_timeout: duration('2m', 'How long an idle connection stays open.'),
    graceful_shutdown_timeout: duration('30s', 'How long a stop waits for requests in flight.'),
    http_tls_config: {
      cert_file: text('', 'Certificate of the server with its chain, PEM; empty: connections are not encrypted.'),
      key_file: text('', 'Key of the certificate, PEM. Both files are re-read every 10 s.'),
      client_auth_type: choice(['', ...clientAuthTypes], '', 'Which certificates clients need. Empty is NoClientCert.'),
      client_ca_file: text('', 'Certificates that sign those of clients, PEM.'),
    },
    tls_min_version: choice(['', ...tlsVersions], '', 'Least version of TLS; empty is VersionTLS12.'),
    tls_cipher_suites: texts([], "Cipher suites for TLS 1.2 by Go's names; empty: Node's."),
    http_path_prefix: text('', 'Prefix of every route.'),
    http_listen_conn_limit: int(0, 'Most connections at once; 0: no limit.'),
    grpc_listen_address: text('', 'Address to listen on for gRPC; empty: that of HTTP.'),
    grpc_listen_port: int(
      9095,
      "Port of the gRPC server, which takes OpenTelemetry's logs; 0: none. Off when Edda starts without a file.",
    ),
    grpc_listen_conn_limit: int(0, 'Most gRPC connections at once; 0: no limit.'),
    grpc_server_max_recv_msg_size: bytes('4MB', 'Largest message over gRPC, as sent and after decompression.'),
    grpc_server_max_concurrent_streams: int(100, 'Most calls at once on one gRPC connection.'),
    debug_endpoints: choice(
      ['auto', 'on', 'off'],
      'auto',
      'Edda: whether `/debug/*` gives CPU profiles and heap snapshots, which hold whatever is in memory. `auto`: to callers with the permission `admin` where credentials are set up; else to requests from this machine only, and only while `http_listen_address` is a loopback address.',
    ),
    log_level: choice(['debug', 'info', 'warn', 'error'], 'info', 'Least level of log lines that are written.'),
    log_format: choice(['logfmt', 'json'], 'logfmt', 'Format of log lines.'),
  },
  common: {
    path_prefix: text('data', 'Directory under which everything is kept that has no directory of its own.'),
    storage: {
      filesystem: {
        chunks_directory: text('', 'Directory of the blocks; empty: `blocks` under `path_prefix`.'),
        rules_directory: text('', 'Directory of rule files, when `ruler.storage.local.directory` is not set.'),
      },
    },
  },
  storage_config: {
    filesystem: {
      directory: text('', 'Directory of the blocks; goes before `common.storage.filesystem.chunks_directory`.'),
    },
  },
  distributor: {
    max_recv_msg_size: bytes('100MB', 'Largest push body as sent.'),
    max_decompressed_size: bytes(
      '128MB',
      'Largest push body after decompression; Loki allows 5000 MB, which no small server survives.',
    ),
    otlp_config: {
      default_resource_attributes_as_index_labels: texts(
        defaultIndexLabelAttributes,
        'OTLP resource attributes that become stream labels.',
      ),
    },
    max_inflight_bytes: bytes('128MB', 'Most bytes of push bodies at work at once; beyond it 503. 0: no limit.'),
  },
  ingester: {
    wal: {
      dir: text('', 'Directory of the write-ahead log; empty: `wal` under `path_prefix`.'),
      sync: choice(
        ['commit', 'interval', 'never'],
        'commit',
        'Edda: when a push is acknowledged: after fdatasync, or before it.',
      ),
      sync_interval: duration('1s', 'Edda: time between syncs for `sync: interval`.'),
    },
    shutdown_marker_path: text(
      '',
      'Directory of the file that `/ingester/prepare_shutdown` writes; empty: that endpoint is off.',
    ),
    flush_bytes: bytes('16MB', "Edda: size of a tenant's heads at which they are written as blocks."),
    flush_age: duration(
      '5m',
      "Edda: age of a tenant's oldest entry in memory at which its heads are written as blocks.",
    ),
  },
  querier: {
    multi_tenant_queries_enabled: bool(
      false,
      'Whether a reading request may name several tenants, `X-Scope-OrgID: a|b`. Each stream of the answer then has a label `__tenant_id__`.',
    ),
    max_concurrent: int(4, 'Queries that run at once; others wait in a queue.'),
    tail_max_duration: duration('1h', 'Longest live tail; its client is told to begin again.'),
    workers: int(0, 'Edda: worker threads for scans and flushes; 0: one per core.'),
  },
  frontend: {
    max_outstanding_per_tenant: int(2048, 'Most queries of one tenant that wait; beyond it 429.'),
    compress_responses: bool(true, 'Whether answers are gzipped for clients that accept it.'),
    max_body_size: bytes('10MB', 'Largest body of a reading request.'),
  },
  query_range: {
    cache_results: bool(
      true,
      'Whether what queries find in blocks is kept in memory, inside `memory_limit`, for queries to come. Off in Loki.',
    ),
  },
  compactor: compactorOptions,
  ruler: rulerOptions,
  disk_space: {
    low_free: bytes('1GB', 'Edda: free space below which a disk is announced as filling up.'),
    read_only_free: bytes(
      '128MB',
      'Edda: free space below which new entries are refused with 503; queries go on, and what is in memory is still written.',
    ),
    writable_free: bytes('256MB', 'Edda: free space from which on new entries are taken again.'),
    check_interval: duration('5s', 'Edda: time between two looks at the free space.'),
  },
  snapshots: {
    directory: text('', 'Edda: directory of snapshots; empty: `snapshots` under `path_prefix`.'),
  },
  limits_config: limits,
  runtime_config: {
    file: text('', 'File with `overrides:` per tenant, re-read while running.'),
    period: duration('10s', 'Time between two looks at the file.'),
  },
}

export type Config = ValuesOf<typeof sections>
