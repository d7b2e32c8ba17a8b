/**
 * Globs over absolute paths: `*` and `?` match inside a name, `[a-z]` one character, `{a,b}` either, `**` any number of
 * directories. Names that begin with a dot match only a pattern that says so.
 */
import type { Disk } from '#/kernel/world.ts'

/** Deeper directories are not entered; bounds rings of symbolic links. */
const maxDepth = 24
/** More directories than this are not listed for one glob. */
const maxDirs = 20_000
/** More files than this are not followed by one glob. */
const maxMatches = 50_000

/** Compiled form of one glob. */
export type Glob = { readonly pattern: string; readonly matches: (path: string) => boolean }

export function compileGlob(pattern: string): Glob {
  const regex = new RegExp(`^${pattern.split('/').map(partSource).join('/').replaceAll('<any>/', '(?:[^/]+/)*')}$`)
  return { pattern, matches: (path) => regex.test(path) }
}

/** One name between slashes, as the source of a regular expression; `**` becomes a mark that takes its slash along. */
function partSource(part: string): string {
  if (part === '**') return '<any>'
  const body = part.replaceAll(/\*+|\?|\[[^\]]+\]|\{[^}]*\}|[\\^$+.()|[\]{}]/g, (token) => {
    if (token.startsWith('*')) return '[^/]*'
    if (token === '?') return '[^/]'
    if (token.length > 2 && token.startsWith('['))
      return `[${token.slice(1, -1).replace(/^!/, '^').replaceAll('\\', '\\\\')}]`
    if (token.length > 1 && token.startsWith('{')) {
      const choices = token
        .slice(1, -1)
        .split(',')
        .map((choice) => choice.replaceAll(/[\\^$+.()|[\]{}?*]/g, '\\$&'))
      return `(?:${choices.join('|')})`
    }
    return `\\${token}`
  })
  return part.startsWith('.') ? body : `(?!\\.)${body}`
}

/** Called with a directory that could not be listed. */
export type OnUnreadable = (path: string, error: unknown) => void

/** Paths of files that match, in ascending order. */
export async function expandGlob(glob: Glob, disk: Disk, onUnreadable: OnUnreadable): Promise<string[]> {
  const parts = glob.pattern.split('/')
  const fixed = parts.findIndex((part) => /[*?[{]/.test(part))
  if (fixed < 0) {
    const found = await disk.stat(glob.pattern).catch((error: unknown) => onUnreadable(glob.pattern, error))
    return found ? [glob.pattern] : []
  }
  const base = parts.slice(0, fixed).join('/')
  const depth = parts.includes('**') ? maxDepth : parts.length - fixed
  const matches: string[] = []
  let dirs = 0
  const visit = async (dir: string, left: number): Promise<void> => {
    if (++dirs > maxDirs) return
    const entries = await disk.list(dir === '' ? '/' : dir).catch((error: unknown) => {
      onUnreadable(dir, error)
      return []
    })
    for (const entry of entries) {
      if (matches.length >= maxMatches) return
      const path = dir === '.' ? entry.name : `${dir}/${entry.name}`
      if (!entry.isDirectory && glob.matches(path)) matches.push(path)
      if (entry.isDirectory && left > 1 && !entry.name.startsWith('.')) await visit(path, left - 1)
    }
  }
  await visit(base === '' && !glob.pattern.startsWith('/') ? '.' : base, depth)
  return matches.toSorted()
}
