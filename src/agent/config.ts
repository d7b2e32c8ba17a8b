/** Options of the agent: keys of `agent.yaml`, and what `startAgent` takes. Durations are milliseconds, sizes bytes. */
import { bytes, custom, defaultsOf, duration, int, secret, text, type ValuesOf } from '#/platform/config/option.ts'

/** Files to follow and the labels that their lines get. */
export type AgentTarget = {
  /** Globs of absolute paths; `**` matches any number of directories. */
  readonly paths: readonly string[]
  /** Globs of paths that are left out. */
  readonly exclude: readonly string[]
  /** Static labels of the streams; `filename` is added. */
  readonly labels: Readonly<Record<string, string>>
}

export const agentOptions = {
  url: text('http://127.0.0.1:3100', 'Where to push: any Loki. Without a path, /loki/api/v1/push is added.'),
  tenant: text('', 'Sent as X-Scope-OrgID; no header when empty.'),
  username: text('', 'User of basic authentication, with `password`.'),
  password: secret('Password of `username`.'),
  bearer_token: secret('Token that is sent as `Authorization: Bearer`; goes before `username`.'),
  state_dir: text('./data/agent', 'Directory of the positions file and of batches that wait for an answer.'),
  targets: custom<readonly AgentTarget[]>('list', [], 'Files to follow: paths, exclude, labels.', parseTargets),
  poll_interval: duration('250ms', 'How often followed files are looked at.'),
  target_sync_period: duration('5s', 'How often the globs are matched against the disk.'),
  positions_sync_period: duration('2s', 'How often the positions file is written when something has changed.'),
  partial_line_wait: duration('1m', 'A last line without line break is shipped when the file was silent for so long.'),
  rotated_file_wait: duration('10s', 'A rotated or deleted file is let go when it was silent for so long.'),
  max_line_size: bytes('256KB', 'Longer lines are split into pieces of at most this size.'),
  max_open_files: int(512, 'Files kept open between looks; beyond it, a file is opened each time it has grown.'),
  batch_size: bytes('1MB', 'A batch is sent when it holds so many bytes of lines.'),
  batch_wait: duration('1s', 'A batch is sent when its first line is so old.'),
  max_pending_batches: int(8, 'Batches that may wait for an answer; beyond it, reading pauses.'),
  min_backoff: duration('500ms', 'First pause before a batch is sent again.'),
  max_backoff: duration('1m', 'Longest pause before a batch is sent again.'),
  timeout: duration('10s', 'Longest wait for the answer to one push.'),
  stop_timeout: duration('5s', 'How long a stopping agent tries to deliver what it has read.'),
}

export type AgentConfig = ValuesOf<typeof agentOptions>

/** The defaults with `values` over them. */
export function agentConfig(values: Partial<AgentConfig>): AgentConfig {
  return { ...defaultsOf(agentOptions), ...values }
}

/**
 * Options from the content of a YAML file.
 * @throws Error naming the key and what is wrong with it.
 */
export function parseAgentConfig(content: unknown): AgentConfig {
  if (!isRecord(content)) throw new Error('the configuration is not a map of options')
  const values: Record<string, unknown> = { ...defaultsOf(agentOptions) }
  for (const [key, value] of Object.entries(content)) {
    const option = agentOptions[key as keyof AgentConfig]
    if (!Object.hasOwn(agentOptions, key)) {
      throw new Error(`unknown option '${key}'; options are ${Object.keys(agentOptions).join(', ')}`)
    }
    try {
      values[key] = option.parse(value)
    } catch (error) {
      throw new Error(`${key}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    }
  }
  const config = values as AgentConfig
  if (config.targets.length === 0) throw new Error('targets: at least one target is needed')
  return config
}

function parseTargets(value: unknown): readonly AgentTarget[] {
  if (!Array.isArray(value)) throw new Error('expected a list of targets')
  return value.map((one: unknown, index) => {
    if (!isRecord(one)) throw new Error(`target ${index + 1} is not a map`)
    const { paths, exclude = [], labels = {}, ...rest } = one
    const [unknown] = Object.keys(rest)
    if (unknown !== undefined) throw new Error(`target ${index + 1} has an unknown key '${unknown}'`)
    const pathList = texts(paths, `paths of target ${index + 1}`)
    if (pathList.length === 0) throw new Error(`target ${index + 1} has no paths`)
    return { paths: pathList, exclude: texts(exclude, `exclude of target ${index + 1}`), labels: labelsFrom(labels) }
  })
}

function labelsFrom(value: unknown): Record<string, string> {
  if (!isRecord(value)) throw new Error('labels are not a map')
  const labels: Record<string, string> = {}
  for (const [name, text] of Object.entries(value)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new Error(`'${name}' is not a label name`)
    if (typeof text !== 'string' && typeof text !== 'number' && typeof text !== 'boolean') {
      throw new Error(`label '${name}' is not a text`)
    }
    labels[name] = String(text)
  }
  return labels
}

function texts(value: unknown, what: string): readonly string[] {
  const list: unknown = typeof value === 'string' ? [value] : value
  if (Array.isArray(list) && list.every((one) => typeof one === 'string')) return list
  throw new Error(`${what}: expected a list of texts`)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
