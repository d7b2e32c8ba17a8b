/** Pages of log lines as real programs write them: of one format, or of all of them by turns. */
import { pageOf } from '#/logs/logql/pipeline/page-fixture.ts'
import type { LogPage } from '#/logs/store/log-page.ts'
import { Chance, formats, type Format } from '../../tools/log-formats.ts'

const ROWS = 12_000
const SEED = 7
const START_MS = 1_767_607_200_000

/** `name` is that of a format; 'mixed': all formats. */
export function pageOfFormat(name: string): LogPage {
  const chance = new Chance(SEED)
  const all: readonly Format[] = Object.values(formats)
  const lines = Array.from({ length: ROWS }, (_, i) => {
    const format = name === 'mixed' ? chance.pick(all) : formats[name]!
    return format(chance, START_MS + i * 97).text
  })
  return pageOf(lines)
}
