/** Runs test files of rules. */
import { dirname, isAbsolute, join } from 'node:path'

import { type OpenRuleEngine, runRuleTest, testTenant } from '#/ruler/unit/run-test.ts'
import { readTestFile } from '#/ruler/unit/test-file.ts'
import type { CliIo } from './io.ts'
import { readGroups, readText } from './rule-files.ts'

export async function testRules(paths: readonly string[], io: CliIo, openEngine: OpenRuleEngine): Promise<void> {
  let failed = 0
  for (const path of paths) {
    const problems = await testFile(path, io, openEngine)
    await io.out(problems.length === 0 ? `${path}: ok\n` : `${path}: FAILED\n`)
    for (const problem of problems) await io.out(`  ${problem.replaceAll('\n', '\n  ')}\n`)
    failed += problems.length > 0 ? 1 : 0
  }
  if (failed > 0) throw new Error(`${failed} of ${paths.length} test files failed`)
}

async function testFile(path: string, io: CliIo, openEngine: OpenRuleEngine): Promise<readonly string[]> {
  const { ruleFiles, evaluationIntervalMs, tests } = readTestFile(path, await readText(path, io))
  const found = await Promise.all(
    ruleFiles.map((file) => readGroups(isAbsolute(file) ? file : join(dirname(path), file), io)),
  )
  const problems: string[] = []
  for (const test of tests) {
    const engine = await openEngine(testTenant)
    problems.push(...(await runRuleTest(test, found.flat(), evaluationIntervalMs, engine)))
  }
  return problems
}
