// One seed for all random tests, so that a run can be had again: FC_SEED=… takes another, and it is printed where it fails.
import fc from 'fast-check'

fc.configureGlobal({ seed: Number(process.env['FC_SEED'] ?? 20261120) })
