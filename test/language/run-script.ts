/**
 * Runs the evals of a script. Each runs against heads, blocks and a mixture of both, and all must give what the script
 * expects; an instant query also runs as a range of one step, and each step of a range query as an instant query.
 */
import { parseLabels } from '#/logs/model/labels.ts'
import type { QueryFrontend } from '#/logs/wire/query.ts'
import { compare, outcomeOf, type Comparison, type Outcome } from './outcome.ts'
import { makeWorlds, type ScriptWorld } from './script-worlds.ts'
import { ZERO_NS, type Eval, type Expectation, type LogMode, type Script } from './script.ts'

export type Failure = { readonly file: string; readonly eval: Eval; readonly problem: string }

const never = new AbortController().signal
const NS_PER_SECOND = 1_000_000_000n
const common = { tenant: 'test', limit: 1000, direction: 'forward' } as const

export async function runScript({ file, evals }: Script): Promise<Failure[]> {
  const failures: Failure[] = []
  let worlds: readonly ScriptWorld[] = []
  let loaded: Eval['entries'] | undefined
  for (const one of evals) {
    if (one.entries !== loaded) worlds = await makeWorlds(one.entries)
    loaded = one.entries
    const problem = await problemOf(one, worlds)
    if (problem !== undefined && one.broken === undefined) failures.push({ file, eval: one, problem })
    if (problem === undefined && one.broken !== undefined) {
      failures.push({ file, eval: one, problem: `is marked as broken (${one.broken}) but passes: remove the mark` })
    }
  }
  return failures
}

/** What is wrong with the answers, in full; undefined when nothing is. */
async function problemOf(one: Eval, worlds: readonly ScriptWorld[]): Promise<string | undefined> {
  for (const { name, frontend } of worlds) {
    const outcome = await evaluate(one, frontend)
    const comparison = compare(one.expectation, outcome)
    if (!comparison.isEqual) return describe(comparison, `from ${name}`)
    const problem = await otherWay(one, frontend, outcome, name)
    if (problem !== undefined) return problem
  }
  return undefined
}

function evaluate({ mode, query, entries }: Eval, frontend: QueryFrontend): Promise<Outcome> {
  switch (mode.kind) {
    case 'log':
      return outcomeOf(() => frontend.range({ ...common, query, ...logTimes(mode, entries) }, never))
    case 'instant':
      return outcomeOf(() => frontend.instant({ ...common, query, timeNs: ZERO_NS + mode.atNs }, never))
    case 'range': {
      const times = { startNs: ZERO_NS + mode.fromNs, endNs: ZERO_NS + mode.toNs, stepNs: mode.stepNs }
      return outcomeOf(() => frontend.range({ ...common, query, ...times, intervalNs: 0n }, never))
    }
  }
}

function logTimes(
  { fromNs, toNs, ...rest }: LogMode,
  entries: Eval['entries'],
): Omit<Parameters<QueryFrontend['range']>[0], 'tenant' | 'query'> {
  const offsets = entries.map(({ offsetNs }) => offsetNs)
  const first = offsets.reduce((a, b) => (b < a ? b : a), offsets[0] ?? 0n)
  const last = offsets.reduce((a, b) => (b > a ? b : a), first)
  const { limit, direction, intervalNs } = rest
  const startNs = ZERO_NS + (fromNs ?? first)
  return { startNs, endNs: ZERO_NS + (toNs ?? last + 1n), stepNs: NS_PER_SECOND, limit, direction, intervalNs }
}

/** Instant as a range of one step, each step of a range as an instant: the same values. */
async function otherWay(
  one: Eval,
  frontend: QueryFrontend,
  outcome: Outcome,
  name: string,
): Promise<string | undefined> {
  const { mode, query } = one
  // sketches are for instant queries alone
  if (mode.kind === 'log' || outcome.kind === 'fail' || query.includes('approx_topk')) return undefined
  if (mode.kind === 'instant') {
    const times = { startNs: ZERO_NS + mode.atNs, endNs: ZERO_NS + mode.atNs, stepNs: 1n, intervalNs: 0n }
    const asRange = await outcomeOf(() => frontend.range({ ...common, query, ...times }, never))
    const comparison = compare(asSet(one.expectation), asRange)
    return comparison.isEqual ? undefined : describe(comparison, `as range query from ${name}`)
  }
  if (outcome.kind !== 'series' || name !== 'heads') return undefined
  const steps = outcome.series[0]?.values.length ?? 0
  const startNs = ZERO_NS + mode.fromNs - ((ZERO_NS + mode.fromNs) % mode.stepNs)
  for (let step = 0; step < steps; step++) {
    const timeNs = startNs + BigInt(step) * mode.stepNs
    const atStep = await outcomeOf(() => frontend.instant({ ...common, query, timeNs }, never))
    const comparison = compare(columnOf(outcome, step, atStep), atStep)
    if (!comparison.isEqual) return describe(comparison, `as instant query at step ${step} from ${name}`)
  }
  return undefined
}

/** The expectation of an instant query for the same query as a range of one step. */
function asSet(expectation: Expectation): Expectation {
  if (expectation.kind === 'series') return { ...expectation, isOrdered: false }
  if (expectation.kind !== 'scalar') return expectation
  const series = [{ labels: parseLabels('{}'), values: [expectation.value] }]
  return { kind: 'series', series, isOrdered: false, warnings: expectation.warnings }
}

function columnOf(outcome: Outcome & { kind: 'series' }, step: number, atStep: Outcome): Expectation {
  const { warnings } = outcome
  const column = outcome.series.map(({ labels, values }) => ({ labels, values: [values[step]] }))
  const series = column.filter(({ values }) => values[0] !== undefined)
  const only = series[0]?.values[0]
  if (atStep.kind === 'scalar' && only !== undefined) return { kind: 'scalar', value: only, warnings }
  return { kind: 'series', series, isOrdered: false, warnings }
}

/** A difference by lines in the form of a script, then the whole answer to paste. */
function describe({ expected, actual }: Comparison, where: string): string {
  const missing = expected.filter((line) => !actual.includes(line)).map((line) => `-${line}`)
  const surplus = actual.map((line) => (expected.includes(line) ? ` ${line}` : `+${line}`))
  const difference = missing.length + surplus.length === 0 ? [] : [...missing, ...surplus]
  const isReordered = missing.length === 0 && surplus.every((line) => line.startsWith(' '))
  const expectation = isReordered ? ['expected in this order or number:', ...expected, 'got:'] : []
  return [`differs ${where} (- expected, + got):`, ...expectation, ...difference, 'the answer:', ...actual].join('\n')
}

/** `file:line`, the rule, the command and what is wrong with its answer. */
export function failureText({ file, eval: one, problem }: Failure): string {
  return `${file}:${one.line}\n# spec: ${one.spec}\n${one.source}\n${problem}`
}
