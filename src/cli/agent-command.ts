/** `edda agent`: follow files and push their lines to a Loki, until a signal comes. */
import type { Command } from 'commander'
import { parse } from 'yaml'

import { startAgent } from '#/agent/agent.ts'
import { type AgentConfig, parseAgentConfig } from '#/agent/config.ts'
import type { LogFields, Logger } from '#/platform/telemetry/logger.ts'
import { type CliIo, UsageError } from './io.ts'

type AgentOptions = {
  readonly config?: string
  readonly path: readonly string[]
  readonly exclude: readonly string[]
  readonly label: readonly string[]
  readonly url?: string
  readonly tenant?: string
  readonly stateDir?: string
  readonly checkConfig?: true
  readonly json?: true
}

const examples = `
Examples:
  edda agent --path '/var/log/**/*.log' --label job=varlogs --url http://127.0.0.1:3100
  edda agent --config agent.yaml
  edda agent --config agent.yaml --check-config`

export function addAgentCommand(program: Command, io: CliIo): void {
  const collect = (value: string, all: readonly string[]): readonly string[] => [...all, value]
  program
    .command('agent')
    .description('Follow files and push their lines to any Loki')
    .option('-c, --config <file>', 'options as YAML; those below go on top of it')
    .option('-p, --path <glob>', 'files to follow, may be repeated', collect, [])
    .option('--exclude <glob>', 'files to leave out, may be repeated', collect, [])
    .option('-l, --label <name=value>', 'label of the lines, may be repeated', collect, [])
    .option('--url <url>', 'where to push (default http://127.0.0.1:3100)')
    .option('--tenant <id>', 'tenant to push for')
    .option('--state-dir <dir>', 'directory for positions and waiting batches (default ./data/agent)')
    .option('--check-config', 'check the options and exit')
    .option('--json', 'log as JSON')
    .addHelpText('after', examples)
    .action((options: AgentOptions) => runAgent(options, io))
}

async function runAgent(options: AgentOptions, io: CliIo): Promise<void> {
  const config = await configOf(options, io)
  if (options.checkConfig) return io.err('the configuration is fine\n')
  const agent = await startAgent(config, io.world, consoleLogger(io, options.json === true))
  const paths = config.targets.flatMap((target) => target.paths)
  io.err(`following ${paths.join(', ')}, pushing to ${config.url}\n`)
  if (!io.signal.aborted) await new Promise((resolve) => io.signal.addEventListener('abort', resolve, { once: true }))
  await agent.stop()
}

async function configOf(options: AgentOptions, io: CliIo): Promise<AgentConfig> {
  try {
    const file = options.config === undefined ? {} : readYaml(await io.world.disk.readFile(options.config))
    const labels = options.label.map((text) => {
      const at = text.indexOf('=')
      if (at < 1) throw new Error(`--label is name=value, not '${text}'`)
      return [text.slice(0, at), text.slice(at + 1)] as const
    })
    const target = { paths: options.path, exclude: options.exclude, labels: Object.fromEntries(labels) }
    return parseAgentConfig({
      ...file,
      ...(options.path.length > 0 ? { targets: [target] } : {}),
      ...(options.url === undefined ? {} : { url: options.url }),
      ...(options.tenant === undefined ? {} : { tenant: options.tenant }),
      ...(options.stateDir === undefined ? {} : { state_dir: options.stateDir }),
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function readYaml(content: Buffer): Record<string, unknown> {
  const value: unknown = parse(content.toString())
  if (typeof value !== 'object' || value === null) throw new Error('the configuration is not a map of options')
  return value as Record<string, unknown>
}

function consoleLogger(io: CliIo, asJson: boolean, base: LogFields = {}): Logger {
  const log =
    (level: string) =>
    (message: string, fields: LogFields = {}): void => {
      const all = {
        ts: new Temporal.Instant(io.world.clock.nowNs()).toString(),
        level,
        msg: message,
        ...base,
        ...fields,
      }
      const pairs = Object.entries(all).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
      io.err(`${asJson ? JSON.stringify(all) : pairs.join(' ')}\n`)
    }
  return {
    debug: () => undefined,
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
    with: (fields) => consoleLogger(io, asJson, { ...base, ...fields }),
  }
}
