# Network configuration: static addresses from the config drive's network_data.json, DHCP for everything else.

# nic_of_mac MAC: the name of the interface with that address.
nic_of_mac() {
  for dir in /sys/class/net/*; do
    [ "$(cat "$dir/address")" = "$1" ] && { echo "${dir##*/}"; return; }
  done
}

# prefix_of MASK: 24 for 255.255.255.0, 64 for ffff:ffff:ffff:ffff::, or what was given when it is a length already.
prefix_of() {
  case "$1" in
    *.*) eval "$(ipcalc -p 0.0.0.0 "$1")"; echo "$PREFIX" ;;
    *:*) echo "$1" | awk '{ print 16 * gsub(/ffff/, "") }' ;;
    *) echo "$1" ;;
  esac
}

# static_network FLAT PREFIX NIC: applies one entry of network_data's "networks".
static_network() {
  address=$(json_get "$1" "$2.ip_address")
  prefix=$(prefix_of "$(json_get "$1" "$2.netmask")")
  ip link set "$3" up # routes need it
  ip addr add "$address/$prefix" dev "$3"
  gateway=
  i=0
  while net=$(json_get "$1" "$2.routes.$i.network"); [ -n "$net" ]; do
    mask=$(prefix_of "$(json_get "$1" "$2.routes.$i.netmask")")
    via=$(json_get "$1" "$2.routes.$i.gateway")
    [ "$mask" = 0 ] && gateway=$via
    ip route add "$net/$mask" via "$via" dev "$3" 2>/dev/null
    i=$((i + 1))
  done
  say "net: $3 $address/$prefix gw ${gateway:-none} (static)"
}

# static_networks FLAT: applies every static network; names the interfaces it configured in /run/static-nics.
static_networks() {
  : > /run/static-nics
  n=0
  while type=$(json_get "$1" "networks.$n.type"); [ -n "$type" ]; do
    link=$(json_get "$1" "networks.$n.link")
    mac=$(awk -F '\t' -v id="$link" '
      $1 ~ /^links\.[0-9]+\.id$/ { current = ($2 == id) ? $1 : current; if ($2 == id) { split($1, part, "."); wanted = part[2] } }
      { value[$1] = $2 }
      END { print value["links." wanted ".ethernet_mac_address"] }' "$1")
    nic=$(nic_of_mac "$mac")
    case "$type" in
      ipv4 | ipv6) [ -n "$nic" ] && static_network "$1" "networks.$n" "$nic" && echo "$nic" >> /run/static-nics ;;
    esac
    n=$((n + 1))
  done
}

# dhcp NIC: asks for a lease for up to 8 seconds, then goes on trying in the background.
dhcp() {
  udhcpc -i "$1" -s /usr/share/udhcpc/default.script -b -t 8 -T 1 -A 10 -S \
    -x "hostname:$(hostname)" -O mtu -O staticroutes -p "/run/udhcpc.$1.pid" > "/run/udhcpc.$1.log" 2>&1
}

# nic_up NIC: brings the link up and configures it by DHCP unless it is static.
nic_up() {
  ip link set "$1" up
  grep -qx "$1" /run/static-nics 2>/dev/null || dhcp "$1"
}
