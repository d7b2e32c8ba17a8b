/** Who wants to hear of new entries, by tenant. Part of a push, so it costs nothing for tenants that nobody follows. */
import type { EntryBatch } from '#/logs/wire/entry-batch.ts'
import type { OnEntries } from '#/logs/wire/tail.ts'
import { copyBatch } from './copy-batch.ts'
import { selectRows } from './select-rows.ts'

export class Followers {
  readonly #byTenant = new Map<string, Set<OnEntries>>()

  add(tenant: string, onEntries: OnEntries): () => void {
    const followers = this.#byTenant.getOrInsertComputed(tenant, () => new Set())
    followers.add(onEntries)
    return () => {
      followers.delete(onEntries)
      if (followers.size === 0 && this.#byTenant.get(tenant) === followers) this.#byTenant.delete(tenant)
    }
  }

  /** The rows of `batch` are visible, but for `duplicates`, which were so before. */
  tell(tenant: string, batch: EntryBatch, duplicates: readonly number[]): void {
    const followers = this.#byTenant.get(tenant)
    if (followers === undefined || duplicates.length === batch.rowCount) return
    const fresh = duplicates.length === 0 ? batch : selectRows(batch, rowsBut(duplicates, batch.rowCount))
    // the memory of a push is used again when it is answered
    const kept = copyBatch(fresh)
    for (const onEntries of followers) onEntries(kept)
  }
}

function rowsBut(left: readonly number[], rowCount: number): number[] {
  const rows: number[] = []
  let next = 0
  for (let row = 0; row < rowCount; row++) {
    if (row === left[next]) next++
    else rows.push(row)
  }
  return rows
}
