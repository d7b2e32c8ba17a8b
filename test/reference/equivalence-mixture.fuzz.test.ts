/** The read path equals the reference on random queries over entries in heads and blocks that repeat each other. */
import { test } from 'node:test'
import { campaignSeed, runCampaign } from './campaign.ts'

test(`answers from heads and blocks together equal the reference (seed ${campaignSeed})`, async (t) => {
  t.diagnostic(await runCampaign(['head', 'block'], 7000))
})
