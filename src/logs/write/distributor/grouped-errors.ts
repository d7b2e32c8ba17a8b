/**
 * Errors of one push, equal texts counted: `2 errors like: a; 1 errors like: b`, and a lone error bare. The number of
 * different texts is bounded; what comes after is only counted.
 */
const maxTexts = 100

export class GroupedErrors {
  #counts = new Map<string, number>()
  #more = 0

  get isEmpty(): boolean {
    return this.#counts.size === 0
  }

  /** When true, `count` will do, and the caller need not make a text. */
  get isFull(): boolean {
    return this.#counts.size >= maxTexts
  }

  add(message: string): void {
    const count = this.#counts.get(message)
    if (count === undefined && this.isFull) this.#more++
    else this.#counts.set(message, (count ?? 0) + 1)
  }

  count(): void {
    this.#more++
  }

  toString(): string {
    const texts = [...this.#counts]
    const [first] = texts
    if (first !== undefined && texts.length === 1 && first[1] === 1 && this.#more === 0) return first[0]
    const parts = texts.map(([message, count]) => `${count} errors like: ${message}`)
    if (this.#more > 0) parts.push(`${this.#more} more errors`)
    return parts.join('; ')
  }
}

/** Text from a client, cut to a length that an error message can carry. */
export function clip(text: string): string {
  return text.length <= maxQuotedLength ? text : `${text.slice(0, maxQuotedLength)}…`
}

const maxQuotedLength = 4096
