/** Labels of the streams of one source inside a worker thread, read from shared memory when they are first asked for. */
import { asBuffer } from '#/kernel/byte-reader.ts'
import { hash53 } from '#/kernel/hash64.ts'
import { parseLabels } from '#/logs/model/labels.ts'
import type { Labels } from '#/storage/index/label-index.ts'
import { sharedText, type SharedLabels } from '#/storage/index/shared-labels.ts'

export class StreamLabels {
  readonly #shared: SharedLabels
  readonly #parsed: (Labels | undefined)[]
  /** NaN until asked for. */
  #keys: Float64Array | undefined
  readonly #named = new Map<string, boolean>()

  constructor(shared: SharedLabels) {
    this.#shared = shared
    this.#parsed = new Array<Labels | undefined>(shared.ends.length).fill(undefined)
  }

  get count(): number {
    return this.#parsed.length
  }

  /** Whether one of the streams has a label of this name; `streams` as in `ScanPart`, the same in each call. */
  someHas(name: string, streams: Uint8Array | undefined): boolean {
    const known = this.#named.get(name)
    if (known !== undefined) return known
    const answer = this.#findName(name, streams)
    this.#named.set(name, answer)
    return answer
  }

  /** In canonical texts a name stands behind a brace or a blank, with a quote behind it, which no value has unescaped. */
  #findName(name: string, streams: Uint8Array | undefined): boolean {
    const { text, ends } = this.#shared
    const bytes = asBuffer(text)
    const needles = [Buffer.from(`{${name}="`), Buffer.from(` ${name}="`)]
    if (!needles.some((needle) => bytes.includes(needle))) return false
    if (streams === undefined) return true
    for (let stream = 0; stream < ends.length; stream++) {
      if (streams[stream] === 0) continue
      const one = bytes.subarray(stream === 0 ? 0 : ends[stream - 1]!, ends[stream]!)
      if (needles.some((needle) => one.includes(needle))) return true
    }
    return false
  }

  /** A hash of the labels: the same for a stream wherever it is stored. */
  key(stream: number): number {
    this.#keys ??= new Float64Array(this.count).fill(Number.NaN)
    let key = this.#keys[stream]!
    if (Number.isNaN(key)) this.#keys[stream] = key = hash53(sharedText(this.#shared, stream))
    return key
  }

  of(stream: number): Labels {
    let labels = this.#parsed[stream]
    if (labels === undefined) {
      labels = parseLabels(sharedText(this.#shared, stream))
      this.#parsed[stream] = labels
    }
    return labels
  }
}
