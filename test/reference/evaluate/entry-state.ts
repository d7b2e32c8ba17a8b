/**
 * An entry on its way through a pipeline, as plain values: every step makes a new state. Labels stand in three categories; what is
 * visible of a name is its parsed value, else its structured metadata, else its stream label.
 */
import { parseLabels } from '#/logs/model/labels.ts'

export type Fields = Readonly<Record<string, string>>

/** One entry as it was stored. `stream` is canonical label text. */
export type StoredEntry = {
  readonly stream: string
  readonly timeNs: bigint
  readonly line: string
  readonly metadata: Fields
}

export type EntryState = {
  readonly timeNs: bigint
  readonly line: string
  /** All labels of the stream, also those that a stage removed: parsers never take their names. */
  readonly base: Fields
  readonly stream: Fields
  readonly metadata: Fields
  readonly parsed: Fields
  /** Value of `__error__`, '' when there is none. */
  readonly error: string
  /** Whether there may be an `__error_details__`, whose wording is not part of the reference. */
  readonly hasDetails: boolean
}

/** Labels that something behind a stage reads. Only metric queries know them. */
export type Needed = ReadonlySet<string> | 'all'

const errorLabels = ['__error__', '__error_details__']

export function firstState(entry: StoredEntry): EntryState {
  const base = Object.fromEntries(parseLabels(entry.stream))
  const metadata: Record<string, string> = {}
  for (const [name, value] of Object.entries(entry.metadata)) {
    if (!errorLabels.includes(name)) metadata[name in base ? `${name}_extracted` : name] = value
  }
  const error = entry.metadata['__error__'] ?? ''
  return { timeNs: entry.timeNs, line: entry.line, base, stream: base, metadata, parsed: {}, error, hasDetails: false }
}

export function visibleLabels({ stream, metadata, parsed, error }: EntryState): Fields {
  return { ...stream, ...metadata, ...parsed, ...(error === '' ? {} : { __error__: error }) }
}

/** The value that a query sees under `name`. */
export function labelOf(state: EntryState, name: string): string | undefined {
  return visibleLabels(state)[name]
}

export function withError(state: EntryState, error: string): EntryState {
  return { ...state, error, hasDetails: true }
}

/** Sets a parsed label; metadata of the same name is gone. */
export function withParsed(state: EntryState, name: string, value: string): EntryState {
  return { ...state, metadata: without(state.metadata, name), parsed: { ...state.parsed, [name]: value } }
}

/** Removes a label from all categories. */
export function withoutLabel(state: EntryState, name: string): EntryState {
  return {
    ...state,
    stream: without(state.stream, name),
    metadata: without(state.metadata, name),
    parsed: without(state.parsed, name),
    error: name === '__error__' ? '' : state.error,
    hasDetails: state.hasDetails && name !== '__error_details__',
  }
}

export function without(fields: Fields, name: string): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([other]) => other !== name))
}

/** The name under which a parser sets `name`: streams and metadata keep theirs. */
export function extractedName({ base, metadata }: EntryState, name: string): string {
  return name in base || name in metadata ? `${name}_extracted` : name
}

/**
 * The labels that one parser finds in one line. The first value of a label counts, whichever parser found it, and when as many
 * labels were found as are needed at all, the parser is done.
 */
export class Extraction {
  state: EntryState
  readonly #needed: Needed
  #found = 0

  constructor(state: EntryState, needed: Needed) {
    this.state = state
    this.#needed = needed
  }

  get isDone(): boolean {
    return this.#needed !== 'all' && this.#found >= this.#needed.size
  }

  add(name: string, value: string): void {
    const target = extractedName(this.state, name)
    if (this.isDone || !needs(this.#needed, target) || target in this.state.parsed) return
    this.state = withParsed(this.state, target, value)
    this.#found++
  }
}

export function needs(needed: Needed, name: string): boolean {
  return needed === 'all' || needed.has(name)
}

/** How keys become label names: each character outside [A-Za-z0-9_] is `_`. */
export function sanitized(key: string): string {
  return key.trim().replaceAll(/[^A-Za-z0-9_]/gu, '_')
}

/** No label name begins with a digit. */
export function labelName(text: string): string {
  return /^\d/.test(text) ? `_${text}` : text
}

/** Bytes that are not UTF-8 were read as replacement characters; in values they are blanks. */
export function cleaned(value: string): string {
  return value.replaceAll('\ufffd', ' ')
}
