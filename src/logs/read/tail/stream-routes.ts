/** Which queries want a stream: found once for each distinct stream, whatever number of entries and tails there are. */
import { parseLabels } from '#/logs/model/labels.ts'
import type { Labels } from '#/storage/index/label-index.ts'
import type { LiveQuery } from './live-query.ts'

/** Streams that are known; beyond, all are forgotten and found anew. */
const MAX_STREAMS = 16_384

export type Route = { readonly labels: Labels; readonly queries: readonly LiveQuery[] }
type KnownRoute = { readonly labels: Labels; readonly queries: LiveQuery[] }

export class StreamRoutes {
  readonly #routes = new Map<string, KnownRoute>()
  readonly #queries = new Set<LiveQuery>()

  get size(): number {
    return this.#routes.size
  }

  /** Streams that at least one query wants. */
  get wantedCount(): number {
    let count = 0
    for (const { queries } of this.#routes.values()) if (queries.length > 0) count++
    return count
  }

  add(query: LiveQuery): void {
    this.#queries.add(query)
    for (const { labels, queries } of this.#routes.values()) if (query.wants(labels)) queries.push(query)
  }

  remove(query: LiveQuery): void {
    this.#queries.delete(query)
    for (const { queries } of this.#routes.values()) {
      const at = queries.indexOf(query)
      if (at >= 0) queries.splice(at, 1)
    }
  }

  /** The route of a stream, if it was asked for before. */
  known(text: string): Route | undefined {
    return this.#routes.get(text)
  }

  /** `text` is canonical. */
  of(text: string): Route {
    const known = this.#routes.get(text)
    if (known !== undefined) return known
    if (this.#routes.size >= MAX_STREAMS) this.#routes.clear()
    const labels = parseLabels(text)
    const route = { labels, queries: [...this.#queries].filter((query) => query.wants(labels)) }
    this.#routes.set(text, route)
    return route
  }
}
