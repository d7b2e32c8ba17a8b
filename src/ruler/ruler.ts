/**
 * All rules of the process: knows the groups of each tenant, runs one {@link GroupRunner} for each, takes changes from the store
 * and from the API, and keeps the alerts over restarts.
 *
 * What is on disk is read at start and every `pollMs`. A group that has not changed is left alone; a changed one goes on with the
 * alerts of the old one. Alerts are saved at most every `saveIntervalMs`, and at the end.
 */
import { NotFound } from '#/kernel/errors.ts'
import type { Clock } from '#/kernel/world.ts'
import type { Logger } from '#/platform/telemetry/logger.ts'
import type { GroupMetrics } from './evaluate/group-metrics.ts'
import { GroupRunner } from './evaluate/group-runner.ts'
import type { RuleContext } from './evaluate/rule-context.ts'
import { formatGroup } from './model/format-rules.ts'
import type { Namespaces, RuleGroup } from './model/rule-group.ts'
import type { SavedGroup, SavedStates } from './model/saved-state.ts'
import type { OutgoingAlert } from './notify/alert.ts'
import type { RulerMetrics } from './ruler-metrics.ts'
import type { LoadedRules, RuleStore } from './store/rule-store.ts'
import type { StateStore } from './store/state-store.ts'
import type { WriteSample } from './write/encode-write.ts'

export type RulerOptions = {
  readonly rules: RuleStore
  readonly states: StateStore
  readonly contextOf: (tenant: string) => RuleContext
  readonly isEnabled: (tenant: string) => boolean
  readonly send: (tenant: string, alerts: readonly OutgoingAlert[]) => void
  readonly write: (tenant: string, samples: readonly WriteSample[]) => void
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: { readonly groups: GroupMetrics; readonly ruler: RulerMetrics }
  readonly evaluationIntervalMs: number
  readonly pollMs: number
  readonly outage: { readonly toleranceMs: number; readonly graceMs: number }
}

type Running = { readonly runner: GroupRunner; readonly text: string; readonly forget: () => void }

type Tenant = {
  namespaces: Namespaces
  readonly groups: Map<string, Running>
  /** There is an object with alerts. */
  hasSaved: boolean
  isDirty: boolean
}

/** A tenant while its groups are settled, with what was saved before the start. */
type Owner = { readonly tenant: string; readonly state: Tenant; readonly saved: SavedStates }

const saveIntervalMs = 30_000

/** What the API asks. */
export interface Rules {
  groups(tenant: string): Namespaces
  /** Groups that are evaluated here. */
  running(tenant: string): readonly GroupRunner[]
  set(tenant: string, namespace: string, group: RuleGroup): Promise<void>
  /** @throws NotFound */
  deleteGroup(tenant: string, namespace: string, group: string): Promise<void>
  /** @throws NotFound */
  deleteNamespace(tenant: string, namespace: string): Promise<void>
}

export class Ruler implements Rules {
  readonly #options: RulerOptions
  readonly #tenants = new Map<string, Tenant>()
  #changes: Promise<void> = Promise.resolve()
  #timers: (() => void)[] = []
  #isStopped = false

