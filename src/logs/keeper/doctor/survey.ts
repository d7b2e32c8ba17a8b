/**
 * The first pass over the directory of blocks: names and day files only. Finds files that are none of ours, blocks that day files
 * name and that are not there, and blocks that lie under a name that is not theirs; brings the two together.
 */
import { orFinding, type Examination } from './data-files.ts'
import type { ObjectStore } from '#/platform/objstore/objstore.ts'
import { tempDirName } from '#/platform/objstore/key.ts'
import { Corruption } from '#/kernel/errors.ts'
import { makeUlid } from '#/kernel/ulid.ts'
import { dayPrefix, formatBlockKey, parseBlockKey, parseKeyDay } from '#/storage/block/block-key.ts'
import { storedMetaOf } from '#/storage/block/meta-json.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import { readBlockMeta } from '#/storage/block/versions.ts'
import { DAY_FILE_NAME, type DayState, parseDayFile } from '#/storage/catalog/day-file.ts'

const SIGNAL = 'logs'
/** Below a tenant: what is kept there is not examined. */
const stateFolders = new Set(['rules', 'ruler', 'deletes', 'retention', 'compactor'])
const restoreMarker = '.restore-unfinished'
/** Before something is believed that was found beside a running server. */
const againAfterMs = 2000

export type DayPlace = { readonly tenant: string; readonly day: number; readonly prefix: string }
type Missing = { readonly meta: BlockMeta; readonly dayFile: string }
type Stray = {
  readonly path: string
  readonly meta: BlockMeta
  /** `named`: with a name that a start takes; `here`: in the directory of its day. */
  readonly place: 'named' | 'here' | 'elsewhere'
}

export type Survey = { readonly tenants: number; readonly days: readonly DayPlace[]; readonly blockBytes: number }

export async function surveyBlocks(exam: Examination, store: ObjectStore): Promise<Survey> {
  return new Surveyor(exam, store).run()
}

class Surveyor {
  readonly #exam: Examination
  readonly #store: ObjectStore
  readonly #days: DayPlace[] = []
  readonly #missing = new Map<string, Missing[]>()
  readonly #strays: Stray[] = []
  readonly #tenants = new Set<string>()
  /** Prefixes of days whose day file does not tell what there should be. */
  readonly #untold = new Set<string>()
  #blockBytes = 0

  constructor(exam: Examination, store: ObjectStore) {
    this.#exam = exam
    this.#store = store
  }

