// The races of test/wire/desk-races.test.ts a thousand times each: RACES=… is another number.
process.env['RACES'] ??= '1000'
await import('../wire/desk-races.test.ts')
