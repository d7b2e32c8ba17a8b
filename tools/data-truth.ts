/** What is in the lines of a data set: counted while they are made, so that answers of a server can be checked. */
import type { GeneratedLine } from './gen-data.ts'

/** A word in one line of ten thousand. */
export const rareWord = 'quasar'
/** Words whose lines are counted; some of them occur inside other words only. */
export const countedWords = [rareWord, 'timeout', 'deadline', 'uthori', 'denied', 'Failed password'] as const
/** A word whose lines are counted in any case, too. */
export const foldedWord = 'deadline'
const foldedPattern = new RegExp(foldedWord, 'i')

export type Truth = {
  lines: number
  /** Bytes of lines, without metadata. */
  bytes: number
  readonly linesByApp: Record<string, number>
  /** By the level that the program meant; a server that looks at the text may think otherwise. */
  readonly linesByLevel: Record<string, number>
  /** How many lines contain a word as a substring. */
  readonly linesWith: Record<string, number>
  /** How many lines contain `foldedWord` in any case. */
  linesWithFolded: number
  /** Lines of the namespace `identity` with `denied`. */
  identityDenied: number
  /** Lines of the service `payments` by HTTP status. */
  readonly paymentsByStatus: Record<string, number>
  /** `latency_ms` of the service `payments`, in the order of lines. */
  readonly paymentsLatencyMs: number[]
  /** Lines by the `user_id` of their structured metadata. */
  readonly linesByUser: Map<string, number>
  /** Lines without that. */
  linesOfNoUser: number
  /** Streams with lines, by application. */
  readonly streamsByApp: Record<string, number>
  /** A trace id that occurs in structured metadata, and how often. */
  readonly traceId: string
  traceIdLines: number
}

export function emptyTruth(traceId: string): Truth {
  return {
    lines: 0,
    bytes: 0,
    linesByApp: {},
    linesByLevel: {},
    linesWith: Object.fromEntries(countedWords.map((word) => [word, 0])),
    linesWithFolded: 0,
    identityDenied: 0,
    paymentsByStatus: {},
    paymentsLatencyMs: [],
    linesByUser: new Map(),
    linesOfNoUser: 0,
    streamsByApp: {},
    traceId,
    traceIdLines: 0,
  }
}

/** `isNewStream`: the line is the first of its stream. */
export function countLine(truth: Truth, line: GeneratedLine, isNewStream: boolean): void {
  const { text, level, status, latencyMs, stream, metadata } = line
  truth.lines++
  truth.bytes += Buffer.byteLength(text)
  bump(truth.linesByApp, stream.app)
  bump(truth.linesByLevel, level)
  for (const word of countedWords) if (text.includes(word)) bump(truth.linesWith, word)
  if (foldedPattern.test(text)) truth.linesWithFolded++
  if (stream.namespace === 'identity' && text.includes('denied')) truth.identityDenied++
  if (isNewStream) bump(truth.streamsByApp, stream.app)
  if (stream.app === 'payments') {
    if (status !== undefined) bump(truth.paymentsByStatus, String(status))
    if (latencyMs !== undefined) truth.paymentsLatencyMs.push(latencyMs)
  }
  let user: string | undefined
  for (const [name, value] of metadata) {
    if (name === 'user_id') user = value
    else if (value === truth.traceId) truth.traceIdLines++
  }
  if (user === undefined) truth.linesOfNoUser++
  else truth.linesByUser.set(user, (truth.linesByUser.get(user) ?? 0) + 1)
}

function bump(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1
}

/** The `count` largest groups of lines by user; lines of no user are a group, too. */
export function largestUsers({ linesByUser, linesOfNoUser }: Truth, count: number): number[] {
  return [...linesByUser.values(), linesOfNoUser].toSorted((a, b) => b - a).slice(0, count)
}

/** As Prometheus has it: between the two values next to the rank, by distance. */
export function quantileOf(values: readonly number[], quantile: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const rank = quantile * (sorted.length - 1)
  const below = sorted[Math.floor(rank)] ?? Number.NaN
  return below + ((sorted[Math.ceil(rank)] ?? Number.NaN) - below) * (rank - Math.floor(rank))
}

/** As JSON: without what has an entry for each line. */
export function truthJson({ linesByUser: _users, paymentsLatencyMs: _latencies, ...counts }: Truth): string {
  return `${JSON.stringify(counts, undefined, 2)}\n`
}
