/** What a command may touch: streams, environment, world. Tests hand in their own. */
import type { World } from '#/kernel/world.ts'
import type { DoctorReport } from '#/logs/wire/doctor.ts'
import type { OpenRuleEngine } from '#/ruler/unit/run-test.ts'
import type { ExamineOptions } from './doctor-command.ts'
import type { LocalSnapshots } from './snapshot-command.ts'

export type CliIo = {
  /** Data. Resolves when the reader has taken it, so that a slow pager slows the server and not our memory. */
  readonly out: (text: string) => Promise<void>
  /** Everything that is not data. */
  readonly err: (text: string) => void
  readonly stdin: AsyncIterable<Uint8Array>
  /** Asks a person at a terminal without showing what is typed; undefined when `stdin` is none. */
  readonly askSecret?: ((question: string) => Promise<string>) | undefined
  /** Whether `out` goes to a terminal: colours, and no raw control codes. */
  readonly isTerminal: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly world: World
  /** Aborted by Ctrl+C and SIGTERM. */
  readonly signal: AbortSignal
}

/** Plain data about a stored file or directory; the command prints it for people or as JSON. */
export type Inspector = (path: string, limits: { readonly maxItems: number }) => Promise<unknown>

/** Reads and writes data directories by itself. */
export type LocalData = {
  readonly snapshots: LocalSnapshots
  examine(options: ExamineOptions): Promise<DoctorReport>
}

/** What the commands need of parts that the command line does not know. */
export type CliDeps = {
  readonly version: string
  readonly inspectors: Readonly<Record<'block' | 'wal' | 'catalog', Inspector>>
  /** For tests of rules. */
  readonly openRuleEngine: OpenRuleEngine
  /** For what is done with a data directory without a server. */
  readonly openLocalData: () => Promise<LocalData>
}

export const exitCodes = { ok: 0, failed: 1, usage: 2 } as const

/** The command was called in a way that it cannot understand. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
