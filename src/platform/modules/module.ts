/**
 * A module is a part of the process that starts and stops: the HTTP server, the ingester, the querier. It names the modules that
 * it needs by reference, so that a missing one is a compile error, and gets what they offer when it starts.
 *
 *     const ingester = defineModule({
 *       name: 'ingester',
 *       needs: { store },
 *       start: async ({ store }) => ({ api: await openIngester(store), stop: () => … }),
 *     })
 */
import type { Logger } from '#/platform/telemetry/logger.ts'

// what a module needs is known to its own `start` alone; for all others any needs will do
export type Module<Api> = {
  readonly name: string
  readonly needs: Needs
  readonly start: (needs: never, context: ModuleContext) => Promise<Started<Api>>
}

/** What a module gets besides its needs. */
export type ModuleContext = {
  /** Aborted when the stop begins, also while the module still starts. */
  readonly signal: AbortSignal
  readonly logger: Logger
  /** Reports that a running module cannot go on; the process should stop. */
  readonly fail: (error: unknown) => void
}

export type Needs = { readonly [key: string]: Module<unknown> }
/** What the needed modules offer. */
export type ApisOf<N extends Needs> = { readonly [K in keyof N]: N[K] extends Module<infer Api> ? Api : never }

export type Started<Api> = {
  readonly api: Api
  /** Resolves when the module has let go of everything. Called once, before the modules that it needs stop. */
  readonly stop?: () => Promise<void>
}

export function defineModule<Api, const N extends Needs = Record<never, never>>(module: {
  readonly name: string
  readonly needs: N
  readonly start: (needs: ApisOf<N>, context: ModuleContext) => Promise<Started<Api>>
}): Module<Api> {
  return module
}
