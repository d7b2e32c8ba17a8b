/** The read path equals the reference on random queries over entries in heads. */
import { test } from 'node:test'
import { campaignSeed, runCampaign } from './campaign.ts'

test(`answers from heads equal the reference (seed ${campaignSeed})`, async (t) => {
  t.diagnostic(await runCampaign(['head'], 7000))
})