  constructor(options: RulerOptions) {
    this.#options = options
    options.metrics.ruler.watch(() => [...this.#tenants.values()].filter(({ groups }) => groups.size > 0).length)
  }

  /** Reads what is stored and begins to evaluate. */
  async start(): Promise<void> {
    const { clock, pollMs } = this.#options
    await this.#inTurn(() => this.#loadAll('initial'))
    this.#timers = [
      clock.every(
        pollMs,
        this.#unlessRunning(() => this.#loadAll('periodic')),
      ),
      clock.every(
        saveIntervalMs,
        this.#unlessRunning(() => this.#saveAll()),
      ),
    ]
  }

  /** Ends evaluations and saves the alerts. */
  async stop(): Promise<void> {
    this.#isStopped = true
    for (const end of this.#timers) end()
    await this.#changes
    const runners = [...this.#tenants.values()].flatMap(({ groups }) => [...groups.values()])
    await Promise.all(runners.map(({ runner }) => runner.stop()))
    await this.#saveAll()
  }

  groups(tenant: string): Namespaces {
    return this.#tenants.get(tenant)?.namespaces ?? new Map()
  }

  running(tenant: string): readonly GroupRunner[] {
    return [...(this.#tenants.get(tenant)?.groups.values() ?? [])].map(({ runner }) => runner)
  }

  async set(tenant: string, namespace: string, group: RuleGroup): Promise<void> {
    await this.#change(tenant, async (namespaces) => {
      await this.#options.rules.set(tenant, namespace, group)
      const groups = namespaces.get(namespace) ?? []
      const at = groups.findIndex(({ name }) => name === group.name)
      return new Map([...namespaces, [namespace, at < 0 ? [...groups, group] : groups.with(at, group)]])
    })
  }

  async deleteGroup(tenant: string, namespace: string, group: string): Promise<void> {
    await this.#change(tenant, async (namespaces) => {
      const groups = namespaces.get(namespace) ?? []
      const others = groups.filter(({ name }) => name !== group)
      if (others.length === groups.length) throw new NotFound('group does not exist')
      await this.#options.rules.delete(tenant, namespace, group)
      const rest = [...namespaces].filter(([name]) => name !== namespace)
      return new Map(others.length === 0 ? rest : [...rest, [namespace, others]])
    })
  }

  async deleteNamespace(tenant: string, namespace: string): Promise<void> {
    await this.#change(tenant, async (namespaces) => {
      const groups = namespaces.get(namespace)
      if (groups === undefined) throw new NotFound('group namespace does not exist')
      for (const { name } of groups) await this.#options.rules.delete(tenant, namespace, name)
      return new Map([...namespaces].filter(([name]) => name !== namespace))
    })
  }

  /** One change after another; each is in effect when it resolves. `write` gives what is stored then. */
  #change(tenant: string, write: (namespaces: Namespaces) => Promise<Namespaces>): Promise<void> {
    return this.#after(async () => {
      const namespaces = await write(this.groups(tenant))
      this.#options.metrics.ruler.sync('api')
      await this.#take(tenant, { namespaces, problems: [], broken: [] })
    })
  }

  #after(run: () => Promise<void>): Promise<void> {
    const turn = this.#changes.then(run)
    this.#changes = turn.catch(() => undefined)
    return turn
  }

  /** Work of our own: what goes wrong is logged, and tried again the next time. */
  #inTurn(run: () => Promise<void>): Promise<void> {
    return this.#after(run).catch((error: unknown) => {
      this.#options.logger.error('rules or alerts could not be read or saved', { error: String(error) })
    })
  }

  /** Work for a timer; when it takes longer than the timer, some of it is left out. */
  #unlessRunning(run: () => Promise<void>): () => void {
    let isRunning = false
    return () => {
      if (isRunning) return
      isRunning = true
      void this.#inTurn(run).finally(() => (isRunning = false))
    }
  }

  async #loadAll(reason: 'initial' | 'periodic'): Promise<void> {
    const { rules, metrics, logger } = this.#options
    metrics.ruler.sync(reason)
    const tenants = new Set([...(await rules.tenants()), ...this.#tenants.keys()])
    for (const tenant of tenants) {
      if (this.#isStopped) return
      try {
        await this.#take(tenant, await rules.load(tenant))
      } catch (error) {
        logger.error('the rules of a tenant could not be read, those that run go on', { tenant, error: String(error) })
      }
    }
  }

  /** Makes what is stored the rules of the tenant. A namespace that has become wrong stays as it was before. */
  async #take(tenant: string, { namespaces: read, problems, broken }: LoadedRules): Promise<void> {
    const { isEnabled, logger, metrics } = this.#options
    let state = this.#tenants.get(tenant)
    const kept = [...(state?.namespaces ?? [])].filter(([name]) => broken.includes(name))
    const namespaces = new Map([...read, ...kept])
    if (namespaces.size === 0 && state === undefined && problems.length === 0) return
    for (const problem of problems) logger.error('a rule group is wrong and is left out', { tenant, problem })
    metrics.ruler.loaded(tenant, problems.length === 0)
    let saved: SavedStates = { groups: [] }
    if (state === undefined) {
      saved = await this.#savedStates(tenant)
      state = { namespaces, groups: new Map(), hasSaved: saved.groups.length > 0, isDirty: false }
      this.#tenants.set(tenant, state)
    }
    state.namespaces = namespaces
    await this.#settle({ tenant, state, saved }, isEnabled(tenant) ? namespaces : new Map())
    if (namespaces.size > 0 || problems.length > 0) return
    this.#tenants.delete(tenant)
    if (state.hasSaved) await this.#options.states.delete(tenant)
  }

  /** Makes the groups that run those that should. */
  async #settle(owner: Owner, wanted: Namespaces): Promise<void> {
    const { state } = owner
    const left = new Set(state.groups.keys())
    for (const [namespace, groups] of wanted) {
      for (const group of groups) {
        const key = JSON.stringify([namespace, group.name])
        left.delete(key)
        const text = formatGroup(group)
        const old = state.groups.get(key)
        if (old?.text === text || this.#isStopped) continue
        const running = this.#newGroup(owner, namespace, group)
        await old?.runner.stop()
        if (old !== undefined) running.runner.continue(old.runner)
        state.groups.set(key, running)
        running.runner.start()
      }
    }
    for (const key of left) {
      const old = state.groups.get(key)
      state.groups.delete(key)
      await old?.runner.stop()
      old?.runner.end()
      old?.forget()
      state.isDirty = true
    }
  }

  #newGroup({ tenant, state, saved }: Owner, namespace: string, group: RuleGroup): Running {
    const { clock, contextOf, send, write, metrics, evaluationIntervalMs, outage } = this.#options
    const id = { tenant, namespace, group: group.name }
    const intervalMs = group.intervalMs ?? evaluationIntervalMs
    const count = metrics.groups(id, { rules: group.rules.length, intervalMs })
    const runner = new GroupRunner({
      id,
      group,
      intervalMs,
      context: contextOf(tenant),
      clock,
      count,
      sendAlerts: (alerts) => send(tenant, alerts),
      write: (samples) => write(tenant, samples),
      onEvaluated: () => (state.isDirty = true),
    })
    const before = saved.groups.find((one) => one.namespace === namespace && one.group === group.name)
    if (before !== undefined) runner.restore(before, { nowMs: clock.nowMs(), ...outage })
    return { runner, text: formatGroup(group), forget: count.forget }
  }

  async #savedStates(tenant: string): Promise<SavedStates> {
    try {
      return await this.#options.states.load(tenant)
    } catch (error) {
      this.#options.logger.error('the alerts from before the start are lost', { tenant, error: String(error) })
      return { groups: [] }
    }
  }

  async #save(tenant: string, state: Tenant, groups: readonly SavedGroup[]): Promise<void> {
    // what changes from here on is for the next time
    state.isDirty = false
    try {
      await this.#options.states.save(tenant, { groups })
    } catch (error) {
      state.isDirty = true
      throw error
    }
  }

  async #saveAll(): Promise<void> {
    for (const [tenant, state] of this.#tenants) {
      if (!state.isDirty) continue
      const groups = [...state.groups.values()].map(({ runner }) => runner.save())
      const hasAlerts = groups.some(({ rules }) => rules.length > 0)
      // a tenant without alerts costs nothing, but for the first time that there are none any more
      if (hasAlerts || state.hasSaved) await this.#save(tenant, state, groups)
      else state.isDirty = false
      state.hasSaved = hasAlerts
    }
  }
}
