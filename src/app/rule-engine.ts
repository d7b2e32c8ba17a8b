/** The engine in memory for `edda rules test`; loaded when it is needed. */
import type { CliDeps } from '#/cli/io.ts'
import type { World } from '#/kernel/world.ts'

export function ruleEngine({ clock }: World): CliDeps['openRuleEngine'] {
  return async (tenant) => {
    const { openMemoryLogs } = await import('#/logs/roles/memory-logs.ts')
    return openMemoryLogs(clock, tenant)
  }
}
