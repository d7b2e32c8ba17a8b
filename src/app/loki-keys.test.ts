import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { limits } from '#/logs/limits.ts'
import { type LoadedConfig, loadConfig } from '#/platform/config/load-config.ts'
import { listOptions } from '#/platform/config/option-paths.ts'
import { findForeign } from '#/platform/config/read-yaml.ts'
import { sections } from './config.ts'
import { flagAliases, lokiKeys, lokiLimits } from './loki-keys.ts'

function load(
  yaml: string,
  argv: readonly string[] = [],
): Promise<LoadedConfig<typeof sections, Record<never, never>>> {
  return loadConfig(sections, { argv, env: {}, readFile: async () => yaml, foreignKeys: lokiKeys, flagAliases })
}

describe('lokiKeys', () => {
  it('says for each key what happens, once', () => {
    const paths = lokiKeys.map(({ path }) => path)
    const repeated = paths.filter((path, index) => paths.indexOf(path) !== index)
    assert.deepEqual(repeated, [])
    for (const { path, instead } of lokiKeys) {
      assert.match(path, /^[a-z0-9_]+(\.[a-z0-9_]+)*$/)
      assert.match(instead, /^\S.*[^.\s]$/, path)
    }
  })

  it('does not take the effect of an option', () => {
    const taken = listOptions(sections)
      .map(({ path }) => path)
      // limits are declared for their types, also where they have no effect yet
      .filter((path) => !path.startsWith('limits_config.') && findForeign(path, lokiKeys) !== undefined)
    assert.deepEqual(taken, [])
  })

  it('holds the limits of a runtime file without their section', () => {
    assert.ok(lokiLimits.length > 20)
    assert.ok(lokiLimits.some(({ path }) => path === 'allow_deletes'))
    assert.ok(Object.hasOwn(limits, 'retention_period'))
  })
})

describe('flagAliases', () => {
  it('lead to options or to keys that are known', () => {
    const paths = new Set(listOptions(sections).map(({ path }) => path))
    const lost = Object.entries(flagAliases).filter(
      ([, path]) => !paths.has(path) && findForeign(path, lokiKeys) === undefined,
    )
    assert.deepEqual(lost, [])
  })
})

describe('configuration files of Loki', () => {
  it('start Edda: a single binary with retention', async () => {
    const { values, warnings } = await load(`
auth_enabled: false
server: {http_listen_port: 3100, grpc_listen_port: 9096}
common:
  instance_addr: 127.0.0.1
  path_prefix: /loki
  storage: {filesystem: {chunks_directory: /loki/chunks, rules_directory: /loki/rules}}
  replication_factor: 1
  ring: {kvstore: {store: inmemory}}
query_range: {results_cache: {cache: {embedded_cache: {enabled: true, max_size_mb: 100}}}}
schema_config:
  configs: [{from: 2024-04-01, store: tsdb, object_store: filesystem, schema: v13, index: {prefix: index_, period: 24h}}]
pattern_ingester: {enabled: true, metric_aggregation: {loki_address: localhost:3100}}
ruler: {alertmanager_url: http://localhost:9093}
frontend: {encoding: protobuf}
compactor: {retention_enabled: true, delete_request_store: filesystem}
limits_config: {retention_period: 744h, metric_aggregation_enabled: true, max_line_size: 1MB}
analytics: {reporting_enabled: false}
`)
    assert.equal(values.auth_enabled, false)
    assert.equal(values.common.path_prefix, '/loki')
    assert.equal(values.common.storage.filesystem.chunks_directory, '/loki/chunks')
    assert.equal(values.limits_config.max_line_size, 1_048_576)
    assert.equal(values.common.storage.filesystem.rules_directory, '/loki/rules')
    const keys = warnings.map((warning) => /: (\S+) is /.exec(warning)?.[1])
    assert.deepEqual(keys, [
      'common.instance_addr',
      'common.replication_factor',
      'common.ring',
      'query_range.results_cache',
      'schema_config',
      'pattern_ingester',
      'frontend.encoding',
      'compactor.delete_request_store',
      'limits_config.metric_aggregation_enabled',
      'analytics',
    ])
    assert.equal(
      warnings[4],
      'config.yaml:11: schema_config is ignored: every block carries its own index; there is no schema and no index to ship',
    )
  })

  it('start Edda: an old one, for a cluster on S3', async () => {
    const { values } = await load(
      `
target: all
server: {log_level: warn, grpc_server_max_recv_msg_size: 104857600, http_server_read_timeout: 10m}
memberlist: {join_members: [loki-memberlist], bind_port: 7946}
ingester:
  lifecycler: {ring: {kvstore: {store: memberlist}, replication_factor: 3}}
  chunk_encoding: snappy
  chunk_idle_period: 1h
  max_chunk_age: 2h
  wal: {enabled: true, dir: /loki/wal, replay_memory_ceiling: 500MB}
storage_config:
  boltdb_shipper: {active_index_directory: /loki/index, shared_store: s3}
  tsdb_shipper: {active_index_directory: /loki/tsdb}
  aws: {s3: s3://key:secret@region/bucket}
chunk_store_config: {chunk_cache_config: {memcached_client: {host: memcached}}}
table_manager: {retention_deletes_enabled: false}
querier: {max_concurrent: 8, query_ingesters_within: 2h}
query_scheduler: {max_outstanding_requests_per_tenant: 4096}
limits_config: {ingestion_rate_mb: 20, tsdb_max_query_parallelism: 256, allow_deletes: true, unordered_writes: true}
tracing: {enabled: false}
`,
      [
        '-config.expand-env=true',
        '-log.level=debug',
        '-querier.max-query-series=9',
        '-ruler.enable-api',
        '-auth.enabled=false',
      ],
    )
    assert.equal(values.server.log_level, 'debug')
    assert.equal(values.auth_enabled, false)
    assert.equal(values.ingester.wal.dir, '/loki/wal')
    assert.equal(values.querier.max_concurrent, 8)
    assert.equal(values.limits_config.max_query_series, 9)
  })

  it('are errors where they are misspelt', async () => {
    await assert.rejects(load('schema_confg: {}'), /unknown key schema_confg, did you mean schema_config\?/)
    await assert.rejects(load('ingester: {chunk_encodings: gzip}'), /did you mean chunk_encoding\?/)
    await assert.rejects(load('limits_config: {retention_perod: 1h}'), /did you mean retention_period\?/)
    await assert.rejects(load('', ['-log.levl=debug']), /-log\.levl, did you mean -log\.level\?/)
  })
})
