/**
 * Examines a data directory: every byte of blocks and write-ahead log, the day files, and whatever else lies there. Never throws
 * because of what it finds. Changes nothing unless it is told to repair, and then deletes nothing: damaged things are moved to
 * the folder `quarantine`, day files are made anew from the blocks.
 */
import { type DataPlaces, type Examination, orFinding, Quarantine } from './data-files.ts'
import { type DayResult, examineDay } from './examine-day.ts'
import { examineWal } from './examine-wal.ts'
import { Findings } from './findings.ts'
import { surveyBlocks, type DayPlace } from './survey.ts'
import { NotFound } from '#/kernel/errors.ts'
import type { World } from '#/kernel/world.ts'
import type { DoctorProgress, DoctorReport } from '#/logs/wire/doctor.ts'
import { FilesystemStore } from '#/platform/objstore/filesystem.ts'
import type { ObjectStore } from '#/platform/objstore/objstore.ts'

export type DoctorOptions = {
  readonly world: World
  readonly places: DataPlaces
  /** A server has the directory open; nothing is repaired then. */
  readonly isLive: boolean
  readonly repairs: boolean
  readonly onProgress: (progress: DoctorProgress) => void
  readonly signal: AbortSignal
}

/** Before something is believed that was found beside a running server. */
const againAfterMs = 2000
const progressEveryMs = 1000
const ownFolders = new Set(['agent', 'snapshots', 'quarantine', 'rules'])

/** @throws NotFound when it is no data directory, Cancelled. */
export async function examine(options: DoctorOptions): Promise<DoctorReport> {
  const { world, places, isLive, repairs } = options
  const stamp = new Date(world.clock.nowMs()).toISOString().replaceAll(':', '-')
  const quarantine =
    repairs && !isLive ? new Quarantine(world.disk, places, `${places.root}/quarantine/${stamp}`) : undefined
  const findings = new Findings()
  const exam: Examination = { ...options, quarantine, findings }
  await surveyRoot(exam)
  const view = FilesystemStore.view({ ...world, root: places.blocks })
  const { tenants, days, blockBytes } = await surveyBlocks(exam, view)
  // opening it removes temporary files: those are in the quarantine by now
  const store = quarantine === undefined ? view : await FilesystemStore.open({ ...world, root: places.blocks })
  const progress = new Progress(exam, blockBytes)
  const flushed = new Map<string, number>()
  let blocks = 0
  let rows = 0
  for (const day of days) {
    const result = await examineDayTwice(exam, store, day, progress)
    if (result === undefined) continue
    blocks += result.blocks
    rows += result.rows
    for (const [ingester, sequence] of result.flushed) flushed.set(flushedKey(ingester, day.tenant, day.day), sequence)
  }
  const wal = await examineWal(
    exam,
    (ingester, tenant, day, sequence) => (flushed.get(flushedKey(ingester, tenant, day)) ?? 0) >= sequence,
  )
  progress.tell('done')
  const report: DoctorReport = {
    directory: places.root,
    isLive,
    checked: { tenants, days: days.length, blocks, blockBytes, rows, walSegments: wal.segments, walBytes: wal.bytes },
    counts: findings.counts,
    findings: findings.list,
    left: findings.left,
    ...(quarantine?.isUsed === true && { quarantine: quarantine.directory }),
  }
  if (quarantine?.isUsed === true) await keepReport(exam, quarantine, report)
  return report
}

function flushedKey(ingester: string, tenant: string, day: number): string {
  return `${ingester} ${day} ${tenant}`
}

async function surveyRoot(exam: Examination): Promise<void> {
  const { world, places, findings } = exam
  const entries = await world.disk.list(places.root)
  const lists = await Promise.all([places.blocks, places.wal].map((dir) => world.disk.list(dir)))
  if (lists.every((list) => list.length === 0)) {
    throw new NotFound(`${places.root} is no data directory: neither ${places.blocks} nor ${places.wal} holds anything`)
  }
  for (const { name, isDirectory } of entries) {
    const path = `${places.root}/${name}`
    const isOurs = ownFolders.has(name) || path === places.blocks || path === places.wal
    if (!isDirectory || !isOurs) {
      findings.add('foreign-file', {
        file: path,
        problem: `a ${isDirectory ? 'directory' : 'file'} that Edda does not make`,
      })
    }
  }
}

/** Beside a running server, what is found is looked for once more: it may have been on its way. */
async function examineDayTwice(
  exam: Examination,
  store: ObjectStore,
  day: DayPlace,
  progress: Progress,
): Promise<DayResult | undefined> {
  const path = `${exam.places.blocks}/${day.prefix}`
  const onBlock = (sizeBytes: number): void => progress.block(day, sizeBytes)
  if (!exam.isLive) return orFinding(exam, path, () => examineDay(exam, store, day, onBlock))
  const first = { ...exam, findings: new Findings() }
  const result = await orFinding(first, path, () => examineDay(first, store, day, onBlock))
  if (first.findings.count === 0) return result
  await exam.world.clock.sleep(againAfterMs, exam.signal)
  const again = { ...exam, findings: new Findings() }
  await orFinding(again, path, () => examineDay(again, store, day, () => undefined))
  exam.findings.keepRepeated(first.findings, again.findings)
  return result
}

async function keepReport(exam: Examination, { directory }: Quarantine, report: DoctorReport): Promise<void> {
  const path = `${directory}/report.json`
  const bytes = Buffer.from(`${JSON.stringify(report, null, 2)}\n`)
  await orFinding(exam, path, () => exam.world.disk.writeFile(path, bytes, { sync: true }))
}

class Progress {
  readonly #exam: Examination
  readonly #totalBytes: number
  #files = 0
  #bytes = 0
  #toldMs = -Infinity

  constructor(exam: Examination, totalBytes: number) {
    this.#exam = exam
    this.#totalBytes = totalBytes
  }

  block({ prefix }: DayPlace, sizeBytes: number): void {
    this.#files++
    this.#bytes += sizeBytes
    const nowMs = this.#exam.world.clock.monotonicMs()
    if (nowMs - this.#toldMs < progressEveryMs) return
    this.#toldMs = nowMs
    this.tell(prefix)
  }

  tell(what: string): void {
    const { onProgress, findings } = this.#exam
    onProgress({ what, files: this.#files, bytes: this.#bytes, totalBytes: this.#totalBytes, findings: findings.count })
  }
}
