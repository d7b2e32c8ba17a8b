/**
 * Asks every query in three states of the server, and checks each answer:
 *
 *     cold    the process has just been started on the data, and this is the first thing it is asked
 *     first   the process has answered much, but never this text
 *     warm    the same text again and again
 *
 * The kernel's page cache stays warm throughout: what is cold is the process.
 */
import type { Truth } from '../tools/data-truth.ts'
import type { Client } from './client.ts'
import { pause } from './ingest.ts'
import { threadsCpuMs } from './process-figures.ts'
import { type Asked, type BenchQuery, queries, type Window } from './queries.ts'

/** A sample of short queries is the mean of some in a row, so that what the process does anyway counts for little. */
const sampleMs = 50
const maxAsksPerSample = 20
/** What a process does after its start is not part of its first query. */
const startMs = 500
const shownCharacters = 28
/** Threads report CPU when they rest. */
const restMs = 15

export type Sample = { readonly wallMs: number; readonly cpuMs: number }

export type QueryResult = {
  readonly name: string
  readonly cold: readonly Sample[]
  readonly first: readonly Sample[]
  readonly warm: readonly Sample[]
  readonly verdict: string
}

export type QueryRun = {
  readonly truth: Truth
  readonly window: Window
  readonly repeat: number
  readonly cold: boolean
  /** Where variants of texts begin; 0 by default. */
  readonly firstVariant?: number
}

export async function runQueries(client: Client, run: QueryRun): Promise<QueryResult[]> {
  const asker = new Asker(client, run)
  const asked = queries.filter(({ applies }) => applies?.(run.truth) ?? true)
  const cold = new Map<BenchQuery, Sample[]>()
  for (const query of asked) {
    if (!run.cold || client.server.restart === undefined) break
    await client.server.restart()
    await pause(startMs)
    cold.set(query, [await asker.sample(query, [0])])
  }
  // a round without a clock: code is compiled, indexes and filters are read
  for (const query of asked) await asker.sample(query, [1])
  const results: QueryResult[] = []
  for (const query of asked) {
    const first: Sample[] = []
    for (let round = 0; round < run.repeat; round++) first.push(await asker.sample(query, [2 + round]))
    const asks = Math.min(maxAsksPerSample, Math.max(1, Math.ceil(sampleMs / (first.at(-1)?.wallMs ?? sampleMs))))
    const warm: Sample[] = []
    for (let round = 0; round < run.repeat; round++) warm.push(await asker.sample(query, Array<number>(asks).fill(0)))
    results.push({ name: query.name, cold: cold.get(query) ?? [], first, warm, verdict: asker.verdictOf(query) })
  }
  return results
}

class Asker {
  readonly #client: Client
  readonly #run: QueryRun
  readonly #verdicts = new Map<BenchQuery, string>()

  constructor(client: Client, run: QueryRun) {
    this.#client = client
    this.#run = run
  }

  /** What was wrong with the first wrong answer, or that all were right. */
  verdictOf(query: BenchQuery): string {
    return this.#verdicts.get(query) ?? 'not asked'
  }

  /** Asks the variants in turn: mean CPU, least time. */
  async sample(query: BenchQuery, variants: readonly number[]): Promise<Sample> {
    const { pid } = this.#client.server
    const { firstVariant = 0 } = this.#run
    const cpuBefore = threadsCpuMs(pid)
    let wallMs = Number.POSITIVE_INFINITY
    const texts: string[] = []
    for (const variant of variants) {
      const path = query.path({ ...this.#run, variant: firstVariant + variant } satisfies Asked)
      const begun = performance.now()
      texts.push(await this.#client.text(path).catch((error: unknown) => String(error)))
      wallMs = Math.min(wallMs, performance.now() - begun)
    }
    await pause(restMs)
    const cpuMs = (threadsCpuMs(pid) - cpuBefore) / variants.length
    for (const text of texts) this.#judge(query, text)
    return { wallMs, cpuMs }
  }

  #judge(query: BenchQuery, text: string): void {
    if (this.verdictOf(query).startsWith('FAILED')) return
    this.#verdicts.set(
      query,
      verdictOn(query, text, this.#run.truth, (found, expected) => found === expected),
    )
  }
}

/** `ok, …` or `FAILED: …`. */
export function verdictOn(
  query: BenchQuery,
  text: string,
  truth: Truth,
  fits: (found: string | number, expected: string | number) => boolean,
): string {
  const expected = query.expected(truth)
  try {
    const found = query.found(JSON.parse(text), truth)
    const shown = String(found).slice(0, shownCharacters)
    return fits(found, expected)
      ? `ok, ${shown}`
      : `FAILED: ${shown}, not ${String(expected).slice(0, shownCharacters)}`
  } catch {
    return `FAILED: ${text.slice(0, 120)}`
  }
}