  async run(): Promise<Survey> {
    const root = this.#exam.places.blocks
    await this.#eachEntry(root, async (name, path, isDirectory) => {
      if (name === tempDirName && isDirectory) await this.#temporary(path)
      else if (isDirectory) await this.#tenant(name, path)
      else if (name === restoreMarker) {
        this.#exam.findings.add('unfinished-restore', { file: path, problem: 'the mark of an unfinished restore' })
      } else await this.#unknown(path)
    })
    await this.#bringTogether()
    return { tenants: this.#tenants.size, days: this.#days, blockBytes: this.#blockBytes }
  }

  async #eachEntry(
    dir: string,
    visit: (name: string, path: string, isDirectory: boolean) => Promise<void>,
  ): Promise<void> {
    const entries = await orFinding(this.#exam, dir, () => this.#exam.world.disk.list(dir))
    for (const { name, isDirectory } of entries ?? []) {
      const path = `${dir}/${name}`
      await orFinding(this.#exam, path, () => visit(name, path, isDirectory))
    }
  }

  async #temporary(dir: string): Promise<void> {
    const { isLive, findings, quarantine } = this.#exam
    if (isLive) return
    await this.#eachEntry(dir, async (_name, path) => {
      const found = findings.add('temporary-file', { file: path, problem: 'a file that was being written' })
      if (quarantine !== undefined) found.done(`moved to ${await quarantine.take(path)}`)
    })
  }

  async #tenant(tenant: string, dir: string): Promise<void> {
    await this.#eachEntry(dir, async (name, path, isDirectory) => {
      if (isDirectory && name === SIGNAL) await this.#tenantDays(tenant, path)
      else if (!isDirectory || !stateFolders.has(name)) await this.#unknownTree(path, isDirectory)
    })
  }

  async #tenantDays(tenant: string, dir: string): Promise<void> {
    await this.#eachEntry(dir, async (name, path, isDirectory) => {
      const day = isDirectory ? parseKeyDay(name) : undefined
      if (day === undefined) return this.#unknownTree(path, isDirectory)
      const place = { tenant, day, prefix: `${tenant}/${SIGNAL}/${name}/` }
      this.#days.push(place)
      this.#tenants.add(tenant)
      let gone = await this.#day(place, path, true)
      if (this.#exam.isLive && gone.length > 0) {
        await this.#exam.world.clock.sleep(againAfterMs, this.#exam.signal)
        const before = new Set(gone.map(({ meta }) => meta.key))
        gone = (await this.#day(place, path, false)).filter(({ meta }) => before.has(meta.key))
      }
      for (const one of gone) {
        const sign = signatureOf(one.meta)
        this.#missing.set(sign, [...(this.#missing.get(sign) ?? []), one])
      }
    })
  }

  /** Blocks that the day file names and that are not there. `isFirst`: everything else is noted too. */
  async #day(place: DayPlace, dir: string, isFirst: boolean): Promise<readonly Missing[]> {
    const { disk } = this.#exam.world
    const dayFile = `${dir}/${DAY_FILE_NAME}`
    const state = await readDayState(this.#exam, dayFile)
    const known = typeof state === 'string' ? undefined : state
    if (known === undefined) this.#untold.add(place.prefix)
    const there = new Set<string>()
    await this.#eachEntry(dir, async (name, path, isDirectory) => {
      const key = place.prefix + name
      if (!isDirectory) there.add(key)
      if (!isFirst || name === DAY_FILE_NAME) return
      if (isDirectory) return this.#unknownTree(path, isDirectory)
      if (parseBlockKey(key) === undefined) return this.#unknown(path, place)
      const sizeBytes = (await disk.stat(path))?.sizeBytes ?? 0
      this.#blockBytes += sizeBytes
      if (known?.tombstones.has(key) === true || known?.blocks.has(key) === true) return
      const meta = await this.#metaOf(path)
      if (meta !== undefined) this.#strays.push({ path, meta, place: isOf(meta, place) ? 'named' : 'elsewhere' })
    })
    return [...(known?.blocks.values() ?? [])].filter(({ key }) => !there.has(key)).map((meta) => ({ meta, dayFile }))
  }

  async #unknownTree(path: string, isDirectory: boolean): Promise<void> {
    if (!isDirectory) return this.#unknown(path)
    await this.#eachEntry(path, (_name, inner, isFolder) => this.#unknownTree(inner, isFolder))
  }

  /** A file whose name says nothing: it may be a block all the same. */
  async #unknown(path: string, place?: DayPlace): Promise<void> {
    const meta = await this.#metaOf(path)
    if (meta === undefined)
      this.#exam.findings.add('foreign-file', { file: path, problem: 'a name that Edda does not give' })
    else this.#strays.push({ path, meta, place: place !== undefined && isOf(meta, place) ? 'here' : 'elsewhere' })
  }

  async #metaOf(path: string): Promise<BlockMeta | undefined> {
    const { places, world } = this.#exam
    const sizeBytes = (await world.disk.stat(path))?.sizeBytes
    if (sizeBytes === undefined) return undefined
    try {
      return await readBlockMeta(this.#store, { key: path.slice(places.blocks.length + 1), sizeBytes })
    } catch (error) {
      const { code } = error as { readonly code?: string }
      if (error instanceof Corruption || code === 'bad_request' || code === 'not_found') return undefined
      throw error
    }
  }

  async #bringTogether(): Promise<void> {
    const { findings, places } = this.#exam
    for (const stray of this.#strays) {
      const { path, meta, place } = stray
      const lost = this.#missing.get(signatureOf(meta))?.pop()
      if (lost === undefined && place === 'named') continue
      const key = lost?.meta.key ?? (await orFinding(this.#exam, path, () => this.#newKey(stray)))
      const home = key === undefined ? undefined : `${places.blocks}/${key}`
      const problem = `it holds ${meta.rowCount} entries of tenant ${meta.tenant}${home === undefined ? '' : `, its name is ${home}`}`
      const found = findings.add('misplaced-block', { file: path, problem, rows: meta.rowCount })
      if (home !== undefined)
        await orFinding(this.#exam, path, () => this.#putBack(path, home, (what) => found.done(what)))
    }
    for (const { meta, dayFile } of [...this.#missing.values()].flat()) {
      findings.add('missing-block', {
        file: `${places.blocks}/${meta.key}`,
        problem: `${dayFile} names it with ${meta.rowCount} entries, and it is not there`,
        rows: meta.rowCount,
      })
    }
  }

  /**
   * A name for a block that lies in the directory of its day, when no day file says what there should be; undefined when another
   * block may hold its rows: one of a merge, or one of the same records.
   */
  async #newKey({ place, meta }: Stray): Promise<string | undefined> {
    const { tenant, day, minTime, maxTime, level, source } = meta
    const prefix = dayPrefix(tenant, SIGNAL, day)
    if (place !== 'here' || !this.#untold.has(prefix) || source === undefined || meta.replaces !== undefined)
      return undefined
    for await (const { key } of this.#store.list({ prefix }, this.#exam.signal)) {
      const other =
        parseBlockKey(key) === undefined ? undefined : await this.#metaOf(`${this.#exam.places.blocks}/${key}`)
      if (other === undefined) continue
      if (other.source === undefined || other.replaces !== undefined) return undefined
      const isApart = other.source.fromSequence > source.toSequence || other.source.toSequence < source.fromSequence
      if (other.source.ingester === source.ingester && !isApart) return undefined
    }
    const { clock, random } = this.#exam.world
    const ulid = makeUlid(clock.nowMs(), random.bytes(10))
    return formatBlockKey({ tenant, signal: SIGNAL, day, minTime, maxTime, level, ulid })
  }

  async #putBack(path: string, home: string, done: (what: string) => void): Promise<void> {
    const { quarantine } = this.#exam
    if (quarantine === undefined) return
    await quarantine.move(path, home)
    done(`moved to ${home}`)
  }
}

function isOf(meta: BlockMeta, { tenant, day }: DayPlace): boolean {
  return meta.tenant === tenant && meta.day === day
}

/** What is in a day file; a text when it is damaged, undefined when there is none. */
export async function readDayState(exam: Examination, path: string): Promise<DayState | string | undefined> {
  const { disk } = exam.world
  if ((await disk.stat(path)) === undefined) return undefined
  return parseDayFile(await disk.readFile(path))
}

/** The same for the same block under any name. */
function signatureOf(meta: BlockMeta): string {
  return `${meta.sizeBytes} ${JSON.stringify(storedMetaOf(meta))}`
}
