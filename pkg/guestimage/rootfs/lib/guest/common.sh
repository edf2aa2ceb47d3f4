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

# other_root: when the kernel was told `root=` and a system with an init is there, this guest is only the way to it.
other_root() {
  root=$(sed -n 's/^\(.* \)\?root=\([^ ]*\).*/\2/p' /proc/cmdline)
  { [ -n "$root" ] && mount "$root" /other 2>/dev/null; } || return
  [ -x /other/sbin/init ] || { umount /other; return; }
  say "going on to $root"
  for dir in dev/pts dev proc sys run; do umount -l "/$dir"; done
  exec switch_root /other /sbin/init
}
