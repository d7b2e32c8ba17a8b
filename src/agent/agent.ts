/**
 * The collector: follows files and pushes their lines to a Loki.
 *
 *     targets/ (which files, which bytes) → pipeline/ (labels) → send/ (batches, retries)
 *
 * Invariant: the position of a file passes a line only together with a batch that holds the line and is safe on disk, or that
 * the server has answered. So a kill at any moment loses no line; and what is sent twice is sent byte for byte the same.
 */
import type { World } from '#/kernel/world.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { AgentConfig } from './config.ts'
import type { PositionsSnapshot } from './positions/position.ts'
import { Positions, StateDir } from './positions/state-dir.ts'
import { OpenBatch, type SealedBatch } from './send/batch.ts'
import { Sender, type SendCounts } from './send/sender.ts'
import { httpTransport, type PushTransport } from './send/transport.ts'
import { FileSet } from './targets/file-set.ts'
import type { FileTail, LineSink } from './targets/file-tail.ts'

/** Beyond the longest line, so much is read at once. */
const readAheadBytes = 256 * 1024
/** Acknowledged batches whose files wait for the positions to be written; beyond it, they are written at once. */
const maxAckedBatches = 16

/** What the agent has done since it started, and how many files it follows now. */
export type AgentCounts = SendCounts & {
  /** Lines taken from files; they may still wait to be sent. */
  readonly readLines: number
  /** Complete looks at all files. */
  readonly rounds: number
  /** Files that are looked at; not those that were rotated, or deleted, and let go. */
  readonly followedFiles: number
}

export type RunningAgent = {
  readonly counts: Readonly<AgentCounts>
  /** Ships what has been read, as far as `stop_timeout` allows, and saves the positions. */
  stop(): Promise<void>
}

/** @throws when the state directory cannot be read or written. */
export async function startAgent(
  config: AgentConfig,
  world: World,
  logger: Logger,
  transport: PushTransport = httpTransport(config),
): Promise<RunningAgent> {
  const stateDir = new StateDir(config.state_dir, world.disk, logger)
  const { positions, pending } = await stateDir.restore()
  const agent = new FileAgent(config, world, logger, { transport, stateDir, positions })
  for (const batch of pending) agent.resend(batch)
  agent.start()
  return agent
}

type Parts = {
  readonly transport: PushTransport
  readonly stateDir: StateDir
  readonly positions: PositionsSnapshot
}

class FileAgent implements RunningAgent, LineSink {
  readonly #config: AgentConfig
  readonly #world: World
  readonly #logger: Logger
  readonly #transport: PushTransport
  readonly #stateDir: StateDir
  readonly #positions: Positions
  readonly #batch: OpenBatch
  readonly #sender: Sender
  readonly #files: FileSet
  readonly #buffer: Buffer
  readonly #stopping = new AbortController()
  #acked: number[] = []
  #savedMs: number
  #discoveredMs = Number.NEGATIVE_INFINITY
  #running: Promise<void> = Promise.resolve()
  #diskComplaints = 0
  #readLines = 0
  #rounds = 0

  constructor(config: AgentConfig, world: World, logger: Logger, { transport, stateDir, positions }: Parts) {
    this.#config = config
    this.#world = world
    this.#logger = logger
    this.#transport = transport
    this.#stateDir = stateDir
    this.#positions = new Positions(positions)
    this.#batch = new OpenBatch(config.batch_size, positions.lastTimestampNs)
    this.#buffer = Buffer.allocUnsafeSlow(config.max_line_size + readAheadBytes)
    this.#savedMs = world.clock.monotonicMs()
    const sendOptions = {
      transport,
      maxPending: config.max_pending_batches,
      minBackoffMs: config.min_backoff,
      maxBackoffMs: config.max_backoff,
    }
    this.#sender = new Sender(sendOptions, world, logger, (sequence) => this.#acked.push(sequence))
    const tailOptions = {
      maxLineBytes: config.max_line_size,
      partialLineWaitMs: config.partial_line_wait,
      rotatedFileWaitMs: config.rotated_file_wait,
    }
    this.#files = new FileSet(config.targets, positions.files, tailOptions, world, logger)
  }

  get counts(): AgentCounts {
    return {
      ...this.#sender.counts,
      readLines: this.#readLines,
      rounds: this.#rounds,
      followedFiles: this.#files.tails.length,
    }
  }

  /** A batch of an earlier run that was not acknowledged. */
  resend({ sequence, lines, bytes }: { sequence: number; lines: number; bytes: number }): void {
    this.#sender.enqueue({ sequence, lines, bytes, body: () => this.#stateDir.readBody(sequence) })
  }

