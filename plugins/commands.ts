// XEP-0050: the host's own commands, also at the asker's own account, where many clients look; other plugins bring them.
import { Commands, HOST_COMMANDS, NS_COMMANDS } from '../protocols/commands.ts'
import { plugin } from '../server/api.ts'

/** XEP-0050 Ad-Hoc Commands of the host. */
export const commands = plugin('commands', host => {
  const all = new Commands(host.clock)
  host.feature(NS_COMMANDS)
  host.provide(HOST_COMMANDS, all)
  host.iq(['host', 'self'], 'set', NS_COMMANDS, 'command', (request, { from }) => all.run(request, from))
})
