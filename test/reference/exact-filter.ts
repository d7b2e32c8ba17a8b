/** Blocks with a filter that knows every line: no real one leaves out more pages. */
import { compileRegex } from '#/platform/regex/compile.ts'
import { decodeBlockPage } from '#/logs/store/block-page.ts'
import type { LogBlock } from '#/logs/store/log-block.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import type { BlockMeta } from '#/storage/block/meta.ts'
import type { PageBits, PageCondition } from '#/storage/filter/filter.ts'

type OpenBlock = (meta: BlockMeta) => Promise<LogBlock>

export function withExactFilter(open: OpenBlock): OpenBlock {
  return async (meta) => {
    const block = await open(meta)
    const positions = [...block.pages.keys()]
    const bytes = await block.readPages(positions, { lengths: true, lines: true, meta: 'all' }, undefined)
    const pages = bytes.map(contentOf)
    return new Proxy(block, {
      get(target, property): unknown {
        if (property === 'pagesWith') return async (condition: PageCondition) => pagesWith(pages, condition)
        const value: unknown = Reflect.get(target, property, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }
}

type PageContent = { readonly lines: readonly Buffer[]; readonly values: ReadonlySet<string> }

function contentOf(bytes: Parameters<typeof decodeBlockPage>[0]): PageContent {
  const page = decodeBlockPage(bytes)
  const rows = Array.from({ length: page.rowCount }, (_, row) => row)
  const lines = rows.map((row) => Buffer.from(page.lines.subarray(page.lineStart[row], page.lineStart[row + 1])))
  const values = page.metaNames.flatMap((name) => rows.flatMap((row) => valueAt(page, name, row)))
  return { lines, values: new Set(values) }
}

function valueAt(page: LogPage, name: string, row: number): readonly string[] {
  const value = page.meta(name)?.valueOf(row)
  return value === undefined ? [] : [pair(name, value)]
}

function pair(name: string, value: string): string {
  return JSON.stringify([name, value])
}

function pagesWith(pages: readonly PageContent[], condition: PageCondition): PageBits {
  const bits = new Uint8Array(Math.ceil(pages.length / 8))
  for (const [page, content] of pages.entries()) if (holds(content, condition)) bits[page >> 3]! |= 1 << (page & 7)
  return bits
}

function holds({ lines, values }: PageContent, condition: PageCondition): boolean {
  switch (condition.kind) {
    case 'text': {
      const { text, anyCase } = condition
      if (!anyCase) return lines.some((line) => line.includes(text))
      const regex = compileRegex(`(?i)${text.replaceAll(/[\\.+*?()|[\]{}^$]/g, '\\$&')}`, { anchored: false })
      return lines.some((line) => regex.test(line.toString()))
    }
    case 'value':
      return values.has(pair(condition.name, condition.value))
    case 'any':
      return condition.of.some((one) => holds({ lines, values }, one))
    case 'all':
      return condition.of.every((one) => holds({ lines, values }, one))
  }
}
