# Shared by init and the event handlers; sourced, never run.
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root TERM=linux

# Prints one line on the console with the uptime in seconds.
say() {
  read -r up _ < /proc/uptime
  echo "guest[$up]: $*" > /dev/console
}

# json_get FLAT PATH: the value at an exact dotted path of a document flattened by json.awk.
json_get() {
  awk -F '\t' -v path="$2" '$1 == path { print $2; exit }' "$1" 2>/dev/null
}

# json_flat JSON FLAT: writes one "path<TAB>value" line per leaf.
json_flat() {
  awk -f /lib/guest/json.awk "$1" > "$2"
}
