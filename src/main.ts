/**
 * The one binary. A first argument that is a command goes to the command line; everything else are flags of the server, which
 * runs until it is told to stop. Exit codes of the server: 0 stopped in order, 1 failed, 2 wrong usage.
 */
import { readFile } from 'node:fs/promises'
import { enableCompileCache } from 'node:module'

import type { EddaConfig } from '#/app/load-config.ts'
import type { LocalData } from '#/cli/io.ts'
import { isCommand } from '#/cli/main.ts'
import { enableLinearRegex } from '#/platform/regex/linear.ts'
import { realWorld } from '#/platform/world/real-world.ts'

/** A second signal, or a stop that takes this much longer than it may, ends the process at once; the WAL has everything. */
const STOP_GRACE_MS = 10_000

// worker threads learn of the cache from the environment; without it each would load the type stripper
const { directory } = enableCompileCache()
if (directory !== undefined) process.env['NODE_COMPILE_CACHE'] ??= directory
// before any worker thread starts: threads inherit it
enableLinearRegex()

const argv = process.argv.slice(2)
process.exitCode = isCommand(argv[0]) ? await runCommand() : await runServer()

async function runCommand(): Promise<number> {
  const { runCli } = await import('#/cli/main.ts')
  const { inspectors } = await import('#/app/inspectors.ts')
  const { ruleEngine } = await import('#/app/rule-engine.ts')
  const { version } = await import('#/app/version.ts')
  const { askSecret } = await import('#/platform/world/ask-secret.ts')
  const world = realWorld()
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  process.once('SIGTERM', () => stop.abort())
  // a pager that was closed is no error
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  const io = {
    out: (text: string) => new Promise<void>((resolve) => process.stdout.write(text, () => resolve())),
    err: (text: string) => void process.stderr.write(text),
    stdin: process.stdin,
    askSecret: process.stdin.isTTY
      ? (question: string) => askSecret(question, process.stdin, (text) => void process.stderr.write(text))
      : undefined,
    isTerminal: process.stdout.isTTY === true,
    env: process.env,
    world,
    signal: stop.signal,
  }
  const openLocalData = async (): Promise<LocalData> => (await import('#/app/local-data.ts')).localData(world)
  const deps = {
    version: version.edda,
    inspectors: inspectors(world),
    openRuleEngine: ruleEngine(world),
    openLocalData,
  }
  return runCli(argv, io, deps)
}

async function runServer(): Promise<number> {
  const { ConfigError } = await import('#/platform/config/config-error.ts')
  const { loadEddaConfig } = await import('#/app/load-config.ts')
  try {
    const loaded = await loadEddaConfig({ argv, env: process.env, readFile: (path) => readFile(path, 'utf8') })
    const { answerFlags } = await import('#/app/answer-flags.ts')
    const answered = await answerFlags(loaded, {
      out: (text) => void process.stdout.write(text),
      err: (text) => void process.stderr.write(text),
    })
    if (answered !== undefined) return answered
    return await serve(loaded)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.message}\n`)
    if (error.exitCode === 2) process.stderr.write('Run with -help to get list of available parameters\n')
    return error.exitCode
  }
}

async function serve({ values, warnings, flags }: EddaConfig): Promise<number> {
  const { startServer } = await import('#/app/server.ts')
  const { welcome } = await import('#/app/welcome.ts')
  const signalled = new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve())
    process.once('SIGINT', () => resolve())
  })
  const world = realWorld()
  const writeLog = (line: string): void => void process.stderr.write(line)
  try {
    const server = await startServer({ config: values, warnings, world, writeLog })
    if (flags.quickstart) process.stdout.write(welcome(server.address))
    const failure = await Promise.race([server.ended, signalled])
    process.once('SIGTERM', () => process.exit(1))
    process.once('SIGINT', () => process.exit(1))
    setTimeout(() => process.exit(1), values.shutdown_delay + values.shutdown_timeout + STOP_GRACE_MS).unref()
    const problems = await server.stop()
    return failure === undefined && problems.length === 0 ? 0 : 1
  } catch (error) {
    process.stderr.write(`edda: ${(error as Error).message}\n`)
    return 1
  }
}
