/**
 * Reads a language script (`*.logqltest`): comments and `clear`, `load` and `eval` commands, with indented bodies. The form is
 * described in `src/logs/logql/testdata/README.md`.
 */
import type { Eval, Expectation, Mode, Script, ScriptEntry, SeriesResult, StreamResult } from './script.ts'
import { readEntry, readFail, readLabels, readLine, readMode, readOffset, readValue, splitWord } from './read-text.ts'

/** A script that cannot be read; the message begins with file and line. */
export class ScriptError extends Error {
  constructor(file: string, line: number, problem: string) {
    super(`${file}:${line}: ${problem}`)
    this.name = 'ScriptError'
  }
}

/** A line of a body without its indentation. */
type BodyLine = { readonly line: number; readonly indent: number; readonly text: string }
type Command = { readonly line: number; readonly text: string; readonly body: BodyLine[] }

/** Problems inside a line are thrown as plain errors; {@link ScriptReader} adds the place. */
const fail = (problem: string): never => {
  throw new Error(problem)
}

export function readScript(file: string, text: string): Script {
  return new ScriptReader(file).read(text)
}

class ScriptReader {
  readonly #file: string
  #entries: readonly ScriptEntry[] = []
  #spec: string | undefined
  #broken: { readonly line: number; readonly why: string } | undefined
  #command: Command | undefined
  readonly #evals: Eval[] = []

  constructor(file: string) {
    this.#file = file
  }

  read(text: string): Script {
    for (const [index, source] of text.split('\n').entries()) this.#take(index + 1, source)
    this.#run()
    this.#endOfBroken()
    return { file: this.#file, evals: this.#evals }
  }

  #take(line: number, source: string): void {
    if (source.includes('\t')) this.#at(line, () => fail('a tab; write ⇥ in queries and \\t in lines'))
    if (source.trim() === '') return this.#run()
    if (source.startsWith('#')) return this.#comment(line, source)
    const indent = source.length - source.trimStart().length
    if (indent === 0) {
      this.#run()
      if (!source.startsWith('eval ')) this.#endOfBroken()
      this.#command = { line, text: source.trimEnd(), body: [] }
    } else if (this.#command === undefined) {
      this.#at(line, () => fail('an indented line belongs to no command'))
    } else {
      this.#command.body.push({ line, indent, text: source.slice(indent) })
    }
  }

