/** Answers in the form of a script: what a query gave, and what was expected, as lines that can be compared and pasted. */
import { formatGoDuration } from '#/kernel/duration.ts'
import { EddaError } from '#/kernel/errors.ts'
import { quoteGo } from '#/kernel/go-quote.ts'
import { compareUtf8 } from '#/kernel/utf8.ts'
import { formatLabels } from '#/logs/model/labels.ts'
import type { QueryAnswer } from '#/logs/wire/query.ts'
import { formatSampleValue } from '#/series/format-value.ts'
import type { Labels } from '#/storage/index/label-index.ts'
import { ZERO_NS, type Expectation, type FailMatch, type SeriesResult, type StreamResult } from './script.ts'

export type Outcome =
  | { readonly kind: 'fail'; readonly message: string; readonly status: string }
  | { readonly kind: 'streams'; readonly streams: readonly StreamResult[]; readonly warnings: readonly string[] }
  | { readonly kind: 'series'; readonly series: readonly SeriesResult[]; readonly warnings: readonly string[] }
  | { readonly kind: 'scalar'; readonly value: number; readonly warnings: readonly string[] }

/** Values as near as this count as equal. */
const RELATIVE_TOLERANCE = 1e-9
/** Shown of an error that is a bug. */
const STACK_LINES = 4
const DETAILS = '__error_details__'

export async function outcomeOf(ask: () => Promise<QueryAnswer>): Promise<Outcome> {
  try {
    return toOutcome(await ask())
  } catch (error) {
    if (error instanceof EddaError) return { kind: 'fail', message: error.message, status: error.code }
    const stack = String(error instanceof Error ? error.stack : error)
    return { kind: 'fail', message: stack.split('\n').slice(0, STACK_LINES).join('\n'), status: 'crash' }
  }
}

function toOutcome({ data, warnings }: QueryAnswer): Outcome {
  switch (data.kind) {
    case 'streams': {
      const streams = data.streams.map(({ labels, entries }) => ({
        labels,
        entries: entries.map(({ timeNs, line }) => ({ offsetNs: timeNs - ZERO_NS, line: line.toString() })),
      }))
      return { kind: 'streams', streams, warnings }
    }
    case 'vector':
      return {
        kind: 'series',
        series: data.samples.map(({ labels, value }) => ({ labels, values: [value] })),
        warnings,
      }
    case 'matrix': {
      const series = data.series.map(({ labels, values, present }) => ({
        labels,
        values: [...values].map((value, step) => (present[step] === 1 ? value : undefined)),
      }))
      return { kind: 'series', series, warnings }
    }
    case 'scalar':
      return { kind: 'scalar', value: data.value, warnings }
  }
}

export type Comparison = { readonly isEqual: boolean; readonly expected: string[]; readonly actual: string[] }

/** Compares as the script language says: order, tolerance and details of errors as described in its manual. */
export function compare(expectation: Expectation, outcome: Outcome): Comparison {
  const expected = expectedLines(expectation)
  if (expectation.kind === 'fail') {
    const isEqual = outcome.kind === 'fail' && outcome.status === 'bad_request' && matches(expectation.match, outcome)
    return { isEqual, expected, actual: outcomeLines(outcome) }
  }
  const actual = outcomeLines(alignTo(expectation, outcome))
  const isSet = expectation.kind === 'series' && !expectation.isOrdered
  if (isSet) {
    expected.sort()
    actual.sort()
  }
  const results = actual.filter((line) => !line.startsWith('  expect warn '))
  const isEqual =
    results.join('\n') === expected.join('\n') &&
    (outcome.kind === 'fail' || areWarned(expectation.warnings, outcome.warnings))
  return { isEqual, expected: [...expected, ...warningLines(expectation.warnings)], actual }
}

function matches({ how, text }: FailMatch, { message }: { readonly message: string }): boolean {
  if (how === 'equals') return message === text
  return how === 'contains' ? message.includes(text) : new RegExp(text, 's').test(message)
}

/** Every expected text is in a warning, and every warning was expected. */
function areWarned(texts: readonly string[], warnings: readonly string[]): boolean {
  return (
    texts.every((text) => warnings.some((warning) => warning.includes(text))) &&
    warnings.every((warning) => texts.some((text) => warning.includes(text)))
  )
}