  start(): void {
    this.#running = this.#run().catch((error: unknown) => {
      this.#logger.error('the agent stopped because of an error', { error: String(error) })
    })
  }

  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return this.#running
    this.#stopping.abort(new Error('the agent stops'))
    const deadline = new AbortController()
    const timedOut = this.#world.clock.sleep(this.#config.stop_timeout, deadline.signal).then(
      () => this.#sender.stop(),
      () => undefined,
    )
    await this.#running
    await this.#sender.drained()
    deadline.abort()
    await timedOut
    await this.#sender.stop()
    await this.#trySavePositions()
    await this.#files.close()
    await this.#transport.close()
  }

  // ── what tails see ──

  get isFull(): boolean {
    return this.#batch.isFull
  }

  add(labels: string, line: Buffer): void {
    this.#readLines++
    this.#batch.add(labels, line)
  }

  reached(position: Parameters<LineSink['reached']>[0]): void {
    this.#batch.reached(position, this.#world.clock.monotonicMs())
  }

  advanceTo(nowNs: bigint): void {
    this.#batch.advanceTo(nowNs)
  }

  async room(): Promise<void> {
    if (this.#batch.isFull) await this.#seal()
    await this.#sender.hasRoom()
  }

  // ── the loop ──

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      const more = await this.#round()
      this.#rounds++
      if (!more) await this.#world.clock.sleep(this.#config.poll_interval, signal).catch(() => undefined)
    }
    if (!this.#batch.isEmpty) await this.#seal()
  }

  /** One look at everything. True when there is more to read at once. */
  async #round(): Promise<boolean> {
    const { clock } = this.#world
    if (clock.monotonicMs() - this.#discoveredMs >= this.#config.target_sync_period) await this.#discover()
    let more = false
    let open = 0
    for (const tail of this.#files.tails) {
      if (this.#stopping.signal.aborted) return false
      if (await this.#lookAt(tail)) more = true
      if (tail.isOpen && ++open > this.#config.max_open_files && tail.state === 'live') await tail.close()
    }
    const age = clock.monotonicMs() - this.#batch.openedMs
    if (!this.#batch.isEmpty && age >= this.#config.batch_wait) await this.#seal()
    const isDue = clock.monotonicMs() - this.#savedMs >= this.#config.positions_sync_period
    const hasNews = this.#positions.isDirty || this.#acked.length > 0
    if ((isDue && hasNews) || this.#acked.length >= maxAckedBatches) {
      await this.#trySavePositions()
    }
    return more
  }

  async #discover(): Promise<void> {
    this.#discoveredMs = this.#world.clock.monotonicMs()
    const { added, forgotten } = await this.#files.discover()
    for (const id of forgotten) this.#positions.delete(id)
    for (const file of added) this.#positions.add(file)
    // a new file may be rotated away before its first line is safe
    if (added.length > 0) await this.#trySavePositions()
  }

  async #lookAt(tail: FileTail): Promise<boolean> {
    const before = tail.state
    let more = false
    try {
      more = await tail.look(this, this.#buffer)
    } catch (error) {
      this.#files.warnOnce(tail.path, error)
    }
    // the name has another file now, or soon
    if (before === 'live' && tail.state !== 'live') this.#discoveredMs = Number.NEGATIVE_INFINITY
    if (tail.state === 'ended') await this.#files.park(tail)
    return more
  }

  /** Closes the batch, makes it safe, and hands it to the sender. */
  async #seal(): Promise<void> {
    const batch = this.#batch.seal()
    const head = { sequence: this.#positions.sequence + 1, lastTimestampNs: batch.lastTimestampNs, files: batch.files }
    try {
      await this.#stateDir.addBatch(head, { lines: batch.lines, bytes: batch.bytes }, batch.body)
      this.#diskComplaints = 0
    } catch (error) {
      this.#complainOfDisk(error)
      await this.#deliverWithoutDisk(batch, head)
      return
    }
    this.#positions.apply(head)
    const { body, lines, bytes } = batch
    this.#sender.enqueue({ sequence: head.sequence, lines, bytes, body: async () => body })
  }

  /**
   * The disk takes no batch: logs must flow all the same, now above all. The positions pass the lines only when the server
   * has them; a kill in between repeats them with other timestamps.
   */
  async #deliverWithoutDisk({ body, lines, bytes }: SealedBatch, head: PositionsSnapshot): Promise<void> {
    this.#sender.enqueue({ sequence: head.sequence, lines, bytes, body: async () => body })
    await this.#sender.drained()
    if (this.#sender.pending === 0) this.#positions.apply(head)
  }

  #trySavePositions(): Promise<void> {
    return this.#savePositions().catch((error: unknown) => this.#complainOfDisk(error))
  }

  /** Writes the positions; then the files of acknowledged batches can go. */
  async #savePositions(): Promise<void> {
    this.#savedMs = this.#world.clock.monotonicMs()
    const acked = [...this.#acked]
    if (!this.#positions.isDirty && acked.length === 0) return
    this.#positions.isDirty = false
    try {
      await this.#stateDir.writePositions(this.#positions.snapshot())
    } catch (error) {
      this.#positions.isDirty = true
      throw error
    }
    this.#acked = this.#acked.slice(acked.length)
    for (const sequence of acked) await this.#stateDir.removeBatch(sequence)
  }

  #complainOfDisk(error: unknown): void {
    if (this.#diskComplaints++ % 100 > 0) return
    this.#logger.warn('the state directory of the agent cannot be written', {
      dir: this.#config.state_dir,
      error: String(error),
    })
  }
}
