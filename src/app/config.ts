/**
 * All options of the process, in the sections and under the keys of a Loki configuration file; what Loki does not know is
 * marked as Edda's own in its text. Keys of Loki that mean nothing here are in ./loki-keys.ts.
 */
import { limits } from '#/logs/limits.ts'
import { defaultIndexLabelAttributes } from '#/logs/model/otlp-rules.ts'
import { bool, bytes, choice, duration, int, text, texts, type ValuesOf } from '#/platform/config/option.ts'

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
  self_logs: bool(
    false,
    'Edda: whether the process stores its own log lines, as stream `{app="edda"}` of tenant `no_auth_tenant`.',
  ),
  agent_paths: texts([], 'Edda: globs of log files that an agent inside this process ships into it.'),

  server: {
    http_listen_address: text('', 'Address to listen on; empty: all interfaces.'),
    http_listen_port: int(3100, 'Port of the HTTP server; 0: any free one.'),
    http_server_read_timeout: duration('30s', 'Longest time to receive a request.'),
    http_server_write_timeout: duration('5m', 'Longest time to answer a request.'),
    http_server_idle_timeout: duration('2m', 'How long an idle connection stays open.'),
    graceful_shutdown_timeout: duration('30s', 'How long a stop waits for requests in flight.'),
    http_path_prefix: text('', 'Prefix of every route.'),
    http_listen_conn_limit: int(0, 'Most connections at once; 0: no limit.'),
    log_level: choice(['debug', 'info', 'warn', 'error'], 'info', 'Least level of log lines that are written.'),
    log_format: choice(['logfmt', 'json'], 'logfmt', 'Format of log lines.'),
  },
  common: {
    path_prefix: text('data', 'Directory under which everything is kept that has no directory of its own.'),
    storage: {
      filesystem: {
        chunks_directory: text('', 'Directory of the blocks; empty: `blocks` under `path_prefix`.'),
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
    flush_bytes: bytes('16MB', "Edda: size of a tenant's heads at which they are written as blocks."),
    flush_age: duration(
      '5m',
      "Edda: age of a tenant's oldest entry in memory at which its heads are written as blocks.",
    ),
  },
  querier: {
    max_concurrent: int(4, 'Queries that run at once; others wait in a queue.'),
    workers: int(0, 'Edda: worker threads for scans and flushes; 0: one per core.'),
  },
  frontend: {
    max_outstanding_per_tenant: int(2048, 'Most queries of one tenant that wait; beyond it 429.'),
    compress_responses: bool(true, 'Whether answers are gzipped for clients that accept it.'),
    max_body_size: bytes('10MB', 'Largest body of a reading request.'),
  },
  limits_config: limits,
  runtime_config: {
    file: text('', 'File with `overrides:` per tenant, re-read while running.'),
    period: duration('10s', 'Time between two looks at the file.'),
  },
}

export type Config = ValuesOf<typeof sections>
