"""A bot of slixmpp: logs in over STARTTLS, asks around, enters a room, talks and leaves. slix.py PORT USER PASSWORD ROOM
Prints a line for each thing that worked; exit code 0 when all did."""
import asyncio
import ssl
import sys

import slixmpp

port, user, password, room = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]


class Bot(slixmpp.ClientXMPP):
    def __init__(self):
        super().__init__(f"{user}@localhost/slix", password)
        for plugin in ("xep_0030", "xep_0045", "xep_0199", "xep_0280", "xep_0313"):
            self.register_plugin(plugin)
        self.ssl_context = ssl._create_unverified_context()
        self.done = self.loop.create_future()
        self.add_event_handler("session_start", self.begin)
        self.add_event_handler("failed_auth", lambda e: self.end(1))

    def end(self, code):
        if not self.done.done():
            self.done.set_result(code)

    async def begin(self, event):
        try:
            self.send_presence()
            await self.get_roster()
            print("roster", flush=True)
            info = await self["xep_0030"].get_info(jid="localhost")
            print("identities", len(info["disco_info"]["identities"]), flush=True)
            await self["xep_0199"].ping("localhost")
            print("pong", flush=True)
            muc = self["xep_0045"]
            await muc.join_muc_wait(room, "Slix", timeout=60)
            print("joined", ",".join(sorted(muc.get_roster(room))), flush=True)
            heard = self.loop.create_future()
            self.add_event_handler("groupchat_message", lambda m: m["mucnick"] == "Slix" and not heard.done() and heard.set_result(m["body"]))
            self.send_message(mto=room, mbody="from slixmpp", mtype="groupchat")
            print("echo", await asyncio.wait_for(heard, 60), flush=True)
            form = await muc.get_room_config(room)
            print("form", form["type"], flush=True)
            muc.leave_muc(room, "Slix")
            await self.disconnect()
            self.end(0)
        except Exception as error:  # whatever it is, the test shall read it
            print("failed", type(error).__name__, error, flush=True)
            self.end(1)


bot = Bot()
bot.connect(("127.0.0.1", port))
sys.exit(bot.loop.run_until_complete(asyncio.wait_for(bot.done, 55)))
