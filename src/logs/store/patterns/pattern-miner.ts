/**
 * Clusters lines into patterns: texts with `<_>` where lines differ, valid for `|>`, each of which matches every line that was
 * counted for it. Lines for which a limit leaves no room are in `uncounted`, and in no pattern.
 *
 *     1. take the line apart                                      ./line-tokens.ts
 *     2. a table knows the cluster of lines with the same frame and words: most lines end here
 *     3. else the cluster with the same frame and the most equal words takes the line, when enough of them are equal; where they
 *        are not, it gets a hole
 *     4. else the line begins a cluster
 *
 * The more clusters share a frame, the more a line may differ from the one it joins: words that vary without end become holes
 * soon, words that vary little stay. In the end a cluster goes into a more general one, if there is any. The same lines in the
 * same order give the same patterns.
 */
import { isUtf8 } from 'node:buffer'

import { FIXED_HOLE, HOLE, LineTokens } from './line-tokens.ts'
import { PatternCounts, type PatternColumns } from './pattern-counts.ts'
import { ShapeTable } from './shape-table.ts'

export type MinerLimits = {
  /** Longer lines are not looked at. */
  readonly maxLineBytes: number
  readonly maxClusters: number
  /** Clusters that differ in words only. */
  readonly maxClustersOfFrame: number
  readonly maxPatternsOfStream: number
  /** Patterns by stream and level. */
  readonly maxSeries: number
  /** Shapes of lines of which the cluster is known at once. */
  readonly maxShapes: number
  /** Words to compare before there are any lines, and for each byte of a line: bounds the time that the search for clusters takes. */
  readonly freeComparisons: number
  readonly comparisonsPerByte: number
}

export const minerLimits: MinerLimits = {
  maxLineBytes: 3000,
  maxClusters: 4096,
  maxClustersOfFrame: 128,
  maxPatternsOfStream: 300,
  maxSeries: 65_536,
  maxShapes: 49_152,
  freeComparisons: 1_000_000,
  comparisonsPerByte: 0.5,
}

/** From so many clusters of a frame on, this part of its words may differ; in the end the closest cluster takes any line. */
const TOLERANCES: readonly (readonly [clusters: number, part: number])[] = [
  [96, 1],
  [64, 0.75],
  [24, 0.5],
  [8, 0.34],
  [0, 0.2],
]
const NO_CLUSTER = -1

export type MinedRow = {
  stream: number
  /** A number below `MAX_LEVELS`. */
  level: number
  time: number
  /** How many lines it stands for. */
  lines: number
}

export type MinedPatterns = {
  readonly texts: readonly string[]
  readonly counts: PatternColumns
  /** Lines that are too long, empty, or beyond a limit. */
  readonly uncounted: number
}

type Cluster = {
  readonly bytes: Buffer
  readonly start: Uint32Array
  readonly end: Uint32Array
  readonly hash: Int32Array
  /** Tokens that are no holes. */
  wordCount: number
}

export class PatternMiner {
  readonly #limits: MinerLimits
  readonly #tokens = new LineTokens()
  readonly #shapes: ShapeTable
  readonly #counts: PatternCounts
  readonly #clusters: Cluster[] = []
  readonly #clustersOfFrame = new Map<number, number[]>()
  #credit: number
  #uncounted = 0

  /** `stepNs`: times of counts are multiples of it. */
  constructor(stepNs: number, limits: MinerLimits = minerLimits) {
    this.#limits = limits
    this.#shapes = new ShapeTable(limits.maxShapes)
    this.#counts = new PatternCounts(stepNs, limits)
    this.#credit = limits.freeComparisons
  }

  /** Counts the line in `bytes[start, end)`. */
  add(bytes: Uint8Array, start: number, end: number, row: MinedRow): void {
    const size = end - start
    if (size === 0 || size > this.#limits.maxLineBytes) {
      this.#uncounted += row.lines
      return
    }
    this.#credit += size * this.#limits.comparisonsPerByte
    const cluster = this.#clusterOf(bytes, start, end)
    if (cluster === NO_CLUSTER || !this.#counts.add(cluster, row)) this.#uncounted += row.lines
  }

  finish(): MinedPatterns {
    const general = this.#generalize()
    const textOf = new Map<string, number>()
    const textOfCluster = this.#clusters.map((cluster, id) => {
      if (general[id] !== id) return 0
      const text = patternText(cluster)
      const known = textOf.get(text) ?? textOf.size
      textOf.set(text, known)
      return known
    })
    const counts = this.#counts.finish((cluster) => textOfCluster[general[cluster]!]!)
    return { texts: [...textOf.keys()], counts, uncounted: this.#uncounted }
  }

