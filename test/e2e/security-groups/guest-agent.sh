#!/bin/sh
# User data of the guests under test: does what the server's property `do` says ("<number> <commands>"), and prints the outcome as one line.

# ping_to IP, tcp_to IP PORT: whether it is reached; three tries, for a machine that is busy.
ping_to() {
  for try in 1 2 3; do ping -c 1 -W 1 "$1" > /dev/null 2>&1 && { echo "ping $1 yes"; return; }; done
  echo "ping $1 no"
}
tcp_to() {
  for try in 1 2 3; do [ "$(nc -w 2 "$1" "$2" < /dev/null 2> /dev/null)" = served ] && { echo "tcp $1:$2 yes"; return; }; done
  echo "tcp $1:$2 no"
}

# heard: echo requests that have come in, and whose ARP is known.
heard() { echo "echoes=$(awk '/^Icmp: [0-9]/ { print $10 }' /proc/net/snmp) neighbours=$(awk 'NR > 1 && $4 != "00:00:00:00:00:00" { print $1 "=" $4 }' /proc/net/arp | sort | tr '\n' ' ')"; }

nic_with() { ip -o -4 addr | awk -v ip="$1" '{ split($4, part, "/"); if (part[1] == ip) print $2 }'; }

# Echo requests to IP at MAC under a false sender: the static neighbour spares a question that would go unanswered.
# spoof_mac OWN-IP IP MAC FALSE-MAC
spoof_mac() {
  nic=$(nic_with "$1")
  own=$(cat "/sys/class/net/$nic/address")
  ip link set "$nic" address "$4" && arp -s "$2" "$3" -i "$nic" && cat "/sys/class/net/$nic/address" > /run/false-mac && ping -c 3 -W 1 "$2" > /dev/null
  ip link set "$nic" address "$own" # forgets all neighbours, the static one too
  echo "sent as $(cat /run/false-mac)"
}
# spoof_ip OWN-IP IP MAC FALSE-IP
spoof_ip() {
  nic=$(nic_with "$1")
  ip addr add "$4/24" dev "$nic" && arp -s "$2" "$3" -i "$nic" && ping -c 3 -W 1 -I "$4" "$2" > /dev/null
  ip addr del "$4/24" dev "$nic"
  arp -d "$2" -i "$nic"
  echo "sent as $4"
}
# spoof_arp OWN-IP FALSE-IP: tells everybody that the false address is here.
spoof_arp() {
  nic=$(nic_with "$1")
  ip addr add "$2/32" dev "$nic" && arping -q -U -c 2 -I "$nic" -s "$2" "$2"
  ip addr del "$2/32" dev "$nic"
  echo "told of $2"
}

# renew IP: asks the DHCP server for more time, and shows the address that it confirms.
renew() {
  nic=$(nic_with "$1")
  : > "/run/renewals.$nic"
  kill -USR1 "$(cat "/run/udhcpc.$nic.pid")"
  for try in 1 2 3 4 5 6 7 8 9 10; do [ -s "/run/renewals.$nic" ] && break; sleep 1; done
  echo "renewed $(cat "/run/renewals.$nic")"
}

# tell IP COMMANDS: has a neighbour do something, once it is up, and shows the outcome.
tell() {
  for try in $(seq 100); do echo "$2" | nc -w 30 "$1" 7070 2> /dev/null && return; sleep 1; done
  echo "$1 does not listen"
}
# What a neighbour tells, this script does when it is run again.
[ "$1" = obey ] && { read -r told; eval "$told" 2>&1; exit; }

follow() {
  last=
  while :; do
    timeout 10 wget -q -O /run/told.json http://169.254.169.254/openstack/latest/meta_data.json 2> /dev/null && json_flat /run/told.json /run/told
    now=$(json_get /run/told meta.do)
    if [ -n "$now" ] && [ "$now" != "$last" ]; then
      last=$now
      outcome=$(eval "${now#* }" 2>&1)
      echo "did ${now%% *}: $(echo "$outcome" | tr '\n' ';') end" > /dev/console
    fi
    sleep 1
  done
}

. /lib/guest/common.sh
sysctl -q -w net.ipv4.conf.all.arp_accept=1 # so that whatever ARP announces is there to be seen
sed -i '2i [ "$1" = renew ] && echo "$ip/$mask" >> "/run/renewals.$interface"' /usr/share/udhcpc/default.script
for port in 8080 9090; do nc -ll -p "$port" -e /bin/echo served > /dev/null 2>&1 & done
nc -ll -p 7070 -e "$0" obey > /dev/null 2>&1 &
follow > /dev/null 2>&1 &
echo GUEST-FOLLOWS
