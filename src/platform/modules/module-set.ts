/**
 * Starts modules in the order in which they need each other and stops them in reverse.
 *
 * States: New → Starting → Running → Stopping → Terminated; Failed when start or stop throws, or when a running module says so.
 * When one fails to start, those that run are stopped again and `start` rejects with its error.
 */
import { AssertionFailed, assert } from '#/kernel/assert.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { Module, ModuleContext, Started } from './module.ts'

/** The names that Loki shows at `/services`. */
export type ModuleState = 'New' | 'Starting' | 'Running' | 'Stopping' | 'Terminated' | 'Failed'

type Entry = {
  readonly module: Module<unknown>
  state: ModuleState
  started: Started<unknown> | undefined
}

export class ModuleSet {
  readonly #entries: readonly Entry[]
  readonly #logger: Logger
  readonly #stopping = new AbortController()
  readonly #failure = Promise.withResolvers<unknown>()
  /** Settles when the module that is starting has started, or failed to. */
  #starting: Promise<void> = Promise.resolve()
  #stopped: Promise<readonly unknown[]> | undefined

  /** @throws AssertionFailed when modules need each other in a ring, with the path, or when two have one name. */
  constructor(roots: readonly Module<unknown>[], logger: Logger) {
    this.#entries = startOrder(roots).map((module) => ({ module, state: 'New', started: undefined }))
    this.#logger = logger
  }

  /** Resolves with the error of the first running module that reports one. */
  get failure(): Promise<unknown> {
    return this.#failure.promise
  }

  /** Names and states in the order of the start. */
  services(): readonly { readonly name: string; readonly state: ModuleState }[] {
    return this.#entries.map(({ module, state }) => ({ name: module.name, state }))
  }

  /** What a running module offers. */
  api<Api>(module: Module<Api>): Api {
    const { started } = this.#entry(module)
    assert(started !== undefined, `module ${module.name} is started`)
    return started.api as Api
  }

  async start(): Promise<void> {
    for (const entry of this.#entries) {
      if (this.#stopping.signal.aborted) return
      try {
        this.#starting = this.#startOne(entry)
        await this.#starting
      } catch (error) {
        entry.state = 'Failed'
        await this.stop()
        throw new Error(`module ${entry.module.name} failed to start: ${(error as Error).message}`, { cause: error })
      }
    }
  }

  async #startOne(entry: Entry): Promise<void> {
    const { module } = entry
    entry.state = 'Starting'
    const apis = Object.entries(module.needs).map(([key, need]) => [key, this.api(need)])
    const context: ModuleContext = {
      signal: this.#stopping.signal,
      logger: this.#logger.with({ component: module.name }),
      fail: (error) => this.#fail(entry, error),
    }
    entry.started = await module.start(Object.fromEntries(apis) as never, context)
    // it may have failed between its start and now
    if (entry.state === 'Starting') entry.state = 'Running'
    this.#logger.debug('module started', { module: module.name })
  }

  #fail(entry: Entry, error: unknown): void {
    if (entry.state === 'Stopping' || entry.state === 'Terminated') return
    entry.state = 'Failed'
    this.#logger.error('module failed', { module: entry.module.name, err: error })
    this.#failure.resolve(error)
  }

  /** Stops everything that runs; goes on when a module throws. Gives what was thrown. The second call waits for the first. */
  stop(): Promise<readonly unknown[]> {
    this.#stopped ??= this.#stopAll()
    return this.#stopped
  }

  async #stopAll(): Promise<readonly unknown[]> {
    this.#stopping.abort()
    await this.#starting.catch(() => undefined)
    const errors: unknown[] = []
    for (const entry of this.#entries.toReversed()) {
      const { started, module } = entry
      if (started === undefined) continue
      const hadFailed = entry.state === 'Failed'
      entry.state = 'Stopping'
      try {
        await started.stop?.()
        entry.state = hadFailed ? 'Failed' : 'Terminated'
        this.#logger.debug('module stopped', { module: module.name })
      } catch (error) {
        entry.state = 'Failed'
        errors.push(error)
        this.#logger.error('module failed to stop', { module: module.name, err: error })
      }
    }
    return errors
  }

  #entry(module: Module<unknown>): Entry {
    const entry = this.#entries.find((one) => one.module === module)
    assert(entry !== undefined, `module ${module.name} is in the set`)
    return entry
  }
}

/** Every module behind those that it needs, each once. */
export function startOrder(roots: readonly Module<unknown>[]): readonly Module<unknown>[] {
  const order = new Set<Module<unknown>>()
  const visit = (module: Module<unknown>, path: readonly Module<unknown>[]): void => {
    if (order.has(module)) return
    const at = path.indexOf(module)
    if (at >= 0) {
      const ring = [...path.slice(at), module].map(({ name }) => name)
      throw new AssertionFailed(`modules need each other in a ring: ${ring.join(' → ')}`)
    }
    for (const need of Object.values(module.needs)) visit(need, [...path, module])
    order.add(module)
  }
  for (const root of roots) visit(root, [])
  const names = new Set([...order].map(({ name }) => name))
  assert(names.size === order.size, `modules have different names: ${[...order].map(({ name }) => name).join(', ')}`)
  return [...order]
}
