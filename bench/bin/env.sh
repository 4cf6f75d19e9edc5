# Common settings of the benches; source me.
P=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
RUN=$P/run; DATA=$P/data; CFG=$P/cfg
PROSODY_PORT=25222; PROSODY_DTLS=25223; PROSODY_HTTP=25280
EJ_PORT=25322; EJ_DTLS=25323; EJ_HTTP=25380; EJ_DIST=25399
DB_PORT=25622; DB_DTLS=25623; DB_HTTP=25680
SRV_CPU=${SRV_CPU:-0}; LOAD_CPU=${LOAD_CPU:-1}   # core of the server / of the loader
ulimit -n 20000 2>/dev/null
mkdir -p "$RUN" "$DATA" "$CFG"
wait_port() { for _ in $(seq 1 150); do (exec 3<>/dev/tcp/127.0.0.1/"$1") 2>/dev/null && return 0; sleep 0.2; done; echo "port $1 did not open" >&2; return 1; }
# Ends the process in $RUN/$1.pid and waits for it.
down() {
  local p; p=$(cat "$RUN/$1.pid" 2>/dev/null) || return 1
  kill "$p" 2>/dev/null; for _ in $(seq 1 100); do kill -0 "$p" 2>/dev/null || break; sleep 0.1; done
  kill -0 "$p" 2>/dev/null && kill -9 "$p"
  rm -f "$RUN/$1.pid"
}
