/** What the kernel and a server itself say of its process. Linux only, as /proc is. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const ticksPerSecond = 100
const sampleMs = 200

/** Seconds of CPU that a process has used, user and system, ended threads included; in steps of 10 ms. */
export function cpuSeconds(pid: number): number {
  if (pid === 0) return Number.NaN
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // the name of the process, in parentheses, may hold anything
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** CPU of the threads that live now, to the nanosecond: for differences of short work in a pool of threads that stay. */
export function threadsCpuMs(pid: number): number {
  if (pid === 0) return Number.NaN
  let ns = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
    } catch {
      // a thread that has ended meanwhile
    }
  }
  return ns / 1e6
}

function statusMb(pid: number, field: string): number {
  if (pid === 0) return Number.NaN
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

/** Most memory that a process has had since its start or `forgetPeak`. */
export const peakMemoryMb = (pid: number): number => statusMb(pid, 'VmHWM')

export function forgetPeak(pid: number): void {
  if (pid !== 0) writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

/** Watches the memory of a process until it is asked for the mean. */
export class MemoryWatch {
  readonly #samples: number[] = []
  readonly #timer: NodeJS.Timeout

  constructor(pid: number) {
    this.#timer = setInterval(() => {
      if (pid !== 0) this.#samples.push(statusMb(pid, 'VmRSS'))
    }, sampleMs)
  }

  meanMb(): number {
    clearInterval(this.#timer)
    return this.#samples.reduce((sum, mb) => sum + mb, 0) / this.#samples.length
  }
}

export type Written = { readonly calls: number; readonly disk: number }

/** Bytes that a process has handed to `write` and its like (sockets included), and those that had to go to a disk. */
export function writtenBytes(pid: number): Written {
  if (pid === 0) return { calls: Number.NaN, disk: Number.NaN }
  const text = readFileSync(`/proc/${pid}/io`, 'utf8')
  const field = (name: string): number => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(text)?.[1])
  return { calls: field('wchar'), disk: field('write_bytes') - field('cancelled_write_bytes') }
}

export type Stored = {
  readonly bytes: number
  readonly files: number
  readonly blocks: number
  readonly blockBytes: number
}

export function stored(dir: string): Stored {
  let bytes = 0
  let files = 0
  let blocks = 0
  let blockBytes = 0
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    files++
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
    bytes += size
    if (!path.endsWith('.edda')) continue
    blocks++
    blockBytes += size
  }
  return { bytes, files, blocks, blockBytes }
}

/** Of a text of `/metrics`: the sum of all series of a name; NaN where there is none. */
export function metricSum(text: string, name: string): number {
  let sum = Number.NaN
  for (const [, value] of text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)`, 'gm'))) {
    sum = (Number.isNaN(sum) ? 0 : sum) + Number(value)
  }
  return sum
}
