/**
 * One day of one tenant: every byte of its blocks against the checksums, and the day file against the blocks.
 *
 * A repair goes in an order that a crash may break anywhere: 1. what is left of damaged blocks is written, 2. damaged things go
 * to the quarantine, 3. the day file is written as a start would write it.
 */
import { orFinding, type Examination } from './data-files.ts'
import type { Found } from './findings.ts'
import { maxSalvageBytes, salvageBlock } from './salvage-block.ts'
import { readDayState, type DayPlace } from './survey.ts'
import { assert } from '#/kernel/assert.ts'
import { NotFound, throwIfAborted } from '#/kernel/errors.ts'
import { type BlockCheck, checkBlock } from '#/logs/store/check-block.ts'
import type { ObjectHead, ObjectStore } from '#/platform/objstore/objstore.ts'
import { silentLogger } from '#/platform/telemetry/logger.ts'
import { parseBlockKey } from '#/storage/block/block-key.ts'
import { storedMetaOf } from '#/storage/block/meta-json.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import type { OpenedBlock } from '#/storage/block/v1/reader.ts'
import { DAY_FILE_NAME, type DayState, encodeDayFile } from '#/storage/catalog/day-file.ts'
import { flushedBy, loadDay } from '#/storage/catalog/load-day.ts'

export type DayResult = {
  readonly blocks: number
  readonly rows: number
  /** Greatest WAL sequence in blocks, by ingester. */
  readonly flushed: ReadonlyMap<string, number>
}

/** `onBlock` is called after each block with its size. */
export function examineDay(
  exam: Examination,
  store: ObjectStore,
  place: DayPlace,
  onBlock: (sizeBytes: number) => void,
): Promise<DayResult> {
  return new DayExaminer(exam, store, place).run(onBlock)
}

type Damage = { readonly head: ObjectHead; readonly check: BlockCheck | undefined; readonly found: Found }

class DayExaminer {
  readonly #exam: Examination
  readonly #store: ObjectStore
  readonly #place: DayPlace
  readonly #dayFile: string
  readonly #damages: Damage[] = []
  /** What can be read of sound blocks, by key. */
  readonly #sound = new Map<string, BlockMeta>()
  /** Outputs of merges, and of repairs that were cut short, that the day file does not name. */
  readonly #outputs: BlockMeta[] = []
  /** How many rows of each block can be read. */
  readonly #soundRows = new Map<string, number>()
  /** Keys by contents. */
  readonly #contents = new Map<string, string>()
  /** What is wrong with the day file itself. */
  readonly #dayFindings: Found[] = []
  readonly #wrongEntries = new Set<string>()

  constructor(exam: Examination, store: ObjectStore, place: DayPlace) {
    this.#exam = exam
    this.#store = store
    this.#place = place
    this.#dayFile = `${exam.places.blocks}/${place.prefix}${DAY_FILE_NAME}`
  }

  async run(onBlock: (sizeBytes: number) => void): Promise<DayResult> {
    const heads = await this.#list()
    const state = await readDayState(this.#exam, this.#dayFile)
    this.#checkDayFile(state, heads)
    const known = typeof state === 'object' ? state : undefined
    // listed blocks first: of two with the same contents the other one is the copy
    const listed = (key: string): number => Number(known?.blocks.has(key) !== true)
    for (const head of heads.toSorted((a, b) => listed(a.key) - listed(b.key))) {
      throwIfAborted(this.#exam.signal)
      if (parseBlockKey(head.key) === undefined) continue
      if (known?.tombstones.has(head.key) === true) this.#tombstoned(head)
      else await orFinding(this.#exam, this.#pathOf(head.key), () => this.#block(head, known))
      onBlock(head.sizeBytes)
    }
    await this.#repair(state, heads)
    const rows = this.#sound.values().reduce((sum, { rowCount }) => sum + rowCount, 0)
    const flushed = flushedBy(known?.flushed ?? new Map<string, number>(), this.#sound.values())
    return { blocks: heads.filter(({ key }) => parseBlockKey(key) !== undefined).length, rows, flushed }
  }

  #list(): Promise<ObjectHead[]> {
    return Array.fromAsync(this.#store.list({ prefix: this.#place.prefix }, this.#exam.signal)).then((heads) =>
      heads.filter(({ key }) => !key.slice(this.#place.prefix.length).includes('/')),
    )
  }

  #pathOf(key: string): string {
    return `${this.#exam.places.blocks}/${key}`
  }

  #checkDayFile(state: DayState | string | undefined, heads: readonly ObjectHead[]): void {
    const { findings, isLive } = this.#exam
    const file = this.#dayFile
    if (typeof state === 'string')
      this.#dayFindings.push(findings.add('damaged-day-file', { file, problem: state, offset: 0 }))
    if (state === undefined && !isLive && heads.some(({ key }) => parseBlockKey(key) !== undefined)) {
      this.#dayFindings.push(findings.add('missing-day-file', { file, problem: 'the day has blocks and no day file' }))
    }
  }

  #tombstoned({ key, sizeBytes }: ObjectHead): void {
    this.#exam.findings.add('tombstoned-block', {
      file: this.#pathOf(key),
      problem: `${sizeBytes} bytes that do not count`,
    })
  }

