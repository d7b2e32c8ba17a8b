/** Labels of the streams of one source inside a worker thread, read from shared memory when they are first asked for. */
import { parseLabels } from '#/logs/model/labels.ts'
import type { Labels } from '#/storage/index/label-index.ts'
import { sharedText, type SharedLabels } from '#/storage/index/shared-labels.ts'

export class StreamLabels {
  readonly #shared: SharedLabels
  readonly #parsed: (Labels | undefined)[]

  constructor(shared: SharedLabels) {
    this.#shared = shared
    this.#parsed = new Array<Labels | undefined>(shared.ends.length).fill(undefined)
  }

  get count(): number {
    return this.#parsed.length
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
