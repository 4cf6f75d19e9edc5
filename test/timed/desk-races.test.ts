// The races of test/wire/desk-races.test.ts and desk-hands.test.ts a thousand times each: RACES=… and CUSTOMERS=… are other numbers.
process.env['RACES'] ??= '1000'
process.env['CUSTOMERS'] ??= '1000'
await import('../wire/desk-races.test.ts')
await import('../wire/desk-hands.test.ts')