  #comment(line: number, source: string): void {
    const [, word, rest = ''] = /^# ?(spec|broken):(.*)$/.exec(source) ?? []
    if (word === undefined) return
    this.#run()
    if (rest.trim() === '') this.#at(line, () => fail(`# ${word}: without a text`))
    if (word === 'spec') this.#spec = rest.trim()
    else this.#broken = { line, why: rest.trim() }
  }

  /** Carries out the command that ends here. */
  #run(): void {
    const command = this.#command
    if (command === undefined) return
    this.#command = undefined
    const [word, rest] = splitWord(command.text)
    this.#at(command.line, () => {
      if (word === 'clear') this.#clear(command, rest)
      else if (word === 'load') this.#entries = [...this.#entries, ...this.#load(command, rest)]
      else if (word === 'eval') this.#evals.push(this.#eval(command, rest))
      else fail(`unknown command ${word}, expected clear, load or eval`)
    })
  }

  #clear({ body }: Command, rest: string): void {
    if (rest !== '' || body.length > 0) fail('clear takes nothing')
    this.#entries = []
  }

  #load({ body }: Command, rest: string): ScriptEntry[] {
    const [step, option] = splitWord(rest)
    if (option !== '' && option !== 'repeated') fail(`unknown option of load: ${option}`)
    const stepNs = readOffset(step)
    const base = body[0]?.indent ?? fail('load without streams')
    const entries: ScriptEntry[] = []
    let labels: ScriptEntry['labels'] | undefined
    let count = 0n
    for (const { line, indent, text } of body) {
      this.#at(line, () => {
        if (indent === base) {
          labels = readLabels(text)
          count = 0n
          return
        }
        if (indent < base || labels === undefined) return fail('expected the labels of a stream')
        entries.push({ labels, isRepeated: option !== '', ...readEntry(text, count++ * stepNs) })
      })
    }
    return entries
  }

  #eval(command: Command, rest: string): Eval {
    const broken = this.#broken
    this.#broken = undefined
    const spec = this.#spec ?? fail('no "# spec:" line above this eval')
    const { mode, query } = readMode(rest)
    return {
      line: command.line,
      source: command.text,
      spec,
      broken: broken?.why,
      mode,
      query: query.replaceAll('⏎', '\n').replaceAll('⇥', '\t'),
      expectation: this.#expectation(mode, command.body),
      entries: this.#entries,
    }
  }

  #expectation(mode: Mode, body: readonly BodyLine[]): Expectation {
    const results: BodyLine[] = []
    const warnings: string[] = []
    let expectation: Expectation | undefined
    let isOrdered = false
    let isEmpty = false
    for (const entry of body) {
      const [word, rest] = splitWord(entry.text)
      if (word !== 'expect') {
        results.push(entry)
        continue
      }
      this.#at(entry.line, () => {
        const [what, argument] = splitWord(rest)
        if (what === 'fail') expectation = { kind: 'fail', match: readFail(argument) }
        else if (what === 'warn') warnings.push(readLine(argument))
        else if (what === 'ordered' && mode.kind === 'instant') isOrdered = true
        else if (what === 'empty') isEmpty = true
        else fail(`unknown expectation ${rest}`)
      })
    }
    if ((expectation !== undefined || isEmpty) && results.length > 0) fail('results beside expect fail or expect empty')
    if (expectation !== undefined) return expectation
    if (mode.kind === 'log') return { kind: 'streams', streams: this.#streams(results), warnings }
    const scalar = /^scalar (.*)$/.exec(results[0]?.text ?? '')
    if (scalar && mode.kind === 'instant') {
      if (results.length > 1) fail('results beside a scalar')
      return { kind: 'scalar', value: readValue(scalar[1]!), warnings }
    }
    return { kind: 'series', series: this.#series(mode, results), isOrdered, warnings }
  }

  #streams(body: readonly BodyLine[]): StreamResult[] {
    const base = body[0]?.indent ?? 0
    const streams: { labels: StreamResult['labels']; entries: { offsetNs: bigint; line: string }[] }[] = []
    for (const { line, indent, text } of body) {
      this.#at(line, () => {
        if (indent === base) return streams.push({ labels: readLabels(text), entries: [] })
        const stream = streams.at(-1)
        if (indent < base || stream === undefined) return fail('expected the labels of a stream')
        const [offset, rest] = splitWord(text)
        return stream.entries.push({ offsetNs: readOffset(offset), line: readLine(rest) })
      })
    }
    for (const { entries } of streams) if (entries.length === 0) fail('a stream without entries')
    return streams
  }

  #series(mode: Mode, body: readonly BodyLine[]): SeriesResult[] {
    return body.map(({ line, text }) =>
      this.#at(line, () => {
        const [, labels, values = ''] = /^(\{.*\}) +(.+)$/.exec(text) ?? fail('expected {labels} and values')
        const list = values.split(/ +/).map((value) => (value === '_' ? undefined : readValue(value)))
        if (mode.kind === 'instant' && (list.length !== 1 || list[0] === undefined)) fail('expected one value')
        return { labels: readLabels(labels!), values: list }
      }),
    )
  }

  /** Runs `read` and says where it failed; the innermost place counts. */
  #at<T>(line: number, read: () => T): T {
    try {
      return read()
    } catch (error) {
      if (error instanceof ScriptError) throw error
      throw new ScriptError(this.#file, line, error instanceof Error ? error.message : String(error))
    }
  }

  #endOfBroken(): void {
    const broken = this.#broken
    if (broken !== undefined) this.#at(broken.line, () => fail('"# broken:" does not stand directly above an eval'))
  }
}