/** Takes over from the expectation what counts as equal: near values, and details of errors that it does not name. */
function alignTo(expectation: Exclude<Expectation, { kind: 'fail' }>, outcome: Outcome): Outcome {
  if (expectation.kind === 'streams' && outcome.kind === 'streams') {
    return { ...outcome, streams: alignDetails(expectation.streams, outcome.streams) }
  }
  if (expectation.kind === 'scalar' && outcome.kind === 'scalar') {
    return isNear(expectation.value, outcome.value) ? { ...outcome, value: expectation.value } : outcome
  }
  if (expectation.kind !== 'series' || outcome.kind !== 'series') return outcome
  const wanted = Map.groupBy(expectation.series, ({ labels }) => formatLabels(labels))
  const series = alignDetails(expectation.series, outcome.series).map(({ labels, values }) => {
    const near = wanted.get(formatLabels(labels))?.[0]?.values ?? []
    return { labels, values: values.map((value, i) => (isNear(value, near[i]) ? near[i] : value)) }
  })
  return { ...outcome, series }
}

function isNear(a: number | undefined, b: number | undefined): boolean {
  if (a === undefined || b === undefined) return false
  return Object.is(a, b) || Math.abs(a - b) <= RELATIVE_TOLERANCE * Math.max(Math.abs(a), Math.abs(b))
}

/** Drops `__error_details__` where the expectation has the same labels without it. */
function alignDetails<T extends { readonly labels: Labels }>(
  expected: readonly { readonly labels: Labels }[],
  actual: readonly T[],
): T[] {
  const undetailed = new Set(
    expected
      .filter(({ labels }) => hasName(labels, '__error__') && !hasName(labels, DETAILS))
      .map(({ labels }) => formatLabels(labels)),
  )
  const aligned = actual.map((one) => {
    const labels = one.labels.filter(([name]) => name !== DETAILS)
    return undetailed.has(formatLabels(labels)) ? { ...one, labels } : one
  })
  // the order of what differs in its details alone is that of the details
  return undetailed.size === 0 ? aligned : aligned.toSorted((a, b) => compareUtf8(sortText(a), sortText(b)))
}

const sortText = ({ labels }: { readonly labels: Labels }): string => formatLabels(labels)

function hasName(labels: Labels, name: string): boolean {
  return labels.some(([own]) => own === name)
}

function expectedLines(expectation: Expectation): string[] {
  if (expectation.kind !== 'fail') return resultLines(withoutEmptyDetails(expectation))
  const { how, text } = expectation.match
  return [`  expect fail ${how === 'equals' ? '' : how === 'contains' ? 'msg: ' : 'regex: '}${lineText(text)}`]
}

/** `__error_details__=""` in an expectation says that there are none. */
function withoutEmptyDetails(expectation: Exclude<Expectation, { kind: 'fail' }>): Exclude<Outcome, { kind: 'fail' }> {
  const strip = <T extends { readonly labels: Labels }>(one: T): T => ({
    ...one,
    labels: one.labels.filter(([name, value]) => name !== DETAILS || value !== ''),
  })
  if (expectation.kind === 'streams') return { ...expectation, streams: expectation.streams.map(strip) }
  return expectation.kind === 'series' ? { ...expectation, series: expectation.series.map(strip) } : expectation
}

function outcomeLines(outcome: Outcome): string[] {
  if (outcome.kind === 'fail') {
    const status = outcome.status === 'bad_request' ? '' : `(${outcome.status}) `
    return [`  expect fail ${status}${lineText(outcome.message)}`]
  }
  return [...resultLines(outcome), ...warningLines(outcome.warnings)]
}

function resultLines(outcome: Exclude<Outcome, { kind: 'fail' }>): string[] {
  if (outcome.kind === 'scalar') return [`  scalar ${formatSampleValue(outcome.value)}`]
  if (outcome.kind === 'streams') return outcome.streams.flatMap(streamLines)
  return outcome.series.map(({ labels, values }) => {
    const texts = values.map((value) => (value === undefined ? '_' : formatSampleValue(value)))
    return `  ${formatLabels(labels)} ${texts.join(' ')}`
  })
}

function streamLines({ labels, entries }: StreamResult): string[] {
  const lines = entries.map(({ offsetNs, line }) => `    ${formatGoDuration(Number(offsetNs))} ${lineText(line)}`)
  return [`  ${formatLabels(labels)}`, ...lines]
}

function warningLines(warnings: readonly string[]): string[] {
  return warnings.map((warning) => `  expect warn ${lineText(warning)}`)
}

/** A line as `readLine` reads it: plain where possible. */
function lineText(line: string): string {
  const quoted = quoteGo(line)
  const isPlain = line !== '' && line === line.trim() && !line.startsWith('"') && !/[\p{C}\u2028\u2029]/u.test(line)
  return isPlain ? line : quoted
}