  #clusterOf(bytes: Uint8Array, start: number, end: number): number {
    const tokens = this.#tokens
    tokens.scan(bytes, start, end)
    const slot = this.#shapes.find(tokens)
    const known = this.#shapes.valueAt(slot)
    if (known !== NO_CLUSTER) return known
    const found = this.#findOrMake(bytes, start, end)
    if (found !== NO_CLUSTER) this.#shapes.set(slot, found)
    return found
  }

  #findOrMake(bytes: Uint8Array, start: number, end: number): number {
    const tokens = this.#tokens
    if (this.#credit <= 0) return NO_CLUSTER
    if (tokens.hasHigh) dropBrokenText(tokens, bytes)
    const siblings = this.#clustersOfFrame.get(tokens.frame) ?? []
    this.#credit -= tokens.count + 1
    const best = this.#closest(siblings)
    if (best !== NO_CLUSTER) {
      widen(this.#clusters[best]!, tokens)
      return best
    }
    const { maxClusters, maxClustersOfFrame } = this.#limits
    if (this.#clusters.length >= maxClusters || siblings.length >= maxClustersOfFrame) return NO_CLUSTER
    const id = this.#clusters.push(makeCluster(tokens, bytes, start, end)) - 1
    siblings.push(id)
    this.#clustersOfFrame.set(tokens.frame, siblings)
    return id
  }

  /** The cluster with the fewest differences, when they are few enough. */
  #closest(siblings: number[]): number {
    const { count, hash } = this.#tokens
    let best = NO_CLUSTER
    let fewest = Infinity
    for (const [position, id] of siblings.entries()) {
      const cluster = this.#clusters[id]!
      if (cluster.hash.length !== count) continue
      let differences = 0
      for (let i = 0; i < count && differences < fewest; i++) {
        if (cluster.hash[i] !== hash[i] && cluster.hash[i] !== HOLE) differences++
      }
      this.#credit -= count + 1
      if (differences >= fewest) continue
      fewest = differences
      best = id
      if (fewest > 0) continue
      // clusters that take many lines are looked at first
      siblings.copyWithin(1, 0, position)
      siblings[0] = id
      return best
    }
    if (best === NO_CLUSTER) return NO_CLUSTER
    return fewest <= toleranceOf(siblings.length) * this.#clusters[best]!.wordCount ? best : NO_CLUSTER
  }

  /** For each cluster the one that its counts go to: itself, or the first with holes in more places. */
  #generalize(): Uint32Array {
    const target = Uint32Array.from(this.#clusters, (_, id) => id)
    for (const siblings of this.#clustersOfFrame.values()) {
      const byHoles = siblings.toSorted((a, b) => holesOf(this.#clusters[b]!) - holesOf(this.#clusters[a]!) || a - b)
      for (let i = 1; i < byHoles.length; i++) {
        const own = byHoles[i]!
        const wider = byHoles.slice(0, i).find((other) => covers(this.#clusters[other]!, this.#clusters[own]!))
        if (wider !== undefined) target[own] = target[wider]!
      }
    }
    return target
  }
}

function toleranceOf(siblings: number): number {
  for (const [clusters, part] of TOLERANCES) if (siblings >= clusters) return part
  return 0
}

function makeCluster(tokens: LineTokens, bytes: Uint8Array, start: number, end: number): Cluster {
  const { count } = tokens
  const hash = tokens.hash.slice(0, count)
  return {
    bytes: Buffer.from(bytes.subarray(start, end)),
    start: tokens.start.slice(0, count).map((at) => at - start),
    end: tokens.end.slice(0, count).map((at) => at - start),
    hash,
    wordCount: hash.reduce((sum, one) => sum + (isHole(one) ? 0 : 1), 0),
  }
}

/** Gives the cluster a hole wherever the line differs. */
function widen(cluster: Cluster, tokens: LineTokens): void {
  const { hash } = cluster
  for (let i = 0; i < hash.length; i++) {
    if (hash[i] === tokens.hash[i] || hash[i] === HOLE) continue
    hash[i] = HOLE
    cluster.wordCount--
  }
}

function isHole(hash: number | undefined): boolean {
  return hash === HOLE || hash === FIXED_HOLE
}

function covers(wide: Cluster, narrow: Cluster): boolean {
  if (wide.hash.length !== narrow.hash.length) return false
  return wide.hash.every((hash, i) => hash === HOLE || hash === narrow.hash[i])
}

function holesOf({ hash }: Cluster): number {
  return hash.reduce((sum, one) => sum + (one === HOLE ? 1 : 0), 0)
}

/** Words that are not UTF-8 cannot stand in a pattern. */
function dropBrokenText(tokens: LineTokens, bytes: Uint8Array): void {
  for (let i = 0; i < tokens.count; i++) {
    if (isHole(tokens.hash[i])) continue
    if (!isUtf8(bytes.subarray(tokens.start[i]!, tokens.end[i]!))) tokens.hash[i] = HOLE
  }
}

function patternText({ bytes, start, end, hash }: Cluster): string {
  let text = ''
  let at = 0
  for (let i = 0; i < hash.length; i++) {
    if (!isHole(hash[i])) continue
    text += `${bytes.toString('utf8', at, start[i])}<_>`
    at = end[i]!
  }
  return text + bytes.toString('utf8', at)
}
