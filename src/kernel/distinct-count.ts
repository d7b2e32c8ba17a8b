/** How many different texts were added: exact for few, an estimate of HyperLogLog (standard error 0.4 %) beyond, in bounded memory. */
import { estimate, locate, MAX_RANK, place, REGISTERS } from './hyper-log-log.ts'

export class DistinctCount {
  readonly #maxExact: number
  #texts: Set<string> | undefined = new Set()
  #registers: Uint8Array | undefined

  constructor(maxExact: number) {
    this.#maxExact = maxExact
  }

  /** Returns false when `text` was certainly there before. */
  add(text: string): boolean {
    if (this.#texts === undefined) {
      this.#register(text)
      return true
    }
    if (this.#texts.has(text)) return false
    this.#texts.add(text)
    if (this.#texts.size > this.#maxExact) this.#estimateFromNowOn(this.#texts)
    return true
  }

  get isExact(): boolean {
    return this.#texts !== undefined
  }

  get count(): number {
    if (this.#texts !== undefined) return this.#texts.size
    const histogram = new Float64Array(MAX_RANK + 1)
    for (const rank of this.#registers!) histogram[rank]!++
    return Math.round(estimate(histogram))
  }

  #estimateFromNowOn(texts: ReadonlySet<string>): void {
    this.#registers = new Uint8Array(REGISTERS)
    for (const text of texts) this.#register(text)
    this.#texts = undefined
  }

  #register(text: string): void {
    locate(text)
    const registers = this.#registers!
    if (place.rank > registers[place.register]!) registers[place.register] = place.rank
  }
}
