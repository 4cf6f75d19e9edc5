// What is measured: name, the loader's mode and arguments, which archive, the unit that is compared and the goal.
const T = (mode, unit, key) => (name, args, goal, more = {}) => ({ name, mode, args, unit, key, goal, ...more })
const login = T('login', 'ms CPU per login', 'srv_cpu_per_1000') // seconds per 1000 = ms per one
const chat = T('chat', 'µs CPU per message', 'srv_us_per_msg')
const muc = T('muc', 'µs CPU per copy', 'srv_us_per_copy')
const idle = T('idle', 'KiB PSS per session', 'kb_per_session')
const rest = T('idle', 'KiB PSS with nobody', 'base_pss_kb')
const presence = T('presence', 'µs CPU per copy', 'srv_us_per_copy')

/** What `npm run bench` measures when nothing else is asked for. */
export const SHORT = ['desk-assign', 'chat', 'chat-tls', 'muc-200', 'login-scram', 'login-scram-tls', 'idle-plain', 'idle-tls']

export const tests = [
  login('login-scram', ['--n', 2000], 0.4),
  login('login-scram-tls', ['--n', 2000, '--tls', 'starttls'], 1.0),
  login('login-scram-tls-rsa', ['--n', 1000, '--tls', 'starttls'], undefined, { cert: 'rsa' }),
  login('login-plain', ['--n', 1000, '--mech', 'PLAIN'], undefined),
  login('login-plain-tls', ['--n', 1000, '--mech', 'PLAIN', '--tls', 'starttls'], 3.2),
  login('login-scram-10contacts', ['--n', 1000, '--prefix', 'r'], undefined),
  idle('idle-plain', ['--steps', '1000,2000,5000'], 15),
  idle('idle-tls', ['--steps', '1000,2000,5000', '--tls', 'starttls'], 50),
  rest('at-rest', ['--steps', '1'], 71_680), // less where other programs run the same Node: they share its pages
  chat('chat', ['--pairs', 200], 12),
  chat('chat-half', ['--pairs', 200], 3, { half: true, key: 'p99_ms', unit: 'p99 ms at half the peak' }),
  chat('chat-w10', ['--pairs', 20, '--window', 10], 6),
  chat('chat-sm', ['--pairs', 200, '--sm'], 18),
  chat('chat-tls', ['--pairs', 200, '--tls', 'starttls'], 20),
  chat('chat-bg2000', ['--pairs', 200, '--bg', 2000], 13),
  chat('chat-mam-file', ['--pairs', 200], 30, { mam: 'file' }),
  chat('chat-mam-sqlite', ['--pairs', 200], 30, { mam: 'sqlite' }),
  chat('chat-real', ['--pairs', 200, '--tls', 'starttls', '--sm', '--carbons'], 45, { mam: 'file' }),
  muc('muc-50', ['--n', 50], 4),
  muc('muc-200', ['--n', 200], 4),
  muc('muc-500', ['--n', 500], 4),
  muc('muc-200-tls', ['--n', 200, '--tls', 'starttls'], 8),
  muc('muc-200-join', ['--n', 200], 7, { key: 'join_us_per_presence', unit: 'µs CPU per presence' }),
  presence('presence-500', ['--prefix', 'q', '--n', 501, '--flips', 40], 7),
  login('ws-login', ['--n', 1000], 0.5, { ws: true }),
  chat('ws-chat', ['--pairs', 200], 20, { ws: true }),
]

/** What a result of the loader says of a test: an idle run has a figure for each step, of which the last counts. */
export const figureOf = (test, result) => test.key in result ? result[test.key] : result.steps?.at(-1)?.[test.key]
