/** A real `edda agent` process for tests. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

export type AgentProcess = {
  readonly log: readonly string[]
  /** SIGTERM; resolves when it is gone. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export function startAgentProcess(flags: readonly string[]): AgentProcess {
  const child = spawn(process.execPath, [join(root, 'src/main.ts'), 'agent', ...flags], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const log: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => void log.push(String(text)))
  const gone = once(child, 'exit')
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal)
      await gone
    }
  }
  return { log, stop: () => end('SIGTERM'), [Symbol.asyncDispose]: () => end('SIGKILL') }
}
