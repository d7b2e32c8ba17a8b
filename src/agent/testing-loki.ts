/** For tests: a Loki that only remembers, a world that can be killed, and a place to write log files. */
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { uncompressSync } from 'snappy'

import type { Disk, ReadFile, World } from '#/kernel/world.ts'
import { realWorld } from '#/platform/world/real-world.ts'
import { silentLogger } from '#/platform/telemetry/logger.ts'
import { type RunningAgent, startAgent } from './agent.ts'
import { agentConfig, type AgentConfig } from './config.ts'
import type { PushAnswer, PushTransport } from './send/transport.ts'

export type ReceivedLine = { readonly labels: string; readonly timeNs: bigint; readonly line: string }

/** Drops exact duplicates, as the server does; `duplicates` counts them. */
export class MemoryLoki implements PushTransport {
  readonly received: ReceivedLine[] = []
  duplicates = 0
  pushes = 0
  /** Decides on a push: an answer, or an error to throw. 204 when undefined. */
  onPush: ((count: number) => PushAnswer | Error | undefined) | undefined
  readonly #seen = new Set<string>()

  async push(body: Buffer): Promise<PushAnswer> {
    this.pushes++
    const verdict = this.onPush?.(this.pushes)
    if (verdict instanceof Error) throw verdict
    if (verdict !== undefined && verdict.status >= 300) return verdict
    for (const entry of decodePush(body)) {
      const key = JSON.stringify([entry.labels, String(entry.timeNs), entry.line])
      if (this.#seen.has(key)) this.duplicates++
      else this.received.push(entry)
      this.#seen.add(key)
    }
    return verdict ?? answer(204)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  /** Lines whose labels contain `word`, by time. */
  lines(word = ''): string[] {
    return this.received
      .filter(({ labels }) => labels.includes(word))
      .toSorted((a, b) => (a.timeNs < b.timeNs ? -1 : 1))
      .map(({ line }) => line)
  }
}

export function answer(status: number, retryAfterSeconds?: number): PushAnswer {
  return { status, message: `status ${status}`, retryAfterSeconds }
}

/** Lines as latin1, so that bytes that are not UTF-8 can be compared. */
export function decodePush(body: Buffer): ReceivedLine[] {
  const lines: ReceivedLine[] = []
  for (const [, stream] of fieldsOf(uncompressSync(body) as Buffer)) {
    let labels = ''
    for (const [field, value] of fieldsOf(stream as Buffer)) {
      if (field === 1) labels = (value as Buffer).toString()
      if (field !== 2) continue
      const entry = new Map(fieldsOf(value as Buffer))
      const time = new Map(fieldsOf(entry.get(1) as Buffer))
      const timeNs = BigInt(time.get(1) as number) * 1_000_000_000n + BigInt((time.get(2) as number | undefined) ?? 0)
      lines.push({ labels, timeNs, line: ((entry.get(2) as Buffer | undefined) ?? Buffer.alloc(0)).toString('latin1') })
    }
  }
  return lines
}

function fieldsOf(bytes: Buffer): [number, number | Buffer][] {
  const fields: [number, number | Buffer][] = []
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++] ?? 0
      value += (byte % 128) * scale
      if (byte < 128) return value
    }
  }
  while (at < bytes.length) {
    const tag = varint()
    const value = varint()
    fields.push([tag >> 3, tag % 8 === 2 ? bytes.subarray(at, at + value) : value])
    if (tag % 8 === 2) at += value
  }
  return fields
}

/** A directory with log files and agents that follow them; everything is fast. */
export class AgentBench {
  readonly dir = mkdtempSync(join(tmpdir(), 'edda-agent-'))
  readonly loki = new MemoryLoki()
  readonly #agents: RunningAgent[] = []

  path(name: string): string {
    return join(this.dir, name)
  }

  append(name: string, text: string | Uint8Array): void {
    mkdirSync(dirname(this.path(name)), { recursive: true })
    appendFileSync(this.path(name), text)
  }

