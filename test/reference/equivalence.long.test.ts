/** As the other comparisons with the reference, with ten times as many questions. */
import { test } from 'node:test'
import { campaignSeed, runCampaign } from './campaign.ts'

test(`answers equal the reference, for long (seed ${campaignSeed})`, async (t) => {
  t.diagnostic(await runCampaign(['head', 'block'], 200_000))
})
