/** Loaded before tests (`--import`): fast-check draws from the run's seed wherever a test names none. */
import fc from 'fast-check'
import { testSeed } from '#/kernel/fixture/test-seed.ts'

fc.configureGlobal({ seed: testSeed })
