/**
 * The streams of all inputs of a merge in one order, that of their canonical texts. Each input has its streams in this order
 * already, so this is a merge of sorted lists, and at any time one text of each input is in memory.
 */
import { formatLabels } from '#/logs/model/labels.ts'
import { firstPairOf, sharedU32, valueOfPair, type CodedLabels } from '#/storage/index/coded-labels.ts'

export type StreamUnion = {
  /** Distinct streams. */
  readonly count: number
  /** For each input, the rank of each of its streams. */
  readonly rankOf: readonly Uint32Array<SharedArrayBuffer>[]
}

export function unionStreams(inputs: readonly CodedLabels[]): StreamUnion {
  const rankOf = inputs.map(({ ends }) => sharedU32(ends.length))
  const cursors = inputs.map((coded) => new TextCursor(coded))
  let count = 0
  for (;;) {
    let least: string | undefined
    for (const { text } of cursors) if (text !== undefined && (least === undefined || text < least)) least = text
    if (least === undefined) return { count, rankOf }
    for (const [input, cursor] of cursors.entries()) {
      if (cursor.text !== least) continue
      rankOf[input]![cursor.stream] = count
      cursor.next()
    }
    count++
  }
}

/** The canonical texts of an index in turn, one character for each byte, so that comparing strings compares bytes. */
class TextCursor {
  text: string | undefined
  stream = -1
  readonly #coded: CodedLabels
  /** `name="value"` of pairs that were seen. */
  readonly #pairTexts: (string | undefined)[] = []

  constructor(coded: CodedLabels) {
    this.#coded = coded
    this.next()
  }

  next(): void {
    const { ends, pairs } = this.#coded
    const stream = ++this.stream
    if (stream >= ends.length) {
      this.text = undefined
      return
    }
    let text = '{'
    for (let i = firstPairOf(this.#coded, stream); i < ends[stream]!; i++) {
      if (text.length > 1) text += ', '
      text += this.#pairText(pairs[i]!)
    }
    this.text = `${text}}`
  }

  #pairText(pair: number): string {
    return (this.#pairTexts[pair] ??= this.#makePairText(pair))
  }

  #makePairText(pair: number): string {
    const { names, nameOfPair } = this.#coded
    const text = formatLabels([[names[nameOfPair[pair]!]!, valueOfPair(this.#coded, pair)]])
    return Buffer.from(text).toString('latin1').slice(1, -1)
  }
}
