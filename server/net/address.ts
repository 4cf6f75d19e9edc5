// Network addresses, as far as the house asks about them (pure).

/** Whether `address` is this machine itself: 127.0.0.0/8 and ::1, mapped or not. */
export const isLoopback = (address: string): boolean => /^(::ffff:)?127\./.test(address) || address === '::1'
