"""Gajim on a screen that nobody sees, driven through its remote control. gajim.py FOLDER PORT, inside dbus-run-session, HOME being FOLDER.
Tells what happens as JSON, a line each: {"online": account}, {"im": text, "from": who}, {"room": text, "from": room/nick}, {"buddy": name, "group": …, "online": …}.
Hears the same way: {"say": text, "to": who}, {"say": text, "room": room}, {"buddies": who}. Ends when its input does."""
import json
import os
import sqlite3
import subprocess
import sys
import threading

import gi
from gi.repository import Gio, GLib

folder, account, password, port = sys.argv[1:5]
config = os.path.join(folder, ".config/gajim")
os.makedirs(config, exist_ok=True)
settings = sqlite3.connect(os.path.join(config, "settings.sqlite"))
settings.executescript("CREATE TABLE settings (name TEXT UNIQUE, settings TEXT); CREATE TABLE account_settings (account TEXT UNIQUE, settings TEXT); PRAGMA user_version=5;")
app = {"remote_control": True, "use_keyring": False, "autoaway": False, "autoxa": False, "check_for_update": False}
for name, value in {"app": app, "soundevents": {}, "status_presets": {}, "proxies": {}, "plugins": {}, "workspaces": {"1": {}}}.items():
    settings.execute("INSERT INTO settings VALUES (?, ?)", (name, json.dumps(value)))
own = {
    "account_label": account, "name": account, "hostname": "localhost", "address": account + "@localhost", "resource": "gajim", "password": password, "savepass": True,
    "active": True, "autoconnect": True, "use_custom_host": True, "custom_host": "127.0.0.1", "custom_port": int(port), "custom_type": "START TLS",
}
settings.execute("INSERT INTO account_settings VALUES (?, ?)", (account, json.dumps({"account": own, "contact": {}, "group_chat": {}})))
settings.commit()
settings.close()

read, write = os.pipe()
screen = subprocess.Popen(["Xvfb", "-ac", "-displayfd", str(write), "-screen", "0", "1024x768x24", "-nolisten", "tcp"], pass_fds=[write], stderr=subprocess.DEVNULL)
display = ":" + os.read(read, 16).decode().strip()
log = open(folder + "/errors", "w")
client = subprocess.Popen(["/usr/bin/gajim"], env=dict(os.environ, DISPLAY=display), stdout=log, stderr=log)
loop = GLib.MainLoop()
bus = Gio.bus_get_sync(Gio.BusType.SESSION, None)
INTERFACE, PATH = "org.gajim.dbus.RemoteInterface", "/org/gajim/dbus/RemoteObject"
online = False


def tell(**what):
    print(json.dumps(what), flush=True)


def call(method, *args):
    signature = "(" + "s" * len(args) + ")"
    return bus.call_sync("org.gajim.Gajim", PATH, INTERFACE, method, GLib.Variant(signature, args), None, Gio.DBusCallFlags.NONE, 60000, None).unpack()[0]


def begin():
    """Asks until Gajim is on the bus and its account is connected."""
    global online
    try:
        online = call("get_status", account) == "online"
    except GLib.Error:
        return True
    if online:
        tell(online=account)
    return not online


def lines():
    """What Gajim has kept: its own memory is what it shows."""
    global told
    try:
        db = sqlite3.connect("file:" + os.path.join(folder, ".local/share/gajim/logs.db") + "?mode=ro", uri=True)
        for row, jid, nick, kind, text in db.execute("SELECT log_line_id, jid, contact_name, kind, message FROM logs NATURAL JOIN jids WHERE log_line_id > ? ORDER BY log_line_id", (told,)):
            told = row
            if kind == 2:
                tell(room=text, **{"from": f"{jid}/{nick}"})
            elif kind == 4:
                tell(im=text, **{"from": jid})
        db.close()
    except sqlite3.Error:
        pass
    return True


told = 0


def heard(line):
    ask = json.loads(line)
    try:
        if "say" in ask and "room" in ask:
            tell(sent=call("send_groupchat_message", ask["room"], ask["say"], account))
        elif "say" in ask:
            tell(sent=call("send_chat_message", ask["to"], ask["say"], account))
        elif "buddies" in ask:
            for c in call("list_contacts", account):
                if c["jid"] == ask["buddies"]:
                    tell(buddy=c["name"], group=", ".join(c["groups"]), online=c["show"] == "online")
    except GLib.Error as error:
        tell(error=str(error))
    return False


def listen():
    for line in sys.stdin:
        GLib.idle_add(heard, line)
    GLib.idle_add(loop.quit)


GLib.timeout_add(300, begin)
GLib.timeout_add(300, lines)
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
