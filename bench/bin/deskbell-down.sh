#!/bin/bash
. "$(dirname "$(readlink -f "$0")")/env.sh"
down deskbell
