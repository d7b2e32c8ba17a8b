/** The table of routes with nothing behind it: for documents, and for tests that go through all of them. */
import { sections } from '#/app/config.ts'
import { Gate } from '#/app/gate.ts'
import type { World } from '#/kernel/world.ts'
import { defaultsOf } from '#/platform/config/option.ts'
import type { Endpoint } from '#/platform/http/endpoint.ts'
import { Metrics } from '#/platform/telemetry/metrics.ts'
import { newLogger } from '#/platform/telemetry/pino-logger.ts'
import { allEndpoints } from './index.ts'

export function endpointTable(world: World): readonly Endpoint[] {
  const config = defaultsOf(sections)
  const { log_level: level, log_format: format } = config.server
  return allEndpoints({
    config,
    world,
    logger: newLogger({ clock: world.clock, level, format, write: () => undefined }),
    metrics: new Metrics(),
    gate: new Gate(),
    insight: { workers: undefined, space: undefined, overrides: undefined },
    services: () => [],
    isStopping: () => false,
    terminate: () => undefined,
  })
}
