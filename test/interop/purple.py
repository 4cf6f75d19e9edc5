"""Pidgin on a screen that nobody sees, driven through D-Bus. purple.py FOLDER, inside dbus-run-session.
Tells what happens as JSON, a line each: {"online": account}, {"im": text, "from": who}, {"buddy": alias, "group": …}.
Hears the same way: {"say": text, "to": who}, {"buddies": who}. Ends when its input does."""
import json
import os
import subprocess
import sys
import threading

import dbus
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

folder = sys.argv[1]
read, write = os.pipe()
screen = subprocess.Popen(["Xvfb", "-ac", "-displayfd", str(write), "-screen", "0", "1024x768x24", "-nolisten", "tcp"], pass_fds=[write], stderr=subprocess.DEVNULL)
display = ":" + os.read(read, 16).decode().strip()
DBusGMainLoop(set_as_default=True)
bus = dbus.SessionBus()
env = dict(os.environ, DISPLAY=display)
client = subprocess.Popen(["pidgin", "-m", "-c", folder], env=env, stdout=subprocess.DEVNULL, stderr=open(folder + "/errors", "w"))
loop = GLib.MainLoop()
INTERFACE = "im.pidgin.purple.PurpleInterface"
purple = None


def tell(**what):
    print(json.dumps(what), flush=True)


def account():
    return purple.PurpleAccountsGetAllActive()[0]


def begin():
    """Asks until Pidgin is on the bus and its account is connected."""
    global purple
    if purple is None:
        if not bus.name_has_owner("im.pidgin.purple.PurpleService"):
            return True
        purple = dbus.Interface(bus.get_object("im.pidgin.purple.PurpleService", "/im/pidgin/purple/PurpleObject"), INTERFACE)
    active = purple.PurpleAccountsGetAllActive()
    if not active or not purple.PurpleAccountIsConnected(active[0]):
        return True
    tell(online=str(purple.PurpleAccountGetUsername(active[0])))
    return False


def heard(line):
    ask = json.loads(line)
    if "say" in ask:
        conversation = purple.PurpleConversationNew(1, account(), ask["to"])
        purple.PurpleConvImSend(purple.PurpleConvIm(conversation), ask["say"])
    elif "buddies" in ask:
        for buddy in purple.PurpleFindBuddies(account(), ask["buddies"]):
            tell(buddy=str(purple.PurpleBuddyGetAlias(buddy)), group=str(purple.PurpleGroupGetName(purple.PurpleBuddyGetGroup(buddy))), online=bool(purple.PurpleBuddyIsOnline(buddy)))
    return False


def listen():
    for line in sys.stdin:
        GLib.idle_add(heard, line)
    GLib.idle_add(loop.quit)


bus.add_signal_receiver(lambda a, sender, text, c, f: tell(im=str(text), **{"from": str(sender)}), signal_name="ReceivedImMsg", dbus_interface=INTERFACE)
GLib.timeout_add(200, begin)
threading.Thread(target=listen, daemon=True).start()
try:
    loop.run()
finally:
    for child in (client, screen):
        child.terminate()
    for child in (client, screen):
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()
