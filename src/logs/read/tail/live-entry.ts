/** An entry on its way to the readers of one query, which share it, and the heap in which entries wait for their time. */
import { absoluteNs, type Day } from '#/logs/model/day.ts'
import type { TailEntry, TailLabels } from '#/logs/wire/tail.ts'

/** What an entry takes beside its texts. */
const ENTRY_OVERHEAD_BYTES = 160

export type EntryTime = { readonly day: Day; readonly time: number }

export class LiveEntry implements TailEntry {
  readonly day: Day
  readonly time: number
  readonly line: string
  readonly labels: TailLabels
  /** Decides between equal times: the order in which entries came. */
  readonly order: number
  readonly bytes: number
  /** How many readers have it in their queues; its memory is counted while there is one. */
  holders = 0

  constructor({ day, time }: EntryTime, line: string, labels: TailLabels, order: number, labelBytes: number) {
    this.day = day
    this.time = time
    this.line = line
    this.labels = labels
    this.order = order
    this.bytes = ENTRY_OVERHEAD_BYTES + line.length + labelBytes
  }

  get timeNs(): bigint {
    return absoluteNs(this.day, this.time)
  }
}

/** Whether `a` is at or before `b`. */
export function isNotAfter(a: EntryTime, b: EntryTime): boolean {
  return a.day < b.day || (a.day === b.day && a.time <= b.time)
}

function isBefore(a: LiveEntry, b: LiveEntry): boolean {
  if (a.day !== b.day) return a.day < b.day
  return a.time < b.time || (a.time === b.time && a.order < b.order)
}

/** The entry with the least time first. */
export class EntryHeap {
  #entries: LiveEntry[] = []

  get size(): number {
    return this.#entries.length
  }

  get first(): LiveEntry | undefined {
    return this.#entries[0]
  }

  push(entry: LiveEntry): void {
    const entries = this.#entries
    let at = entries.push(entry) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(entry, entries[parent]!)) break
      entries[at] = entries[parent]!
      at = parent
    }
    entries[at] = entry
  }

  pop(): LiveEntry | undefined {
    const entries = this.#entries
    const first = entries[0]
    const last = entries.pop()
    if (first === undefined || last === undefined || first === last) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= entries.length) break
      if (child + 1 < entries.length && isBefore(entries[child + 1]!, entries[child]!)) child++
      if (!isBefore(entries[child]!, last)) break
      entries[at] = entries[child]!
      at = child
    }
    entries[at] = last
    return first
  }

  /** Everything, in no particular order; the heap is empty then. */
  drain(): LiveEntry[] {
    return this.#entries.splice(0)
  }
}
