/** Reads the configuration of the process: Loki's keys and flags, Edda's own, and what follows from them. */
import { join } from 'node:path'

import { type LoadedConfig, loadConfig } from '#/platform/config/load-config.ts'
import { bool } from '#/platform/config/option.ts'
import { tlsProblems } from '#/platform/tls/server-tls.ts'
import { rulerProblems } from '#/ruler/config.ts'
import { sections } from './config.ts'
import { tlsOptions } from './config-views.ts'
import { flagAliases, lokiKeys } from './loki-keys.ts'

export const extraFlags = {
  quickstart: bool(
    false,
    'Start for a first look: on 127.0.0.1, storing its own log lines and readable files of /var/log.',
  ),
}

export type EddaConfig = LoadedConfig<typeof sections, typeof extraFlags>

export type ConfigSource = {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly readFile: (path: string) => Promise<string>
}

/**
 * What is different when nobody wrote a file: one tenant, one port, and limits that stop accidents instead of guarding a shared
 * cluster. With a file, everything that it does not say is as Loki has it.
 */
const withoutFile: Readonly<Record<string, unknown>> = {
  auth_enabled: false,
  'server.grpc_listen_port': 0,
  'limits_config.ingestion_rate_mb': 1000,
  'limits_config.ingestion_burst_size_mb': 2000,
  'limits_config.per_stream_rate_limit': 0,
  'limits_config.per_stream_rate_limit_burst': 0,
  'limits_config.max_global_streams_per_user': 0,
  'limits_config.reject_old_samples': false,
}

const quickstart: Readonly<Record<string, unknown>> = {
  'server.http_listen_address': '127.0.0.1',
  self_logs: true,
  agent_paths: ['/var/log/**/*.log', '/var/log/syslog', '/var/log/messages'],
}

/** @throws ConfigError with everything that is wrong. */
export async function loadEddaConfig({ argv, env, readFile }: ConfigSource): Promise<EddaConfig> {
  let hasFile = false
  const isQuickstart = argv.some((arg) => /^--?quickstart(=true)?$/.test(arg))
  return loadConfig(sections, {
    argv,
    env,
    extraFlags,
    flagAliases,
    foreignKeys: lokiKeys,
    readFile: async (path) => {
      const text = await readFile(path)
      hasFile = true
      return text
    },
    derive: ({ common }, isSet) => {
      const given = { ...(hasFile ? {} : withoutFile), ...(isQuickstart ? quickstart : {}) }
      return {
        ...Object.fromEntries(Object.entries(given).filter(([path]) => !isSet(path))),
        ...(isSet('ingester.wal.dir') ? {} : { 'ingester.wal.dir': join(common.path_prefix, 'wal') }),
        ...(isSet('snapshots.directory') ? {} : { 'snapshots.directory': join(common.path_prefix, 'snapshots') }),
        ...(isSet('ruler.storage.local.directory')
          ? {}
          : { 'ruler.storage.local.directory': common.storage.filesystem.rules_directory }),
        ...(isSet('storage_config.filesystem.directory')
          ? {}
          : {
              'storage_config.filesystem.directory':
                common.storage.filesystem.chunks_directory || join(common.path_prefix, 'blocks'),
            }),
      }
    },
    check: (values) => {
      const problems: string[] = [...tlsProblems(tlsOptions(values))]
      const closed = values.auth.open_paths.find((path) => path !== '/ready' && path !== '/metrics')
      if (closed !== undefined) problems.push(`auth.open_paths: ${closed} cannot be open, only /ready and /metrics can`)
      if (values.auth.max_password_checks < 1) problems.push('auth.max_password_checks must be at least 1')
      problems.push(...rulerProblems(values.ruler))
      const { read_only_free, writable_free } = values.disk_space
      if (writable_free < read_only_free) {
        problems.push(
          `disk_space.writable_free ${writable_free} bytes is less than disk_space.read_only_free ${read_only_free}`,
        )
      }
      if (values.ingester.flush_bytes * 2 > values.memory_limit) {
        problems.push(
          `memory_limit ${values.memory_limit} bytes is less than twice ingester.flush_bytes ${values.ingester.flush_bytes}: a head must fit while another one is flushed`,
        )
      }
      return problems
    },
  })
}
