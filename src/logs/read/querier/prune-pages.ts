/**
 * Leaves out pages of which nothing passes, before anything of them is read: by what statistics know of their metadata, then by the
 * filters of their blocks, which are asked once for all pages. What is left may still hold nothing that passes.
 */
import { eachConcurrently } from '#/kernel/each-concurrently.ts'
import type { LabelTerm, PageConditions, PageTerm } from '#/logs/logql/planner/page-conditions.ts'
import type { LogBlock } from '#/logs/store/log-block.ts'
import type { PageCondition } from '#/storage/filter/filter.ts'
import { textCondition } from '#/logs/logql/planner/label-matchers.ts'
import type { QueryRun } from './query-run.ts'
import type { Source, SourcePage } from './source.ts'

/** Blocks whose filters are read at the same time. */
const PROBE_CONCURRENCY = 8

/** Pages of one source that are left so far, at least one; `ordinals` are its wanted streams, undefined: all. */
export type SelectedPages = {
  readonly source: Source
  readonly ordinals: Uint32Array | undefined
  readonly pages: readonly SourcePage[]
}

/** Those of `selected` that have pages left. */
export async function prunePages(
  run: QueryRun,
  selected: readonly SelectedPages[],
  { terms, labels }: PageConditions,
): Promise<readonly SelectedPages[]> {
  if (terms.length === 0 && labels.length === 0) return selected
  const startMs = run.clock.monotonicMs()
  const tests = labels.map(labelTest)
  const left = new Map<SelectedPages, readonly SourcePage[]>()
  await eachConcurrently(selected, PROBE_CONCURRENCY, async (one) => {
    left.set(one, await pruneSource(run, one, { terms, tests }))
  })
  run.stats.filterSeconds += (run.clock.monotonicMs() - startMs) / 1000
  return selected.flatMap((one) => {
    const pages = left.get(one)!
    run.stats.pagesByFilter += one.pages.length - pages.length
    if (pages.length > 0) return [pages.length === one.pages.length ? one : { ...one, pages }]
    if (one.source.data.kind === 'block') run.countBlockFiltered(one.source.id)
    return []
  })
}

type Conditions = { readonly terms: readonly PageTerm[]; readonly tests: readonly LabelTest[] }

async function pruneSource(
  run: QueryRun,
  { source, ordinals, pages }: SelectedPages,
  { terms, tests }: Conditions,
): Promise<readonly SourcePage[]> {
  const streamNames = namesOf(source, ordinals)
  let left = pages
  for (const test of tests) {
    if (!streamNames.has(test.name)) left = left.filter((page) => mayPass(page, test))
  }
  const { data } = source
  if (data.kind === 'head' || left.length === 0) return left
  const { block } = data
  const hasAny = ({ position }: SourcePage, names: readonly string[]): boolean =>
    names.some((name) => block.pages[position]!.metaNames.includes(name))
  for (const { condition, unlessMetadata } of probesOf(
    terms.filter((term) => !streamNames.hasAny(term.unlessStreams)),
  )) {
    const bits = await probe(run, block, condition)
    if (bits === undefined) return left
    left = left.filter((page) => isSet(bits, page.position) || hasAny(page, unlessMetadata))
    if (left.length === 0) return left
  }
  return left
}

async function probe(run: QueryRun, block: LogBlock, condition: PageCondition): ReturnType<LogBlock['pagesWith']> {
  const bits = await block.pagesWith(condition, run.signal)
  if (bits !== undefined) run.countBlockProbed(block.meta.key)
  return bits
}

function isSet(bits: Uint8Array, page: number): boolean {
  return (bits[page >> 3]! & (1 << (page & 7))) !== 0
}

type Probe = Pick<PageTerm, 'condition' | 'unlessMetadata'>

/** Terms that hold for all pages are asked at once. */
function probesOf(terms: readonly PageTerm[]): readonly Probe[] {
  const always = terms.filter(({ unlessMetadata }) => unlessMetadata.length === 0).map(({ condition }) => condition)
  const others = terms.filter(({ unlessMetadata }) => unlessMetadata.length > 0)
  if (always.length === 0) return others
  return [{ condition: always.length === 1 ? always[0]! : { kind: 'all', of: always }, unlessMetadata: [] }, ...others]
}

/** Names of labels that a wanted stream of the source has; looked up when they are asked for. */
type StreamNames = {
  readonly has: (name: string) => boolean
  readonly hasAny: (names: readonly string[]) => boolean
}

function namesOf({ index }: Source, ordinals: Uint32Array | undefined): StreamNames {
  let all: ReadonlySet<string> | undefined
  let wanted: ReadonlySet<string> | undefined
  const has = (name: string): boolean => {
    all ??= new Set(index.names(undefined))
    if (ordinals === undefined || !all.has(name)) return all.has(name)
    wanted ??= new Set(index.names(ordinals))
    return wanted.has(name)
  }
  return { has, hasAny: (names) => names.some(has) }
}

type LabelTest = {
  readonly name: string
  readonly passes: (text: string) => boolean
  /** Whether rows without the label as metadata may pass. */
  readonly passesWithout: boolean
}

function labelTest({ name, filter, mayBeParsed }: LabelTerm): LabelTest {
  const passes = textCondition(filter)
  return { name, passes, passesWithout: mayBeParsed || passes('') }
}

/** Whether a page may have a row that passes, when no stream has the label. */
function mayPass({ source: { data }, position, rowCount }: SourcePage, test: LabelTest): boolean {
  if (data.kind === 'head') return test.passesWithout || data.pages[position]!.metaNames.includes(test.name)
  const { metaNames, metaConstants, metaCounts } = data.block.pages[position]!
  const at = metaNames.indexOf(test.name)
  if (test.passesWithout && (at < 0 || metaCounts[at]! < rowCount)) return true
  if (at < 0) return false
  const constant = metaConstants[at]
  return constant === undefined || test.passes(constant)
}
