/** `edda inspect`: what is in a block, a write-ahead log or a catalog. The readers come from the storage engine. */
import type { Command } from 'commander'

import { type CliDeps, type CliIo, UsageError } from './io.ts'
import { describe, jsonText } from './table.ts'

const examples = `
Examples:
  edda inspect block data/blocks/fake/logs/2026-11-22/….edda
  edda inspect wal data/wal
  edda inspect catalog data/blocks --json`

export function addInspectCommand(program: Command, io: CliIo, { inspectors }: CliDeps): void {
  program
    .command('inspect')
    .description('Print what is in a stored file')
    .argument('<kind>', 'block, wal or catalog')
    .argument('<path>', 'the file, or the directory of the write-ahead log or catalog')
    .option('--json', 'as JSON')
    .option('--max <count>', 'most records or pages to list', '100')
    .addHelpText('after', examples)
    .action(async (kind: string, path: string, options: { json?: true; max: string }) => {
      if (kind !== 'block' && kind !== 'wal' && kind !== 'catalog') {
        throw new UsageError(`can inspect block, wal or catalog, not '${kind}'`)
      }
      const maxItems = Number(options.max)
      if (!Number.isSafeInteger(maxItems) || maxItems < 0)
        throw new UsageError(`--max is a count, not '${options.max}'`)
      const found = await inspectors[kind](path, { maxItems })
      await io.out(options.json ? jsonText(found) : describe(found))
    })
}
