import type { Clock } from '#/kernel/world.ts'
import type { QueryFrontend } from '#/logs/wire/query.ts'

/** What the reading endpoints need. */
export type ApiDeps = { readonly frontend: QueryFrontend; readonly clock: Clock }
