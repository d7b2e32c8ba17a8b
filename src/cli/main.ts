/**
 * `edda <command>`: the client side of the program. Exit codes: 0 done, 1 failed, 2 wrong usage. Data goes to standard
 * output, everything else to standard error. The parser of options is loaded here only, so the server starts without it.
 */
import type { Command } from 'commander'

import { type CliDeps, type CliIo, exitCodes, UsageError } from './io.ts'

/** First arguments that are commands; anything else starts the server. */
export const commandNames = [
  'agent',
  'query',
  'tail',
  'explain',
  'export',
  'push',
  'inspect',
  'compact',
  'rules',
  'snapshot',
  'doctor',
  'hash-password',
  'help',
  'version',
] as const

export function isCommand(argument: string | undefined): boolean {
  return commandNames.some((name) => name === argument)
}

/** Runs a command line without the program's name; resolves with the exit code. */
export async function runCli(argv: readonly string[], io: CliIo, deps: CliDeps): Promise<number> {
  const { CommanderError } = await import('commander')
  try {
    const program = await buildProgram(io, deps)
    if (argv.length === 0) {
      await io.out(program.helpInformation())
      return exitCodes.ok
    }
    await program.parseAsync([...argv], { from: 'user' })
    return exitCodes.ok
  } catch (error) {
    // commander has printed its own message; asking for help is no mistake
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
    io.err(`edda: ${error instanceof Error ? error.message : String(error)}\n`)
    return error instanceof UsageError ? exitCodes.usage : exitCodes.failed
  }
}

/** All commands; the reference is generated from it. */
export async function buildProgram(io: CliIo, deps: CliDeps): Promise<Command> {
  const { Command } = await import('commander')
  const { addAgentCommand } = await import('./agent-command.ts')
  const { addCompactCommand } = await import('./compact-command.ts')
  const { addDoctorCommand } = await import('./doctor-command.ts')
  const { addExplainCommand } = await import('./explain-command.ts')
  const { addExportCommand } = await import('./export-command.ts')
  const { addHashPasswordCommand } = await import('./hash-password-command.ts')
  const { addInspectCommand } = await import('./inspect-command.ts')
  const { addPushCommand } = await import('./push-command.ts')
  const { addQueryCommand } = await import('./query-command.ts')
  const { addRulesCommand } = await import('./rules-command.ts')
  const { addSnapshotCommand } = await import('./snapshot-command.ts')
  const { addTailCommand } = await import('./tail-command.ts')
  const program = new Command('edda')
    .description('A log database that speaks Grafana Loki. Without a command: the server, with the flags of Loki.')
    .exitOverride()
    .configureOutput({ writeOut: (text) => void io.out(text), writeErr: io.err })
    .showHelpAfterError('(--help says more)')
    .addHelpText('after', serverHelp)
  addQueryCommand(program, io)
  addTailCommand(program, io)
  addExplainCommand(program, io)
  addExportCommand(program, io)
  addPushCommand(program, io)
  addAgentCommand(program, io)
  addInspectCommand(program, io, deps)
  addCompactCommand(program, io)
  addRulesCommand(program, io, deps)
  addSnapshotCommand(program, io, deps)
  addDoctorCommand(program, io, deps)
  addHashPasswordCommand(program, io)
  program
    .command('version')
    .description('Print the version')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: true }) => {
      await io.out(json ? `${JSON.stringify({ version: deps.version })}\n` : `edda ${deps.version}\n`)
    })
  return program
}

const serverHelp = `
Server:
  edda                                          starts with defaults
  edda -config.file=edda.yaml -target=all       starts with a configuration file of Edda or Loki
  edda -help                                    lists the flags of the server

Exit codes: 0 done, 1 failed, 2 wrong usage.`