  async #block(head: ObjectHead, known: DayState | undefined): Promise<void> {
    const { findings, isLive, signal } = this.#exam
    let check: BlockCheck
    try {
      check = await checkBlock(this.#store, head, signal)
    } catch (error) {
      if (isLive && error instanceof NotFound) return
      throw error
    }
    const { meta, block, problems, badPages } = check
    const file = this.#pathOf(head.key)
    const entry = known?.blocks.get(head.key)
    const rows = entry?.rowCount ?? meta?.rowCount
    const first = problems[0]
    if (block === undefined || meta === undefined) {
      const problem = plain(first?.message ?? 'it cannot be opened')
      this.#damaged(head, undefined, findings.add('damaged-block', { file, problem, offset: first?.offset, rows }))
      return
    }
    const { tenant, day } = this.#place
    // the survey has told of it
    if (meta.tenant !== tenant || meta.day !== day) return
    if (entry === undefined && meta.replaces !== undefined) this.#outputs.push(meta)
    const lostRows = [...badPages].reduce((sum, page) => sum + block.pages[page]!.rowCount, 0)
    this.#soundRows.set(head.key, meta.rowCount - lostRows)
    if (first !== undefined) this.#partlyDamaged(head, check)
    if (badPages.size === 0) this.#sound.set(head.key, meta)
    this.#compare(head, { meta, block }, entry, known)
  }