  config(values: Partial<AgentConfig> = {}): AgentConfig {
    return agentConfig({
      state_dir: this.path('state'),
      targets: [{ paths: [`${this.dir}/**/*.log`], exclude: [], labels: { job: 'test' } }],
      poll_interval: 2,
      target_sync_period: 5,
      positions_sync_period: 10,
      batch_wait: 5,
      min_backoff: 2,
      max_backoff: 10,
      rotated_file_wait: 30,
      // a machine that stands still for a while must not cut the last push
      stop_timeout: 60_000,
      ...values,
    })
  }

  async start(
    values: Partial<AgentConfig> = {},
    world: World = realWorld(),
    loki?: PushTransport,
  ): Promise<RunningAgent> {
    const agent = await startAgent(this.config(values), world, silentLogger, loki ?? this.loki)
    this.#agents.push(agent)
    return agent
  }

  /** Waits until `condition` holds; fails loudly when it never does. */
  async until(condition: () => boolean, what: () => string, timeoutMs = 120_000): Promise<void> {
    const end = performance.now() + timeoutMs
    while (!condition()) {
      if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms for ${what()}`)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }

  async untilLines(count: number): Promise<void> {
    const found = (): number => this.loki.received.length
    await this.until(
      () => found() >= count,
      () => `${count} lines, have ${found()}`,
    )
  }

  /** Until the agent follows no file any more: the rotated ones are silent, and nothing has their names. */
  async untilLetGo(agent: RunningAgent): Promise<void> {
    await this.until(
      () => agent.counts.followedFiles === 0,
      () => `${agent.counts.followedFiles} files to be let go`,
    )
  }

  /** Until the agent has looked at everything some times more: what it would do wrong, it has done by then. */
  async untilLooked(agent: RunningAgent, times = 5): Promise<void> {
    const { rounds } = agent.counts
    await this.until(
      () => agent.counts.rounds > rounds + times,
      () => `${times} looks at the files`,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#agents.map((agent) => agent.stop()))
    rmSync(this.dir, { recursive: true })
  }
}

/** How an operation is hit by a kill: not begun, half done, or done but never answered. */
export type KillPoint = { readonly step: number; readonly moment: 'before' | 'torn' | 'after' }

/**
 * A world whose process dies at a given step: from then on nothing is answered any more. Steps are writes to the disk and
 * pushes; `steps` counts them.
 */
export class MortalWorld {
  steps = 0
  isDead = false
  readonly world: World
  readonly transport: PushTransport
  readonly #kill: KillPoint | undefined
  readonly #open = new Set<ReadFile>()

  constructor(loki: PushTransport, kill: KillPoint | undefined) {
    this.#kill = kill
    const real = realWorld()
    const { disk, clock } = real
    const mortal: Disk = {
      ...disk,
      writeFile: (path, data, options) =>
        this.#step(
          () => disk.writeFile(path, data, options),
          () => disk.writeFile(path, data.subarray(0, data.length >> 1), options),
        ),
      rename: (from, to) => this.#step(() => disk.rename(from, to)),
      remove: (path) => this.#step(() => disk.remove(path)),
      syncDir: (path) => this.#step(() => disk.syncDir(path)),
      openRead: async (path) => {
        const file = await disk.openRead(path)
        const close = (): Promise<void> => (this.#open.delete(file) ? file.close() : Promise.resolve())
        this.#open.add(file)
        const { sizeBytes, inode } = file
        return { sizeBytes, inode, read: (target, position) => file.read(target, position), close }
      },
    }
    this.world = {
      ...real,
      disk: mortal,
      clock: { ...clock, sleep: async (ms, signal) => (this.isDead ? never() : clock.sleep(ms, signal)) },
    }
    this.transport = {
      push: (body, signal) => this.#step(() => loki.push(body, signal)),
      close: () => Promise.resolve(),
    }
  }

  /** What the operating system does for a dead process. */
  async closeFiles(): Promise<void> {
    const open = [...this.#open]
    this.#open.clear()
    for (const file of open) await file.close()
  }

  async #step<T>(act: () => Promise<T>, tear: () => Promise<unknown> = () => Promise.resolve()): Promise<T> {
    if (this.isDead) return never()
    this.steps++
    if (this.steps !== this.#kill?.step) return act()
    this.isDead = true
    if (this.#kill.moment === 'torn') await tear()
    if (this.#kill.moment === 'after') await act()
    return never()
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => undefined)
}
