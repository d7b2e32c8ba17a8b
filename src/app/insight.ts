/** Parts that start behind the HTTP server and that operators may look into from the moment they are there. */
import type { limits } from '#/logs/limits.ts'
import type { DiskSpace } from '#/platform/disk-space/disk-space.ts'
import type { Overrides } from '#/platform/tenant/overrides.ts'
import type { WorkerPool } from '#/platform/workers/worker-pool.ts'

export type Insight = {
  workers: WorkerPool | undefined
  space: DiskSpace | undefined
  overrides: Overrides<typeof limits> | undefined
}
