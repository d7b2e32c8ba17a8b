/** Patterns and texts that hang a backtracking engine, for tests in the main thread and in workers. */
import { compileRegex } from './compile.ts'

const many = 'a'.repeat(30_000)

export const evilPatterns: readonly (readonly [pattern: string, text: string])[] = [
  ['(a+)+$', `${many}b`],
  ['(a|a)*$', `${many}b`],
  ['(a|aa)+$', `${many}b`],
  ['(.*a){12}$', `${many}b`],
  ['(.*a){20}$', `${'a'.repeat(3000)}b`],
  ['(?i)(a+)+$', `${many}b`],
  ['(?i)(A|a|aa)+$', `${many}b`],
  ['(?s)(.+)+x$', `${many}\nb`],
  ['(?m)^(a+)+$', `${'a'.repeat(3000)}b\nb`],
  ['([a-zA-Z]+)*$', `${many}1`],
  ['(\\w+\\s?)+$', `${many}!`],
  ['(a{1,30})+$', `${'a'.repeat(3000)}b`],
  ['(a{0,16}){0,16}$', `${'a'.repeat(3000)}b`],
  ['(?:(?:a*)*)*b', many],
  ['(x+x+)+y', 'x'.repeat(30_000)],
  ['(.*)(.*)(.*)(.*)(.*)=$', many],
  ['\\b(\\w*)*\\b$', `${many}-`],
  ['(é|[^b]+)*$', `${'é'.repeat(10_000)}b`],
  ['(?i)(ſ|s|S)*$', `${'s'.repeat(10_000)}b`],
  ['^(([a-z])+.)+[A-Z]([a-z])+$', many],
  // V8's linear engine doubles the expression for each +, and ends the process when it has no memory left
  [`${'('.repeat(40)}a+${')+'.repeat(40)}$`, `${many}b`],
  [`${'('.repeat(200)}a+${')+'.repeat(200)}$`, `${'a'.repeat(3000)}b`],
  // V8 writes what follows a word boundary twice
  [`a{0,2}?${'\\B'.repeat(40)}c`, many],
  ['a{0,2}?(?:\\B){40}c', many],
  [`${'a?\\b'.repeat(40)}c`, many],
  ['((((a{3}|b+)+c?){3}|d+)+){9}$', `${'a'.repeat(3000)}b`],
  ['(a|b)*a(a|b){500}c', 'ab'.repeat(1000)],
  [`(?i)(${Array.from({ length: 2000 }, (_, i) => `word${i}`).join('|')})x$`, 'word1 '.repeat(500)],
]

/** The slowest pattern and the CPU time of the thread that it took. */
export function slowestEvil(): { readonly pattern: string; readonly ms: number } {
  let slowest = { pattern: '', ms: 0 }
  for (const [pattern, text] of evilPatterns) {
    const regex = compileRegex(pattern, { anchored: false })
    const before = process.threadCpuUsage()
    regex.test(text)
    const { user, system } = process.threadCpuUsage(before)
    const ms = (user + system) / 1000
    if (ms > slowest.ms) slowest = { pattern, ms }
  }
  return slowest
}