  #partlyDamaged(head: ObjectHead, check: BlockCheck): void {
    const { problems, badPages, block } = check
    const lost = [...badPages].reduce((sum, page) => sum + block!.pages[page]!.rowCount, 0)
    const more = problems.length > 1 ? `, and ${problems.length - 1} more` : ''
    const { message, offset } = problems[0]!
    const found = this.#exam.findings.add(badPages.size > 0 ? 'damaged-pages' : 'damaged-section', {
      file: this.#pathOf(head.key),
      problem: plain(message) + more,
      offset,
      ...(lost > 0 && { rows: lost }),
    })
    this.#damaged(head, check, found)
  }

  #damaged(head: ObjectHead, check: BlockCheck | undefined, found: Found): void {
    this.#damages.push({ head, check, found })
  }

  /** A sound block against its entry and the others. */
  #compare(
    head: ObjectHead,
    { meta, block }: { readonly meta: BlockMeta; readonly block: OpenedBlock },
    entry: BlockMeta | undefined,
    known: DayState | undefined,
  ): void {
    const { findings, isLive } = this.#exam
    const file = this.#pathOf(head.key)
    const contents = JSON.stringify([storedMetaOf(meta), block.sections])
    const other = this.#contents.get(contents)
    if (other === undefined) this.#contents.set(contents, head.key)
    const isOld = entry === undefined && known !== undefined && wasFlushed(meta, known)
    if (other !== undefined || isOld) {
      const problem =
        other === undefined
          ? 'the day file does not name it, and the records that it was made of are in other blocks, or were removed'
          : `its contents are those of ${this.#pathOf(other)}`
      this.#sound.delete(head.key)
      this.#damaged(head, undefined, findings.add('copied-block', { file, problem, rows: meta.rowCount }))
      return
    }
    if (entry === undefined) {
      if (!isLive && known !== undefined) {
        this.#dayFindings.push(findings.add('unlisted-block', { file, problem: 'the day file does not name it' }))
      }
    } else if (
      JSON.stringify(storedMetaOf(entry)) !== JSON.stringify(storedMetaOf(meta)) ||
      entry.sizeBytes !== head.sizeBytes
    ) {
      this.#wrongEntries.add(head.key)
      this.#dayFindings.push(
        findings.add('wrong-entry', {
          file: this.#dayFile,
          problem: `what it says of ${file} is not what its footer says`,
        }),
      )
    }
  }

  // repair

  async #repair(state: DayState | string | undefined, heads: readonly ObjectHead[]): Promise<void> {
    const { quarantine } = this.#exam
    if (quarantine === undefined) return
    const known = typeof state === 'object' ? state.blocks : undefined
    const there = new Set(heads.map(({ key }) => key))
    const isForgetful = [...(known?.keys() ?? [])].some((key) => !there.has(key))
    if (this.#damages.length === 0 && this.#dayFindings.length === 0 && !isForgetful) return
    const isUnfinished = ({ replaces = [] }: BlockMeta): boolean =>
      known === undefined
        ? replaces.every((key) => there.has(key)) && !this.#isBetter(replaces)
        : replaces.some((key) => known.has(key) && there.has(key))
    const apart = new Set(this.#outputs.filter(isUnfinished).map(({ key }) => key))
    // an input that goes would make a merge count that was not completed: its output goes first
    for (const key of apart) await orFinding(this.#exam, this.#pathOf(key), () => this.#takeOutput(key))
    const buried = new Set(this.#outputs.flatMap(({ key, replaces = [] }) => (apart.has(key) ? [] : replaces)))
    for (const damage of this.#damages) {
      const { key } = damage.head
      if (!apart.has(key)) await orFinding(this.#exam, this.#pathOf(key), () => this.#putAside(damage, buried.has(key)))
    }
    await orFinding(this.#exam, this.#dayFile, () => this.#rewriteDayFile(state))
  }

  /** Without a day file: whether the outputs of a merge have more rows than its inputs, of which some are damaged. */
  #isBetter(inputs: readonly string[]): boolean {
    if (!this.#damages.some(({ head }) => inputs.includes(head.key))) return false
    const rowsOf = (keys: readonly string[]): number =>
      keys.reduce((sum, key) => sum + (this.#soundRows.get(key) ?? 0), 0)
    const outputs = this.#outputs.filter(({ replaces = [] }) => replaces.join() === inputs.join())
    return rowsOf(outputs.map(({ key }) => key)) >= rowsOf(inputs)
  }

  async #takeOutput(key: string): Promise<void> {
    const { quarantine } = this.#exam
    const to = await quarantine!.take(this.#pathOf(key))
    for (const { head, found } of this.#damages) if (head.key === key) found.done(`moved to ${to}`)
  }

  /** `isBuried`: another block has its rows, so that nothing is written anew. */
  async #putAside({ head, check, found }: Damage, isBuried: boolean): Promise<void> {
    const { quarantine, world } = this.#exam
    assert(quarantine !== undefined, 'a repair has a quarantine')
    if (check?.block !== undefined && !isBuried) {
      if (head.sizeBytes > maxSalvageBytes) return
      const made = await salvageBlock(world, this.#store, { ...check, block: check.block })
      if (made !== undefined) found.done(`its ${made.rowCount} sound entries were written to ${this.#pathOf(made.key)}`)
    }
    found.done(`moved to ${await quarantine.take(this.#pathOf(head.key))}`)
  }

  async #rewriteDayFile(state: DayState | string | undefined): Promise<void> {
    const { tenant, day, prefix } = this.#place
    const { quarantine } = this.#exam
    const key = prefix + DAY_FILE_NAME
    let aside = ''
    if (typeof state === 'string') aside = `moved to ${await quarantine!.take(this.#dayFile)}; `
    if (typeof state === 'object' && this.#wrongEntries.size > 0) {
      const blocks = new Map([...state.blocks].filter(([one]) => !this.#wrongEntries.has(one)))
      await this.#store.put(key, [encodeDayFile({ ...state, blocks })])
    }
    const loaded = await loadDay({ tenant, day, prefix, objects: await this.#list() }, this.#store, silentLogger)
    await this.#store.put(key, [encodeDayFile(loaded.state)])
    for (const found of this.#dayFindings) found.done(`${aside}${this.#dayFile} was written anew from the blocks`)
  }
}

/** Blocks of a day are made in the order of records: one that is not known and not newer than what is known was known once. */
function wasFlushed({ source, replaces }: BlockMeta, { flushed }: DayState): boolean {
  if (source === undefined || replaces !== undefined) return false
  return source.toSequence <= (flushed.get(source.ingester) ?? 0)
}

/** The place stands beside the message in a finding. */
function plain(message: string): string {
  return message.replace(/^corruption in .* at byte \d+: /, '')
}
